/** isCurrency tells a currency from a unit by its three capitals. */
export const isCurrency = (measure: string): boolean => /^[A-Z]{3}$/.test(measure);

/** measured is what was typed as a unit or a currency; nothing is neither. */
export function measured(typed: string): { unit?: string; currency?: string } {
  if (!typed) return {};
  return isCurrency(typed) ? { currency: typed } : { unit: typed };
}

/** through is the last second of a day on this device's clock: what is due on a day is due by its end. */
export const through = (day: string): string => new Date(`${day}T23:59:59`).toISOString();
