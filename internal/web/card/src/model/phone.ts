/** What a browser says it runs on, as far as wallets care. */
export type Phone = 'apple' | 'android' | 'other';

/**
 * phoneOf reads the user agent. Only iPhones have Apple's Wallet for passes; an iPad says
 * that it is a Mac, and gets all offers, as does everything unknown.
 */
export function phoneOf(agent: string): Phone {
  if (/\biP(hone|od)\b/.test(agent)) return 'apple';
  return /\bAndroid\b/.test(agent) ? 'android' : 'other';
}

/** offered says which wallets to offer: that of the phone, or all where it is not known. */
export function offered(phone: Phone, wallets: { apple: boolean; google: boolean }): ('apple' | 'google')[] {
  return (['apple', 'google'] as const).filter(
    (w) => wallets[w] && (phone === 'other' || (phone === 'apple') === (w === 'apple')),
  );
}
