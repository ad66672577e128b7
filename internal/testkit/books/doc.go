// Package books is HQ's ledger on a private database, with terminals that write
// their journals in memory: what tests of ingest and ledger stand on.
//
// It promises the real path: batches are encoded, signed and pushed as a till's
// are. It must never be imported by anything that ships.
package books
