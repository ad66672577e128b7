import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type Tiers = components['schemas']['Tiers'];
export type TiersChange = components['schemas']['TiersChange'];
export type MemberTier = components['schemas']['MemberTier'];
type Names = components['schemas']['TierNames'];

export const languages = ['en', 'tr', 'pl'] as const;

/** Row is a tier as it is typed. A key stays for good; a new tier has none yet. */
export interface Row {
  id: number;
  key: string;
  names: Record<(typeof languages)[number], string>;
  threshold: string;
  colour: string;
}

/** Draft is what is typed of the tiers. */
export interface Draft {
  unit: string;
  period: 'year' | 'days';
  days: string;
  zone: string;
  rows: Row[];
}

let last = 0;

export function newRow(): Row {
  return { id: ++last, key: '', names: { en: '', tr: '', pl: '' }, threshold: '', colour: '' };
}

/** draftOf is what the form says of the tiers in force. */
export function draftOf(t: Tiers, zone: string): Draft {
  return {
    unit: t.unit || 'points',
    period: t.version > 0 && t.days === 0 ? 'year' : 'days',
    days: String(t.days || 365),
    zone: t.version > 0 ? t.zone : zone,
    rows: t.levels.map((l) => ({
      id: ++last,
      key: l.key,
      names: { en: l.names.en, tr: l.names.tr ?? '', pl: l.names.pl ?? '' },
      threshold: String(l.threshold),
      colour: l.colour ?? '',
    })),
  };
}

/** keyOf makes the key of a new tier from its English name, unlike all others. */
export function keyOf(name: string, taken: readonly string[]): string {
  const plain = name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
    .slice(0, 28);
  const key = plain || 'tier';
  for (let n = 1; ; n++) {
    const tried = n === 1 ? key : `${key}_${n}`;
    if (!taken.includes(tried)) return tried;
  }
}

/** changeOf is what the form says to head office, or which fields cannot be read. */
export function changeOf(d: Draft): { change: TiersChange } | { wrong: Set<string> } {
  const wrong = new Set<string>();
  if (!/^[a-z][a-z0-9_]{0,31}$/.test(d.unit.trim())) wrong.add('unit');
  const days = d.period === 'year' ? 0 : Number(d.days);
  if (d.period === 'days' && (!/^\d{1,4}$/.test(d.days.trim()) || days < 1 || days > 1096)) wrong.add('days');
  if (d.zone.trim() === '') wrong.add('zone');
  const taken = d.rows.map((r) => r.key).filter(Boolean);
  let before = -1;
  const levels = d.rows.map((r) => {
    const threshold = /^\d{1,13}$/.test(r.threshold.trim()) ? Number(r.threshold) : -1;
    if (threshold <= before) wrong.add(`${r.id}.threshold`);
    before = Math.max(before, threshold);
    if (r.names.en.trim() === '') wrong.add(`${r.id}.en`);
    if (r.colour !== '' && !/^#[0-9a-f]{6}$/.test(r.colour)) wrong.add(`${r.id}.colour`);
    const names: Names = { en: r.names.en.trim() };
    if (r.names.tr.trim()) names.tr = r.names.tr.trim();
    if (r.names.pl.trim()) names.pl = r.names.pl.trim();
    const key = r.key || keyOf(names.en, taken);
    taken.push(key);
    return { key, names, threshold, ...(r.colour ? { colour: r.colour } : {}) };
  });
  if (wrong.size > 0) return { wrong };
  return { change: { unit: d.unit.trim(), days, zone: d.zone.trim(), levels } };
}

/** nameIn is what a tier is called in a language. */
export const nameIn = (names: Names, locale: string) => names[locale as keyof Names] ?? names.en;
