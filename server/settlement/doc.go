// Package settlement keeps what franchisees, stores and the programme owe each other: it
// follows the ledger, draws the line under a month, and keeps numbered statements that
// never change. What a posting means in money is decided in package clearing.
//
// It promises that each posting counts in one month and once, however often a round is
// repeated; that a locked month stays as it is, and what becomes known later is a note of
// the next one; and that the numbers of a party's documents have no gaps in a year.
//
// It must never import a database driver, HTTP, or server/store.
package settlement
