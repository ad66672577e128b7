import { expect, test } from 'vitest';
import { newPassword } from '../src/password.ts';

test('a made password can be read out, and is another each time', () => {
  const made = Array.from({ length: 50 }, newPassword);
  for (const password of made) expect(password).toMatch(/^[a-hj-km-np-z2-9]{5}(-[a-hj-km-np-z2-9]{5}){3}$/);
  expect(new Set(made).size).toBe(made.length);
});
