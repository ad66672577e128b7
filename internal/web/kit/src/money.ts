// Amounts are integers in the currency's minor unit everywhere; only here are they
// turned into text and back. Never a float: "12.30" is read digit by digit.

/** The largest amount the API takes, in minor units. */
export const maxMinor = Number.MAX_SAFE_INTEGER;

/** minorUnits is how many decimal digits a currency has (EUR 2, JPY 0, KWD 3). */
export function minorUnits(currency: string): number {
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2;
}

/** decimalText writes minor units as plain digits with a point: 1230 EUR is "12.30". */
export function decimalText(minor: number, currency: string): string {
  const digits = minorUnits(currency);
  const sign = minor < 0 ? '-' : '';
  const text = String(Math.abs(minor)).padStart(digits + 1, '0');
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** formatMoney writes an amount as the language does, exactly. */
export function formatMoney(minor: number, currency: string, locale: string): string {
  // Intl takes decimal text as it is, so no amount goes through a float.
  return new Intl.NumberFormat(locale, { style: 'currency', currency }).format(
    decimalText(minor, currency) as unknown as number,
  );
}

export type AmountError = 'empty' | 'not_a_number' | 'too_many_decimals' | 'too_large';

/**
 * parseAmount reads what a person typed, with point or comma, with or without
 * grouping. A separator that stands once is the decimal one: 12.500 is a digit too
 * many, and never twelve thousand. Of two different ones the last is.
 */
export function parseAmount(text: string, currency: string): { minor: number } | { error: AmountError } {
  const compact = text.replace(/[\s\u00a0\u202f'’]/g, '');
  if (compact === '') return { error: 'empty' };
  if (!/^[\d.,]*\d[\d.,]*$/.test(compact)) return { error: 'not_a_number' };
  const digits = minorUnits(currency);
  const at = decimalAt(compact);
  const whole = at < 0 ? compact : compact.slice(0, at);
  const fraction = at < 0 ? '' : compact.slice(at + 1);
  if (!/^(\d*|\d{1,3}(,\d{3})+|\d{1,3}(\.\d{3})+)$/.test(whole)) return { error: 'not_a_number' };
  if (fraction.length > digits) return { error: 'too_many_decimals' };
  const all = (whole.replace(/[.,]/g, '') + fraction.padEnd(digits, '0')).replace(/^0+(?=\d)/, '');
  if (all.length > 16 || Number(all) > maxMinor) return { error: 'too_large' };
  return { minor: Number(all) };
}

/** decimalAt is where the decimal separator stands, or -1. */
function decimalAt(text: string): number {
  const last = Math.max(text.lastIndexOf('.'), text.lastIndexOf(','));
  if (last < 0) return -1;
  const separators = text.replace(/\d/g, '');
  if (separators.length > 1) return separators.slice(0, -1).includes(separators.at(-1)!) ? -1 : last;
  return last;
}
