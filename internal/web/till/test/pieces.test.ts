import { expect, it } from 'vitest';
import { parsePieces, piecesText } from '../src/model/pieces.ts';
import { isCardCode } from '../src/model/scans.ts';

it.each([
  ['2', 2000],
  ['0.5', 500],
  ['0,25', 250],
  [' 3 ', 3000],
  ['1000000000', 1_000_000_000_000],
  ['', undefined],
  ['0', undefined],
  ['1e9', null],
  ['-1', null],
  ['0.0001', null],
  ['1000000001', null],
  ['<b>1</b>', null],
])('reads %s pieces', (text, thousandths) => {
  expect(parsePieces(text)).toBe(thousandths);
});

it('writes pieces', () => {
  expect([1000, 1500, 250].map(piecesText)).toEqual(['1', '1.5', '0.25']);
});

it('tells a card from a receipt number', () => {
  expect(['TS1200NMKD', ']Q1TS1200NMKD', 'ts1200nmkd', 'x'.repeat(60)].map(isCardCode)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['R-000123', '4006381333931'].map(isCardCode)).toEqual([false, false]);
});
