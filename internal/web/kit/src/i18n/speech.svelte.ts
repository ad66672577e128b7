import { choose, fill, preferredLocale, locales, type Catalog, type Locale, type Plural } from './catalog.ts';
import { formatMoney, minorUnits } from '../money.ts';

const storageKey = 'tallystick-locale';

/**
 * Speech says everything in the chosen language: `m` holds the sentences, the
 * methods write numbers, money and times. Reading it in a Svelte template follows a
 * change of language.
 */
export class Speech<T extends object> {
  #catalogs: { en: T; tr: Catalog<T>; pl: Catalog<T> };
  #locale: Locale = $state('en');

  constructor(catalogs: { en: T; tr: Catalog<T>; pl: Catalog<T> }) {
    this.#catalogs = catalogs;
    const kept = localStorage.getItem(storageKey);
    this.locale = locales.find((l) => l === kept) ?? preferredLocale(navigator.languages);
  }

  get locale(): Locale {
    return this.#locale;
  }
  set locale(locale: Locale) {
    this.#locale = locale;
    document.documentElement.lang = locale;
  }

  /** choose changes the language and remembers it on this device. */
  choose(locale: Locale): void {
    this.locale = locale;
    localStorage.setItem(storageKey, locale);
  }

  /** The sentences of the chosen language. */
  get m(): Catalog<T> {
    return this.#catalogs[this.#locale] as Catalog<T>;
  }

  /** f fills the `{names}` of a sentence. */
  f(text: string, values: Record<string, string | number>): string {
    return fill(text, values);
  }

  /** n says a counted sentence; `{n}` is the number as written in this language. */
  n(forms: Plural, n: number, values: Record<string, string | number> = {}): string {
    return fill(choose(this.#locale, forms, n), { n: this.number(n), ...values });
  }

  number(n: number): string {
    return new Intl.NumberFormat(this.#locale).format(n);
  }

  percent(share: number): string {
    return new Intl.NumberFormat(this.#locale, { style: 'percent', maximumFractionDigits: 1 }).format(share);
  }

  /** money writes an amount in minor units. */
  money(minor: number, currency: string): string {
    return formatMoney(minor, currency, this.#locale);
  }

  /** decimals is how many digits of a currency's amounts stand after the point. */
  decimals(currency: string): number {
    return minorUnits(currency);
  }

  date(at: string | Date): string {
    return new Intl.DateTimeFormat(this.#locale, { dateStyle: 'medium' }).format(new Date(at));
  }

  /** day writes a business date (YYYY-MM-DD), which has no time zone. */
  day(date: string): string {
    return new Intl.DateTimeFormat(this.#locale, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(date));
  }

  time(at: string | Date): string {
    return new Intl.DateTimeFormat(this.#locale, { timeStyle: 'short' }).format(new Date(at));
  }

  moment(at: string | Date): string {
    return new Intl.DateTimeFormat(this.#locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(at));
  }

  /** span says how long something took or how old it is, in its largest fitting unit. */
  span(seconds: number): string {
    const steps: [Intl.NumberFormatOptions['unit'], number][] = [
      ['day', 86_400],
      ['hour', 3_600],
      ['minute', 60],
      ['second', 1],
    ];
    const [unit, size] = steps.find(([, s]) => seconds >= s) ?? steps[3]!;
    return new Intl.NumberFormat(this.#locale, { style: 'unit', unit, unitDisplay: 'long' }).format(
      Math.floor(seconds / size),
    );
  }
}
