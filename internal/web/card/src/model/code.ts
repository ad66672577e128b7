// The code a card shows. It changes every 30 seconds and needs no network: HQ gave
// this browser the member's key of each freshness epoch, and the browser computes the
// rotating part as a wallet does (RFC 6238, SHA-1, 30 s, 8 digits).

/** The period of a code, in seconds. */
export const stepSeconds = 30;
const digits = 8;

/** EpochKey is a member's key of one freshness epoch. The browser can use it and not give it away. */
export interface EpochKey {
  key: CryptoKey;
  notBefore: number;
  notAfter: number;
}

/**
 * importKeys takes keys as HQ sends them, base64. A page that came without TLS from
 * another machine cannot compute with keys: it gets none, and shows the code that does
 * not change.
 */
export async function importKeys(sent: { key: string; not_before: string; not_after: string }[]): Promise<EpochKey[]> {
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) return [];
  return Promise.all(
    sent.map(async ({ key, not_before, not_after }) => {
      const raw = Uint8Array.from(atob(key), (c) => c.charCodeAt(0));
      return {
        key: await subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign']),
        notBefore: Date.parse(not_before),
        notAfter: Date.parse(not_after),
      };
    }),
  );
}

/** totp computes the digits of a moment, in Unix seconds. */
export async function totp(key: CryptoKey, unix: number): Promise<string> {
  const counter = new DataView(new ArrayBuffer(8));
  counter.setBigUint64(0, BigInt(Math.floor(unix / stepSeconds)));
  const mac = new DataView(await crypto.subtle.sign('HMAC', key, counter));
  const offset = mac.getUint8(mac.byteLength - 1) & 15;
  const number = (mac.getUint32(offset) & 0x7fffffff) % 10 ** digits;
  return String(number).padStart(digits, '0');
}

/** Shown is a code as it is drawn. */
export interface Shown {
  text: string;
  rotating: boolean;
}

/**
 * codeAt is what the card shows at a moment (Unix milliseconds): the text, the moment
 * and its digits. With no key for that moment it is the text alone, which tills trust less.
 */
export async function codeAt(text: string, keys: EpochKey[], at: number): Promise<Shown> {
  const epoch = keys.find((k) => k.notBefore <= at && at < k.notAfter);
  if (!epoch) return { text, rotating: false };
  const unix = Math.floor(at / 1000);
  return { text: text + String(unix).padStart(10, '0') + (await totp(epoch.key, unix)), rotating: true };
}
