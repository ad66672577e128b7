import { expect, test, vi } from 'vitest';
import { edge } from '../src/list.ts';

test('days are those of the device, and business dates the same everywhere', () => {
  vi.stubEnv('TZ', 'Europe/Warsaw');
  expect(edge('from', '2026-03-29')).toBe('2026-03-28T23:00:00.000Z');
  expect(edge('to', '2026-03-29')).toBe('2026-03-29T22:00:00.000Z'); // an hour is missing
  expect(edge('from', '2026-03-29', true)).toBe('2026-03-29T00:00:00.000Z');
  expect(edge('to', '2026-03-29', true)).toBe('2026-03-30T00:00:00.000Z');
  expect(edge('from', 'x')).toBeUndefined();
});
