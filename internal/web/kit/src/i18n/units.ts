import type { Locale } from './catalog.ts';

/** What units are called. A programme may have others; those are called as it calls them. */
export const unitNames: Record<Locale, Record<string, string>> = {
  en: { points: 'points', stamps: 'stamps' },
  tr: { points: 'puan', stamps: 'damga' },
  pl: { points: 'punkty', stamps: 'pieczątki' },
};
