// Package claim gives what a sale without a card earned to the member who shows its
// receipt first.
//
// It promises that a receipt is claimed once, by the first good claim that HQ takes in,
// in whatever order sale, claims, voids and returns come; that every other claim is an
// exception and gives nothing; and that what comes back of the sale is taken from whoever
// claimed it, once.
//
// It must never import HTTP or a database: it names the storage it needs. What a claimed
// sale earns is package ledger's.
package claim
