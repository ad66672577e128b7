// Package entry fixes what a journal entry says: the envelope every entry has and
// the body of each kind, as deterministic CBOR (RFC 8949 §4.2.1) with integer keys.
//
// It promises that layouts only grow. A key keeps its meaning for ever, a new
// meaning takes a new key or a new kind, and a reader ignores keys it does not
// know. Bytes are never re-encoded: who keeps or hashes an entry keeps and hashes
// what was written.
//
// Personal data and free text have no place in an entry: members and accounts
// are UUIDs, reasons are numbers.
//
// It must never import anything but clock, and never keep, chain or sign an entry;
// that is package journal.
package entry
