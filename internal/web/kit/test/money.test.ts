import { describe, expect, it } from 'vitest';
import { decimalText, formatMoney, parseAmount } from '../src/money.ts';

describe('parseAmount', () => {
  it.each([
    ['12.30', 'EUR', 1230],
    ['12,30', 'EUR', 1230],
    ['12,3', 'EUR', 1230],
    ['12', 'EUR', 1200],
    ['0012', 'EUR', 1200],
    ['.5', 'EUR', 50],
    ['1.250,50', 'TRY', 125050],
    ['1,250.50', 'TRY', 125050],
    ['1 250,50', 'PLN', 125050],
    ['1.250', 'KWD', 1250],
    ['1.250.000', 'EUR', 125000000],
    ['500', 'JPY', 500],
    ['90071992547409.91', 'EUR', Number.MAX_SAFE_INTEGER],
  ])('reads %s %s', (text, currency, minor) => {
    expect(parseAmount(text, currency)).toEqual({ minor });
  });

  it.each([
    ['', 'EUR', 'empty'],
    ['   ', 'EUR', 'empty'],
    ['.', 'EUR', 'not_a_number'],
    ['-5', 'EUR', 'not_a_number'],
    ['1e9', 'EUR', 'not_a_number'],
    ['12.30.40', 'EUR', 'not_a_number'],
    ['<b>5</b>', 'EUR', 'not_a_number'],
    ['TS1ABC', 'EUR', 'not_a_number'],
    ['1.2345', 'EUR', 'too_many_decimals'],
    ['12.500', 'EUR', 'too_many_decimals'],
    ['5.5', 'JPY', 'too_many_decimals'],
    ['90071992547409.92', 'EUR', 'too_large'],
    ['9'.repeat(40), 'EUR', 'too_large'],
  ])('refuses %s %s', (text, currency, error) => {
    expect(parseAmount(text, currency)).toEqual({ error });
  });
});

it('writes what it reads', () => {
  for (const minor of [0, 1, 99, 100, 123456789, Number.MAX_SAFE_INTEGER]) {
    for (const currency of ['EUR', 'JPY', 'KWD']) {
      expect(parseAmount(decimalText(minor, currency), currency)).toEqual({ minor });
    }
  }
});

it('writes amounts as each language does, to the last unit', () => {
  const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
  expect(plain(formatMoney(125050, 'TRY', 'tr'))).toBe('₺1.250,50');
  expect(plain(formatMoney(1250, 'PLN', 'pl'))).toBe('12,50 zł');
  expect(plain(formatMoney(Number.MAX_SAFE_INTEGER, 'EUR', 'en'))).toBe('€90,071,992,547,409.91');
});
