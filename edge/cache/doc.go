// Package cache keeps the till's derived state in Badger. It is the only room that
// knows Badger. Everything in it can be rebuilt from the journal and from HQ.
//
// It promises:
//
//   - Apply is atomic: all changes of a batch or none, whatever stops the process.
//   - What it gives was written: every value carries a CRC-32C over its key and
//     itself, and batches are numbered, so that damage and holes are found, never
//     passed on. A damaged store is moved aside and an empty one begun; Open says so.
//   - A power cut takes back whole batches from the end, as a rule none before the
//     last Sync; batches missing from the middle count as damage. Badger runs without SyncWrites: the journal is the truth and is
//     synced for each sale, a second sync would only make each sale slower. The
//     journal position is in the same batch as what it leads to, so the till takes
//     in again what was lost.
//   - When a write fails or takes longer than [WriteLimit], the store ends for good
//     (Done, Err). The process must exit: Badger may show a write that failed.
//
// On disk, below the directory given to Open:
//
//	db/           the Badger directory
//	damaged-NNNN/ stores moved aside, the last two
//	suspect       a mark: damage was read; the next Open moves db aside
//	opening       one byte, '!' while the store is being opened: found so, it ended
//	              the last process, and Open moves db aside. Locked while it is open.
//
// Keys are one byte of table (till.Table, 1 and up) and the key of the till. Table 0
// is the cache's own: "schema" → till.Schema, and "b" ‖ (n mod 16384, two bytes) → n
// of batch n. Values are four bytes of CRC-32C (big endian, over key and value) and
// the till's value.
//
// It must never import anything of edge but till, and never interpret a value.
package cache
