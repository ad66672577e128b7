// Package webshop lets a web shop sell under the till's rules. It is some terminals
// of HQ's own for each store, virtual ones: their keys are HQ's, their entries are chained, signed and taken
// in like those of any other terminal, and everything after that is the same.
//
// It promises that a sale is decided over the live books, under the lock of the
// account, and posted in the same transaction: nothing is redeemed twice and no cap
// of stand-in is needed. What is not free is refused.
//
// It must never import HTTP or a database: it names the storage it needs.
package webshop
