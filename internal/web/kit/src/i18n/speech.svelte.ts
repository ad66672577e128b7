import { choose, fill, preferredLocale, locales, type Catalog, type Locale, type Plural } from './catalog.ts';
import { formatMoney, minorUnits } from '../money.ts';
import { unitNames } from './units.ts';

const storageKey = 'tallystick-locale';

/** Where a language's sentences are: here, or in a file that is fetched when somebody chooses it. */
export type Source<T> = Catalog<T> | (() => Promise<{ default: Catalog<T> }>);

/**
 * Speech says everything in the chosen language: `m` holds the sentences, the
 * methods write numbers, money and times. Reading it in a Svelte template follows a
 * change of language. Show the first sentence when `ready` says so, but do not await it in a module that the languages import from.
 */
export class Speech<T extends object> {
  #sources: Record<Locale, Source<T>>;
  #loaded: Partial<Record<Locale, Catalog<T>>>;
  #locale: Locale = $state('en');
  /** Resolves when the language of the start is there. */
  readonly ready: Promise<void>;

  constructor(sources: { en: T; tr: Source<T>; pl: Source<T> }) {
    this.#sources = sources as Record<Locale, Source<T>>;
    this.#loaded = { en: sources.en as Catalog<T> };
    const kept = localStorage.getItem(storageKey);
    this.ready = this.#show(locales.find((l) => l === kept) ?? preferredLocale(navigator.languages));
  }

  get locale(): Locale {
    return this.#locale;
  }

  /** choose changes the language and remembers it on this device. */
  async choose(locale: Locale): Promise<void> {
    localStorage.setItem(storageKey, locale);
    await this.#show(locale);
  }

  // A language that cannot be fetched now leaves the page as it is.
  async #show(locale: Locale): Promise<void> {
    const source = this.#sources[locale];
    if (!this.#loaded[locale]) {
      try {
        this.#loaded[locale] = typeof source === 'function' ? (await source()).default : source;
      } catch {
        return;
      }
    }
    this.#locale = locale;
    document.documentElement.lang = locale;
  }

  /** The sentences of the chosen language. */
  get m(): Catalog<T> {
    return this.#loaded[this.#locale]!;
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

  /** unit is what a unit is called, or its own name when no language knows it. */
  unit(name: string): string {
    return unitNames[this.#locale][name] ?? name;
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
