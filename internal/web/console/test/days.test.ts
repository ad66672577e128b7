import { expect, test } from 'vitest';
import { inMonth, monthOf, said } from '../src/days.ts';

test('a month has its days, and what is none is this one', () => {
  expect(inMonth('2028-02')).toHaveLength(29);
  expect(inMonth('2026-12').at(-1)).toBe('2026-12-31');
  for (const text of [undefined, '', '2026-13', 'x', '2026-1'])
    expect(monthOf(text, new Date(2026, 2, 5))).toBe('2026-03');
  expect(monthOf('2025-07')).toBe('2025-07');
});

test('what a certificate says is read whatever letters are in it', () => {
  const says = { journals: [{ name: 'Kasa 1 – głąb' }], day: { date: '2026-03-01', entries: 1 } };
  const bytes = new TextEncoder().encode(JSON.stringify(says));
  const text = btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
  expect(said(`x.${text}.y`)).toEqual(says);
});
