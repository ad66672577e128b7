import { expect, it } from 'vitest';
import { choose, fill, preferredLocale } from '../src/i18n/catalog.ts';
import { commonEn, commonPl, commonTr } from '../src/i18n/common.ts';

it('counts as each language does', () => {
  const forms = commonPl.table.rows;
  expect([1, 2, 5, 12, 22, 25].map((n) => fill(choose('pl', forms, n), { n }))).toEqual([
    '1 wiersz',
    '2 wiersze',
    '5 wierszy',
    '12 wierszy',
    '22 wiersze',
    '25 wierszy',
  ]);
  expect(choose('en', commonEn.table.rows, 1)).toBe('{n} row');
  expect(choose('tr', commonTr.table.rows, 5)).toBe('{n} satır');
});

it('leaves a name without a value to be seen', () => {
  expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
});

it('takes the first language that the pages speak', () => {
  expect(preferredLocale(['de-DE', 'tr-TR', 'en'])).toBe('tr');
  expect(preferredLocale(['PL-pl'])).toBe('pl');
  expect(preferredLocale(['de'])).toBe('en');
});
