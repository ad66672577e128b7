import { expect, test } from 'vitest';
import { Attempt } from '../src/attempt.svelte.ts';

test('a second press while the first is under way does nothing', async () => {
  const attempt = new Attempt();
  let calls = 0;
  let go = () => {};
  const first = attempt.run(() => {
    calls++;
    return new Promise<void>((resolve) => (go = resolve));
  });
  expect(attempt.busy).toBe(true);
  expect(await attempt.run(async () => calls++)).toBe(false);
  go();
  expect(await first).toBe(true);
  expect([calls, attempt.busy, attempt.failed]).toEqual([1, false, undefined]);
});

test('what went wrong stays until the next attempt', async () => {
  const attempt = new Attempt();
  const wrong = new Error('no');
  expect(await attempt.run(() => Promise.reject(wrong))).toBe(false);
  expect(attempt.failed).toBe(wrong);
  expect(await attempt.run(async () => {})).toBe(true);
  expect(attempt.failed).toBe(undefined);
});
