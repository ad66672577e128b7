import { expect, test } from 'vitest';
import { changeOf, draftOf, keyOf, nameIn, newRow } from '../src/tiers.ts';

const inForce = {
  version: 3,
  unit: 'points',
  days: 0,
  zone: 'Europe/Warsaw',
  levels: [
    { key: 'base', names: { en: 'Member', pl: 'Uczestnik' }, threshold: 0 },
    { key: 'gold', names: { en: 'Gold' }, threshold: 500, colour: '#d4af37' },
  ],
};

test('what is in force comes back as it was', () => {
  const { version: _, ...rest } = inForce;
  expect(changeOf(draftOf(inForce, 'UTC'))).toEqual({ change: rest });
});

test('before the first there is an empty form with the zone of the reader', () => {
  const draft = draftOf({ version: 0, unit: '', days: 0, zone: 'UTC', levels: [] }, 'Europe/Istanbul');
  expect(changeOf(draft)).toEqual({ change: { unit: 'points', days: 365, zone: 'Europe/Istanbul', levels: [] } });
});

test('a new tier gets a key of its own from its name', () => {
  expect(keyOf('Gold', [])).toBe('gold');
  expect(keyOf('Gold', ['gold'])).toBe('gold_2');
  expect(keyOf('24 Karat!', [])).toBe('karat');
  expect(keyOf('Złoty Członek', [])).toBe('z_oty_cz_onek');
  expect(keyOf('金', [])).toBe('tier');
  const draft = draftOf(inForce, 'UTC');
  draft.rows.push({ ...newRow(), names: { en: 'Gold', tr: '', pl: '' }, threshold: '900' });
  expect(changeOf(draft)).toMatchObject({ change: { levels: [{ key: 'base' }, { key: 'gold' }, { key: 'gold_2' }] } });
});

test('what cannot be read is named by its field', () => {
  const draft = draftOf(inForce, 'UTC');
  const [first, second] = draft.rows;
  Object.assign(draft, { unit: 'Points!', period: 'days', days: '1097', zone: ' ' });
  first!.names.en = '';
  second!.threshold = '0';
  second!.colour = 'gold';
  expect(changeOf(draft)).toEqual({
    wrong: new Set(['unit', 'days', 'zone', `${first!.id}.en`, `${second!.id}.threshold`, `${second!.id}.colour`]),
  });
});

test('a name that a language has not is the English one', () => {
  expect(nameIn({ en: 'Gold', pl: 'Złoty' }, 'pl')).toBe('Złoty');
  expect(nameIn({ en: 'Gold', pl: 'Złoty' }, 'tr')).toBe('Gold');
});
