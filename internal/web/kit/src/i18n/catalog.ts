/** The languages of all pages. */
export const locales = ['en', 'tr', 'pl'] as const;
export type Locale = (typeof locales)[number];

/** What each language calls itself. */
export const localeNames: Record<Locale, string> = { en: 'English', tr: 'Türkçe', pl: 'Polski' };

/** Plural holds the forms of a counted sentence, by the names of Intl.PluralRules. `{n}` stands for the number. */
export interface Plural {
  one?: string;
  few?: string;
  many?: string;
  other: string;
}

/** Catalog is the shape of `T` with any texts in it: a language that misses a sentence does not compile. */
export type Catalog<T> = {
  [K in keyof T]: T[K] extends string ? string : T[K] extends Plural ? Plural : Catalog<T[K]>;
};

/** fill puts values where `{name}` stands. A name without a value stays as it is, so that it is seen. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** choose picks the form of a counted sentence. */
export function choose(locale: Locale, forms: Plural, n: number): string {
  const rule = new Intl.PluralRules(locale).select(n);
  return (rule in forms ? forms[rule as keyof Plural] : undefined) ?? forms.other;
}

/** preferredLocale picks the first language of the browser that the pages speak. */
export function preferredLocale(languages: readonly string[]): Locale {
  for (const language of languages) {
    const base = language.toLowerCase().split('-')[0];
    const known = locales.find((l) => l === base);
    if (known) return known;
  }
  return 'en';
}
