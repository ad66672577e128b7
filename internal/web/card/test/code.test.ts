import { expect, test, vi } from 'vitest';
import { codeAt, importKeys, totp } from '../src/model/code.ts';

const rfc = () =>
  crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode('12345678901234567890'),
    { name: 'HMAC', hash: 'SHA-1' },
    false,
    ['sign'],
  );

// RFC 6238, appendix B, SHA-1.
test.each([
  [59, '94287082'],
  [1111111109, '07081804'],
  [1111111111, '14050471'],
  [1234567890, '89005924'],
  [2000000000, '69279037'],
  [20000000000, '65353130'],
])('the digits of %i are %s', async (unix, digits) => {
  expect(await totp(await rfc(), unix)).toBe(digits);
});

test('a code is text, moment and digits while a key is valid, and the text alone after', async () => {
  const keys = [{ key: await rfc(), notBefore: 1_000_000_000_000, notAfter: 1_300_000_000_000 }];
  expect(await codeAt('TS1ABC', keys, 1_234_567_890_123)).toEqual({ text: 'TS1ABC123456789089005924', rotating: true });
  expect(await codeAt('TS1ABC', keys, 1_300_000_000_000)).toEqual({ text: 'TS1ABC', rotating: false });
  expect(await codeAt('TS1ABC', [], 1_234_567_890_123)).toEqual({ text: 'TS1ABC', rotating: false });
});

test('a page without TLS has no keys, and shows the code that does not change', async () => {
  const sent = [
    { key: btoa('12345678901234567890'), not_before: '2001-09-09T01:46:40Z', not_after: '2011-03-13T07:06:40Z' },
  ];
  const [key] = await importKeys(sent);
  expect((await codeAt('TS1ABC', [key!], 1_234_567_890_123)).text).toBe('TS1ABC123456789089005924');
  vi.stubGlobal('crypto', {});
  try {
    expect(await importKeys(sent)).toEqual([]);
  } finally {
    vi.unstubAllGlobals();
  }
});
