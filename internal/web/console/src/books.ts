import { done, hqBase } from '@tallystick/kit/api/client.ts';
import type { components } from '@tallystick/kit/api/gen/hq.d.ts';
import { isProblem, Refused } from '@tallystick/kit/api/problem.ts';
import { hq, once, patient } from './hq.ts';

export type Rules = components['schemas']['PosRules'];
export type Import = components['schemas']['PosImport'];
export type Field = components['schemas']['PosColumn']['field'];

/** What a part has and a file has at most, in bytes. */
const partSize = 4 * 1024 * 1024;
export const mostBytes = 256 * 1024 * 1024;

/** What a column of CSV can be, in the order of the form. */
export const fields: Field[] = [
  'receipt',
  'lane',
  'time',
  'clock',
  'date',
  'amount',
  'currency',
  'discount',
  'kind',
  'card',
  'count',
  'store',
];

/** Draft is a mapping while it is edited: what may be missing is empty text. */
export interface Draft {
  format: Rules['format'];
  expects: Rules['expects'];
  totals: boolean;
  paid: boolean;
  headless: boolean;
  minutes: number;
  minor: number;
  skip: number;
  zone: string;
  encoding: string;
  delimiter: string;
  decimal: string;
  thousands: string;
  timeFormat: string;
  clockFormat: string;
  dateFormat: string;
  total: string;
  columns: Record<string, string>;
  /** One `word = meaning` a line. */
  kinds: string;
  lanes: string;
}

export function draftOf(r: Rules): Draft {
  const words = (list: Rules['kinds']) => (list ?? []).map((w) => `${w.word} = ${w.means}`).join('\n');
  return {
    format: r.format,
    expects: r.expects,
    totals: r.totals ?? false,
    paid: r.paid ?? false,
    headless: r.headless ?? false,
    minutes: r.minutes ?? 0,
    minor: r.minor ?? 0,
    skip: r.skip ?? 0,
    zone: r.zone ?? '',
    encoding: r.encoding ?? '',
    delimiter: r.delimiter ?? '',
    decimal: r.decimal ?? '.',
    thousands: r.thousands ?? '',
    timeFormat: r.time_format ?? '',
    clockFormat: r.clock_format ?? '',
    dateFormat: r.date_format ?? '',
    total: r.total ?? '',
    columns: Object.fromEntries((r.columns ?? []).map((c) => [c.field, c.column])),
    kinds: words(r.kinds),
    lanes: words(r.lanes),
  };
}

/** wordsOf reads `word = meaning` lines; a line without a meaning is left out. */
export function wordsOf(text: string): { word: string; means: string }[] {
  return text
    .split('\n')
    .map((line) => {
      const at = line.lastIndexOf('=');
      return { word: line.slice(0, Math.max(at, 0)).trim(), means: line.slice(at + 1).trim() };
    })
    .filter((w) => w.word && w.means);
}

export function rulesOf(d: Draft): Rules {
  const text = Object.entries({
    zone: d.zone.trim(),
    encoding: d.encoding,
    delimiter: d.delimiter,
    decimal: d.decimal,
    thousands: d.thousands,
    time_format: d.timeFormat.trim(),
    clock_format: d.clockFormat.trim(),
    date_format: d.dateFormat.trim(),
    total: d.total.trim(),
  }).filter(([, value]) => value !== '');
  const columns = fields
    .filter((f) => d.columns[f]?.trim())
    .map((field) => ({ field, column: d.columns[field]!.trim() }));
  return {
    format: d.format,
    expects: d.expects,
    totals: d.totals,
    paid: d.paid,
    headless: d.headless,
    minutes: d.minutes || 0,
    minor: d.minor || 0,
    skip: d.skip || 0,
    lanes: wordsOf(d.lanes),
    ...(d.format === 'csv'
      ? { ...Object.fromEntries(text), columns, kinds: wordsOf(d.kinds) }
      : d.zone.trim()
        ? { zone: d.zone.trim() }
        : {}),
  };
}

/** A mapping to begin with, by the name of a file. */
export function usualRules(file: string): Rules {
  const name = file.toLowerCase();
  const format = name.endsWith('.json') ? 'json' : name.endsWith('.xml') ? 'poslog' : 'csv';
  const columns = [
    { field: 'receipt', column: '#1' },
    { field: 'time', column: '#2' },
    { field: 'amount', column: '#3' },
  ] satisfies Rules['columns'];
  return { format, expects: 'all', minutes: 5, minor: 0, ...(format === 'csv' ? { columns } : {}) };
}

/** send uploads a file part by part and tells how much of it has gone, 0 to 1. It throws Refused. */
export async function send(
  store: string,
  file: File,
  rules: Rules,
  progress: (share: number) => void,
): Promise<Import> {
  const params = { path: { id: store }, ...once };
  let at = await done(
    hq.POST('/stores/{id}/pos-imports', { params, body: { name: file.name, size: file.size, rules } }),
  );
  while (at.arrived < at.size) {
    const path = `/stores/${store}/pos-imports/${at.id}/parts/${at.parts}`;
    const request = new Request(`${location.origin}${hqBase}${path}`, {
      method: 'PUT',
      body: file.slice(at.arrived, at.arrived + partSize),
      headers: { 'Content-Type': 'application/octet-stream' },
      credentials: 'same-origin',
    });
    const answer = await patient(request);
    const body: unknown = await answer.json().catch(() => undefined);
    if (!answer.ok) {
      throw new Refused(isProblem(body) ? body : { code: 'internal', status: answer.status, title: answer.statusText });
    }
    at = body as Import;
    progress(at.arrived / at.size);
  }
  return at;
}
