// Package ledger is HQ's points ledger: it turns facts (entries of terminals and of
// HQ) into postings, exactly once, and proves it from the stored bytes.
//
// It promises that a fact changes the ledger once however often its entry is
// applied (the source key is inserted in the transaction that posts), that facts
// are never refused (what a holding cannot bear goes to its overdraft or to
// suspense, with an exception), and that per unit all books always sum to zero.
// What a holding does is decided by pure functions in package loyalty.
//
// It must never import a database driver, HTTP, or server/store; it names the
// storage it needs in [Store].
package ledger
