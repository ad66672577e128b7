import type { Snippet } from 'svelte';

/** Column describes one column of a Table: give `cell` to draw a row's value, or `text` to write it. */
export interface Column<Row> {
  id: string;
  title: string;
  /** The server sorts by this name; missing: the column cannot be sorted. */
  sort?: string;
  /** Numbers stand at the end. */
  align?: 'start' | 'end';
  cell?: Snippet<[Row]>;
  text?: (row: Row) => string;
}
