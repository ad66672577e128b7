import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type EntryProof = components['schemas']['EntryProof'];

/** What checking a proof found: `chain` when the browser cannot check signatures. */
export type Verdict = 'holds' | 'chain' | 'broken' | 'insecure';

const entryDomain = 'tallystick entry v1\0';
const checkpointDomain = 'tallystick checkpoint v1\0';

export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const pairs = text.replaceAll('-', '').match(/../g) ?? [];
  return new Uint8Array(pairs.map((p) => parseInt(p, 16)));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function number(value: number, size: 4 | 8): Uint8Array {
  const out = new DataView(new ArrayBuffer(size));
  if (size === 4) out.setUint32(0, value);
  else out.setBigUint64(0, BigInt(value));
  return new Uint8Array(out.buffer);
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** verify checks a proof from its bytes alone (docs/journal-format.md). */
export async function verify(proof: EntryProof): Promise<Verdict> {
  if (!globalThis.crypto?.subtle) return 'insecure';
  const text = new TextEncoder();
  const writer = joined(fromHex(proof.writer), number(proof.epoch, 4));
  let at = fromHex(proof.previous);
  for (const step of proof.steps) {
    const message = joined(text.encode(entryDomain), writer, number(step.seq, 8), at, fromBase64(step.bytes));
    at = new Uint8Array(await crypto.subtle.digest('SHA-256', message));
    if (toHex(at) !== step.hash) return 'broken';
  }
  if (toHex(at) !== proof.head || proof.steps.at(-1)?.seq !== proof.last) return 'broken';
  const signed = joined(text.encode(checkpointDomain), writer, number(proof.first, 8), number(proof.last, 8), at);
  try {
    const key = await crypto.subtle.importKey('raw', fromHex(proof.public_key), 'Ed25519', false, ['verify']);
    return (await crypto.subtle.verify('Ed25519', key, fromHex(proof.signature), signed)) ? 'holds' : 'broken';
  } catch {
    return 'chain'; // a browser without Ed25519
  }
}
