import { describe, expect, it } from 'vitest';
import { changeOf, draftOf, wrong, type Branding } from '../src/look.ts';

const stored: Branding = {
  version: 3,
  programme: 'Club',
  company: 'Shop',
  background: '#14594a',
  foreground: '#ffffff',
  label: '#a3e4cd',
  texts: { en: { description: 'Card', terms: 'Be kind.' }, tr: { description: 'Kart' } },
  pictures: { logo: 'a'.repeat(64) },
  warnings: [],
};

describe('a draft', () => {
  it('sends what is stored when nothing is typed', () => {
    const { warnings, ...rest } = stored;
    expect(warnings).toEqual([]);
    expect(changeOf(draftOf(stored))).toEqual(rest);
  });
  it('leaves out what is empty, and says a language without a description in English', () => {
    const draft = draftOf({ ...stored, website: 'https://x.example', stamps: { unit: 'stamps', goal: 8 } });
    expect(changeOf(draft)).toMatchObject({ website: 'https://x.example', stamps: { unit: 'stamps', goal: 8 } });
    draft.website = ' ';
    draft.stamps = false;
    draft.logo = undefined;
    draft.texts.tr = { description: '', terms: '' };
    draft.texts.pl = { description: '', terms: 'Warunki' };
    const change = changeOf(draft);
    expect(change).not.toHaveProperty('website');
    expect(change).not.toHaveProperty('stamps');
    expect(change.pictures).toEqual({});
    expect(change.texts).toEqual({
      en: { description: 'Card', terms: 'Be kind.' },
      pl: { description: 'Card', terms: 'Warunki' },
    });
  });
  it('knows colours and goals that cannot be read', () => {
    const draft = { ...draftOf(stored), background: 'red', label: '#FFF', goal: '31', stamps: true };
    expect([...wrong(draft)].sort()).toEqual(['background', 'goal', 'label']);
    expect([...wrong({ ...draft, background: '#AbCdEf', label: ' #000000', goal: '30' })]).toEqual([]);
    expect([...wrong({ ...draft, background: '#000000', label: '#000000', stamps: false })]).toEqual([]);
  });
});
