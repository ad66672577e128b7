import { done } from '@tallystick/kit/api/client.ts';
import { hq } from './hq.ts';

/** Cells are a row of a list by the names of its columns. */
export type Cells = Record<string, string | number | boolean | null>;

export interface Rows {
  rows: Cells[];
  next: string | undefined;
}

/** Narrowed are the filters of a list; empty ones are left out. */
export type Narrowed = Record<string, string | undefined>;

/** orderOf turns a table's sort into the API's: plainly named columns begin with the least. */
export function orderOf(sort: string | undefined): string | undefined {
  return sort && !sort.startsWith('-') ? `+${sort}` : sort;
}

export function given(filters: Narrowed): Record<string, string> {
  return Object.fromEntries(Object.entries(filters).filter((e): e is [string, string] => Boolean(e[1])));
}

/**
 * edge is the moment at which the days of a filter begin, or the one behind them. Days are whole
 * days of this device's time zone; business dates are days of UTC for head office.
 */
export function edge(kind: 'from' | 'to', value: string, dates = false): string | undefined {
  const day = new Date(`${value}T00:00:00${dates ? 'Z' : ''}`);
  if (Number.isNaN(day.valueOf())) return undefined;
  if (kind === 'to' && dates) day.setUTCDate(day.getUTCDate() + 1);
  else if (kind === 'to') day.setDate(day.getDate() + 1);
  return day.toISOString();
}

export async function readList(
  list: string,
  filters: Narrowed,
  page: { sort?: string | undefined; cursor?: string | undefined; limit?: number },
  signal: AbortSignal,
): Promise<Rows> {
  const query = given({ ...filters, order: orderOf(page.sort), cursor: page.cursor });
  const answer = await done(
    hq.GET('/lists/{list}', { params: { path: { list }, query: { ...query, limit: page.limit ?? 50 } }, signal }),
  );
  const names = answer.columns.map((c) => c.name);
  return {
    rows: answer.rows.map((row) => Object.fromEntries(row.map((cell, i) => [names[i]!, cell as Cells[string]]))),
    next: answer.next,
  };
}
