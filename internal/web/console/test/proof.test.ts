import { describe, expect, it } from 'vitest';
import { fromHex, toHex, verify, type EntryProof } from '../src/proof.ts';

const writer = '01920000-0000-7000-8000-000000000001';
const words = (text: string) => toHex(new TextEncoder().encode(text));
const number = (n: number, size: number) => n.toString(16).padStart(size * 2, '0');

/** proved is a journal of three entries, made as docs/journal-format.md says, in hexadecimal. */
async function proved(): Promise<EntryProof> {
  const { publicKey, privateKey } = (await crypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as CryptoKeyPair;
  const id = writer.replaceAll('-', '') + number(2, 4);
  const previous = '07'.repeat(32);
  let at = previous;
  const steps: EntryProof['steps'] = [];
  for (const seq of [41, 42, 43]) {
    const entry = `entry ${seq}`;
    const message = words('tallystick entry v1\0') + id + number(seq, 8) + at + words(entry);
    at = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', fromHex(message))));
    steps.push({ seq, bytes: btoa(entry), hash: at });
  }
  const signed = fromHex(words('tallystick checkpoint v1\0') + id + number(40, 8) + number(43, 8) + at);
  return {
    writer,
    epoch: 2,
    previous,
    steps,
    first: 40,
    last: 43,
    head: at,
    public_key: toHex(new Uint8Array(await crypto.subtle.exportKey('raw', publicKey))),
    signature: toHex(new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, signed))),
    recorded_at: '2026-01-01T00:00:00Z',
    holds: true,
  };
}

describe('verify', () => {
  it('takes a chain that leads to a signed head', async () => {
    expect(await verify(await proved())).toBe('holds');
  });
  const changes: Record<string, (p: EntryProof) => void> = {
    'a byte of an entry': (p) => (p.steps[1]!.bytes = btoa('entry 4x')),
    'an entry left out': (p) => p.steps.splice(1, 1),
    'entries cut off at the end': (p) => p.steps.pop(),
    'another entry before': (p) => (p.previous = toHex(new Uint8Array(32))),
    'another writer': (p) => (p.writer = writer.replace(/1$/, '2')),
    'another number': (p) => (p.steps[0]!.seq = 40),
    'another head': (p) => (p.head = p.previous),
    'the run turned round': (p) => (p.first = 39),
    'a signature of something else': (p) => (p.signature = p.signature.replace(/^../, '00')),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`refuses ${what}`, async () => {
      const p = await proved();
      change(p);
      expect(await verify(p)).toBe('broken');
    });
  }
});
