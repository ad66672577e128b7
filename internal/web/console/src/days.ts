import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

type State = components['schemas']['BusinessDay']['state'];

/** How a day looks: never by its colour alone. */
export const symbols: Record<State, string> = {
  open: '○',
  waiting: '…',
  exceptions: '!',
  matched: '=',
  certified: '✓',
};
export const tones = {
  open: 'plain',
  waiting: 'warn',
  exceptions: 'bad',
  matched: 'accent',
  certified: 'good',
} as const satisfies Record<State, string>;

/** monthOf reads YYYY-MM; what is none is this month. */
export function monthOf(text: string | undefined, now = new Date()): string {
  if (text && /^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return text;
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}`;
}

/** inMonth lists the dates of a month as YYYY-MM-DD. */
export function inMonth(month: string): string[] {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  return Array.from({ length: last }, (_, i) => `${month}-${String(i + 1).padStart(2, '0')}`);
}

export interface Figures {
  date: string;
  entries: number;
  money?: { kind: string; currency: string; count: number; total: number; discount: number }[];
  amounts?: { kind: string; flow: string; unit: string; basis?: string; count: number; amount: number }[];
}

/** What a certificate says, as far as it is shown here. */
export interface Certificate {
  hq_epoch?: number;
  journals: {
    terminal: string;
    name: string;
    epoch: number;
    first: number;
    last: number;
    over?: string;
    gap?: object;
    forks?: { branch: number; first: number; last: number; head: string }[];
  }[];
  day: Figures;
  late?: Figures[];
  exceptions?: { kind: string; open: number; settled: number; amount: number }[];
  differences?: number;
}

/** said reads what a certificate says. Its signature is for others to check: this page has it from head office itself. */
export function said(jwt: string): Certificate {
  const payload = jwt.split('.')[1] ?? '';
  const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Certificate;
}

export type Standing = components['schemas']['PosDay']['state'];

/** How a day matches the till software's books, as a mark that is told without colour too. */
export const bookMarks = { waiting: '…', differences: '≠', settled: '≈', matched: '=' } as const satisfies Record<
  Standing,
  string
>;

export const bookTones = {
  waiting: 'plain',
  differences: 'bad',
  settled: 'warn',
  matched: 'good',
} as const satisfies Record<Standing, string>;

/** booksOf is the address of what the books of a day have otherwise, settled or not. */
export function booksOf(store: string, date: string): string {
  const query = new URLSearchParams({ store, state: '*', from: date, to: date });
  return `/console/books?${[...query].map(([k, v]) => `pos_results.${k}=${v}`).join('&')}`;
}
