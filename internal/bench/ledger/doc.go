// Package ledger measures HQ from the first push to the last posting: what two
// cores take in and apply, what one sale alone waits, what an entry costs when
// millions are stored, and how a chain drains that comes back at once.
//
// It promises that every entry goes the real way (a real hq process, terminals that
// enrolled, proofs, zstd, signed batches), that a rate is of entries applied and
// never of entries accepted, that both engines sync to disk, and that the engine's
// own limit is taken in turns with the measurement.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package ledger
