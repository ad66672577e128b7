// Package posbooks holds the till software's own books against the journals of the stores:
// files come in, are read row by row as a saved mapping says, and each business day of a
// store is matched with what its terminals wrote.
//
// It promises that a file is read in flat memory whatever is in it, that a bad row is named
// with its line and stops no good one, that a file sent twice changes nothing, that a
// corrected one takes the place of the receipts it names and no others, and that what
// people decided about a difference stays with it for as long as the difference is the
// same. It changes no balance and blocks no certificate: the journals are the truth, the
// books of the till software are another witness.
//
// It must never import a database driver, HTTP, or server/store; it names the storage it
// needs in [Store].
package posbooks
