import { expect, test } from 'vitest';
import { bars, type Row } from '../src/fall.ts';

const sum = (amount: number) => ({ count: amount ? 1 : 0, amount });
const steps = {
  said: sum(100),
  differs: sum(-20),
  unclosed: sum(0),
  rejected: sum(0),
  late_in: sum(-30),
  certified: sum(50),
};
const row = { kind: 'sale', currency: 'EUR', steps, late_out: sum(50), lanes: [] } as Row;

test('changes stand on what was there before, and what changes nothing is left out', () => {
  expect(bars(row).map((b) => [b.name, b.from, b.to, b.kind])).toEqual([
    ['said', 0, 100, 'sum'],
    ['differs', 80, 100, 'less'],
    ['late_in', 50, 80, 'less'],
    ['certified', 0, 50, 'sum'],
    ['late_out', 50, 100, 'more'],
  ]);
});

test('a row of nothing, and one below zero, have bars within the scale', () => {
  const none = {
    ...row,
    steps: { ...steps, said: sum(0), differs: sum(0), late_in: sum(0), certified: sum(0) },
    late_out: sum(0),
  };
  for (const r of [none, { ...row, steps: { ...steps, said: sum(-100), certified: sum(-150) } }]) {
    for (const b of bars(r)) {
      expect(b.from).toBeGreaterThanOrEqual(0);
      expect(b.to).toBeLessThanOrEqual(100);
    }
  }
});
