// What this browser keeps of a card, so that it shows it without network. It is no
// record of anything: HQ's answer replaces it.
import { openDB, type IDBPDatabase } from 'idb';
import type { Card } from './hq.ts';
import type { EpochKey } from './code.ts';

/** Kept is a card as HQ last told it, without its keys in the clear. */
export interface Kept {
  card: Card;
  keys: EpochKey[];
  /** How far this device's clock is ahead of HQ's, in milliseconds. */
  ahead: number;
}

const store = 'card';
const only = 'mine';

let opened: Promise<IDBPDatabase> | undefined;
function database(): Promise<IDBPDatabase> {
  opened ??= openDB('tallystick-card', 1, { upgrade: (db) => void db.createObjectStore(store) });
  return opened;
}

export async function read(): Promise<Kept | undefined> {
  return (await database()).get(store, only);
}

export async function write(kept: Kept): Promise<void> {
  await (await database()).put(store, kept, only);
}

export async function forget(): Promise<void> {
  await (await database()).delete(store, only);
}
