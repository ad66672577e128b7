import { describe, expect, it } from 'vitest';
import { offered, phoneOf } from '../src/model/phone.ts';

const agents = {
  apple:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/27.0 Mobile/15E148 Safari/604.1',
  android:
    'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Mobile Safari/537.36',
  other:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
};

describe('wallets', () => {
  it('reads the phone from the user agent', () => {
    for (const [phone, agent] of Object.entries(agents)) expect(phoneOf(agent)).toBe(phone);
    expect(phoneOf('')).toBe('other');
  });

  it('offers what is set up and what the phone has', () => {
    const both = { apple: true, google: true };
    expect(offered('apple', both)).toEqual(['apple']);
    expect(offered('android', both)).toEqual(['google']);
    expect(offered('other', both)).toEqual(['apple', 'google']);
    expect(offered('apple', { apple: false, google: true })).toEqual([]);
    expect(offered('other', { apple: false, google: false })).toEqual([]);
  });
});
