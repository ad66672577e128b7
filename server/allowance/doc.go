// Package allowance decides which terminal may redeem what without asking: it gives
// rights ahead of need and when asked, asks for them back, takes them back, splits the
// stores' caps of stand-in into shares, and says what all of that can cost at most
// (docs/offline-protocol.md).
//
// It promises that a right is given out of what is free, in the transaction that
// journals it, that the same question gets the same answer, that after a restore
// nothing is given before it is known what was given before, and that the exposure it
// states is never below what can be lost.
//
// It must never import HTTP or a database: it names the storage it needs. What a right
// does to the books is package ledger's.
package allowance
