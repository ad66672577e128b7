// Quantities are whole thousandths of a piece: 1000 is one, 250 a quarter of a kilogram.

const most = 1_000_000_000_000;

/**
 * parsePieces reads how many pieces somebody typed, with point or comma. It is
 * undefined when nothing was typed or it is zero, and null when it is no such number.
 */
export function parsePieces(text: string): number | undefined | null {
  const parts = /^(\d{1,12})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  if (text.trim() === '') return undefined;
  if (!parts) return null;
  const thousandths = Number(parts[1]) * 1000 + Number((parts[2] ?? '').padEnd(3, '0'));
  if (thousandths > most) return null;
  return thousandths === 0 ? undefined : thousandths;
}

/** piecesText writes thousandths: 1500 is "1.5". */
export function piecesText(thousandths: number): string {
  return String(thousandths / 1000);
}
