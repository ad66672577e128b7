import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type Party = components['schemas']['Party'];
export type Sort = components['schemas']['SettlementSort'];
export type Term = components['schemas']['SettlementTermNew'];

export const sorts: Sort[] = ['price', 'assignment', 'rate', 'fee', 'tax', 'account'];

/** What is typed about a term; every sort uses some of it. */
export interface Typed {
  from: string;
  store: string;
  party: string;
  unit: string;
  currency: string;
  per_thousand: string;
  code: string;
  payer: string;
  basis_points: string;
  base: string;
  quote: string;
  rate: string;
  source: string;
  role: string;
}

export const fieldsOf: Record<Sort, (keyof Typed)[]> = {
  price: ['from', 'unit', 'currency', 'per_thousand'],
  assignment: ['from', 'store', 'party'],
  rate: ['from', 'base', 'quote', 'rate', 'source'],
  fee: ['from', 'code', 'unit', 'payer', 'basis_points', 'per_thousand', 'currency'],
  tax: ['from', 'party', 'basis_points'],
  account: ['role', 'party', 'code'],
};

export const blankTerm = (): Typed => ({
  from: '',
  store: '',
  party: '',
  unit: '',
  currency: '',
  per_thousand: '',
  code: '',
  payer: 'honouring',
  basis_points: '',
  base: '',
  quote: '',
  rate: '',
  source: '',
  role: 'receivable',
});

/** The id of the programme, which is all zeros. */
export const programme = '00000000-0000-0000-0000-000000000000';
const whole = (text: string) => Number(text.trim() || '0');

/** termOf is what was typed as head office takes it; what cannot be is refused there. */
export function termOf(sort: Sort, t: Typed): Term {
  switch (sort) {
    case 'price':
      return {
        price: { unit: t.unit, currency: t.currency, from: t.from, per_thousand: whole(t.per_thousand) },
      };
    case 'assignment':
      return { assignment: { store: t.store, party: t.party, from: t.from } };
    case 'rate':
      return { rate: { base: t.base, quote: t.quote, from: t.from, rate: t.rate, source: t.source } };
    case 'fee':
      return {
        fee: {
          code: t.code,
          from: t.from,
          payer: t.payer as 'honouring' | 'issuing',
          basis_points: whole(t.basis_points),
          per_thousand: whole(t.per_thousand),
          ...(t.unit && { unit: t.unit }),
          ...(t.currency && { currency: t.currency }),
        },
      };
    case 'tax':
      return { tax: { party: t.party, from: t.from, basis_points: whole(t.basis_points) } };
    case 'account':
      return {
        account: {
          role: t.role as NonNullable<Term['account']>['role'],
          code: t.code,
          ...(t.party && t.party !== programme && { party: t.party }),
        },
      };
  }
}

/** saysOf is a term in three cells: from when, about what, and what. */
export function saysOf(t: Term, codes: Map<string, string>): { from: string; about: string; value: string } {
  const code = (id: string) => codes.get(id) ?? id;
  const percent = (points: number | undefined) => (points ? `${points / 100} %` : '');
  if (t.price)
    return { from: t.price.from, about: `${t.price.unit}, ${t.price.currency}`, value: String(t.price.per_thousand) };
  if (t.assignment) return { from: t.assignment.from, about: t.assignment.store, value: code(t.assignment.party) };
  if (t.rate)
    return { from: t.rate.from, about: `${t.rate.base} → ${t.rate.quote}`, value: `${t.rate.rate} (${t.rate.source})` };
  if (t.fee) {
    const fixed = t.fee.per_thousand ? `${t.fee.per_thousand} ${t.fee.currency ?? ''}` : '';
    return {
      from: t.fee.from,
      about: [t.fee.code, t.fee.unit, t.fee.payer].filter(Boolean).join(', '),
      value: [percent(t.fee.basis_points), fixed].filter(Boolean).join(' + ') || '0',
    };
  }
  if (t.tax) return { from: t.tax.from, about: code(t.tax.party), value: percent(t.tax.basis_points) || '0 %' };
  if (t.account)
    return {
      from: '',
      about: `${t.account.role}${t.account.party ? `, ${code(t.account.party)}` : ''}`,
      value: t.account.code,
    };
  return { from: '', about: '', value: '' };
}
