import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type Fall = components['schemas']['DayWaterfall'];
export type Row = components['schemas']['WaterfallRow'];
export type Steps = components['schemas']['WaterfallSteps'];
type Sum = components['schemas']['WaterfallSum'];

/** The steps of a waterfall: sums stand on the ground, changes on what was there before. */
export const stepNames = ['said', 'differs', 'unclosed', 'rejected', 'late_in', 'certified', 'late_out'] as const;
export type StepName = (typeof stepNames)[number];

export interface Bar {
  name: StepName;
  sum: Sum;
  /** From and to on the scale, both of 0 to 100. */
  from: number;
  to: number;
  /** A sum, or something more or less. */
  kind: 'sum' | 'more' | 'less';
}

const nothing: Sum = { count: 0, amount: 0 };

export function sumOf(steps: Steps, name: StepName, late: Sum = nothing): Sum {
  return name === 'late_out' ? late : steps[name];
}

/** bars lays the steps of a row out. Steps that change nothing are left out. */
export function bars(row: Row): Bar[] {
  const spans = [];
  let level = 0;
  for (const name of stepNames) {
    const sum = sumOf(row.steps, name, row.late_out);
    const stands = name === 'said' || name === 'certified';
    if (!stands && sum.count === 0 && sum.amount === 0) continue;
    const from = stands ? 0 : level;
    level = from + sum.amount;
    spans.push({ name, sum, from, to: level, stands });
  }
  const ends = spans.flatMap((s) => [s.from, s.to]);
  const [least, most] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const at = (n: number) => (most === least ? 0 : ((n - least) / (most - least)) * 100);
  return spans.map(({ name, sum, from, to, stands }) => ({
    name,
    sum,
    from: at(Math.min(from, to)),
    to: at(Math.max(from, to)),
    kind: stands ? 'sum' : sum.amount < 0 ? 'less' : 'more',
  }));
}

/** lineOf names a row in a query. */
export function lineOf(row: Row) {
  const { kind, currency, flow, unit, basis } = row;
  return { kind, ...(currency && { currency }), ...(flow && { flow }), ...(unit && { unit }), ...(basis && { basis }) };
}
