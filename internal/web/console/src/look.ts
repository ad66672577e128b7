import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type Branding = components['schemas']['Branding'];
export type Change = components['schemas']['BrandingChange'];
export type Locale = 'en' | 'tr' | 'pl';
export const locales: readonly Locale[] = ['en', 'tr', 'pl'];

/** Draft is a look as it is typed: all fields are texts, so that nothing typed is lost. */
export interface Draft {
  version: number;
  programme: string;
  company: string;
  website: string;
  background: string;
  foreground: string;
  label: string;
  logo: string | undefined;
  icon: string | undefined;
  strip: string | undefined;
  stamps: boolean;
  unit: string;
  goal: string;
  texts: Record<Locale, { description: string; terms: string }>;
}

export function draftOf(b: Branding): Draft {
  const text = (l: Locale) => ({ description: b.texts[l]?.description ?? '', terms: b.texts[l]?.terms ?? '' });
  return {
    version: b.version,
    programme: b.programme,
    company: b.company,
    website: b.website ?? '',
    background: b.background,
    foreground: b.foreground,
    label: b.label,
    logo: b.pictures.logo,
    icon: b.pictures.icon,
    strip: b.pictures.strip,
    stamps: b.stamps !== undefined,
    unit: b.stamps?.unit ?? 'stamps',
    goal: String(b.stamps?.goal ?? 10),
    texts: { en: text('en'), tr: text('tr'), pl: text('pl') },
  };
}

const colour = /^#[0-9a-fA-F]{6}$/;
const goal = /^([1-9]|[12]\d|30)$/;

/** wrong are the fields that do not read as what they are. */
export function wrong(d: Draft): Set<string> {
  const out = new Set<string>();
  for (const f of ['background', 'foreground', 'label'] as const) if (!colour.test(d[f].trim())) out.add(f);
  if (d.stamps && !goal.test(d.goal.trim())) out.add('goal');
  return out;
}

/** changeOf is what is sent; a language of which nothing is written is left out. */
export function changeOf(d: Draft): Change {
  const text = (l: Locale) => {
    const { description, terms } = d.texts[l];
    return {
      description: description.trim() || d.texts.en.description.trim(),
      ...(terms.trim() && { terms: terms.trim() }),
    };
  };
  const written = (l: Locale) => (d.texts[l].description + d.texts[l].terms).trim() !== '';
  return {
    version: d.version,
    programme: d.programme.trim(),
    company: d.company.trim(),
    background: d.background.trim(),
    foreground: d.foreground.trim(),
    label: d.label.trim(),
    texts: { en: text('en'), ...(written('tr') && { tr: text('tr') }), ...(written('pl') && { pl: text('pl') }) },
    pictures: { ...(d.logo && { logo: d.logo }), ...(d.icon && { icon: d.icon }), ...(d.strip && { strip: d.strip }) },
    ...(d.website.trim() && { website: d.website.trim() }),
    ...(d.stamps && { stamps: { unit: d.unit.trim(), goal: Number(d.goal) } }),
  };
}
