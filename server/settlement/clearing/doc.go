// Package clearing is the arithmetic of settlement: which store owes which for a posting
// of the ledger, at which price, to which party, and what that adds up to in a month.
//
// It promises that a line is one amount for both its parties, so that the statements of
// all parties sum to zero in each currency; that the amounts of lines sum to the totals
// of their statement, whatever is rounded; that an amount that does not fit is named and
// never cut; and that a missing price or rate is named and never guessed.
//
// It decides, and does nothing else: time, storage and the ledger are handed in. It must
// never import a database driver, HTTP, or a room that keeps something.
package clearing
