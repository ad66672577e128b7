// Package liability states what a programme owes its members: a roll-forward of each unit
// by month and by the month in which points expire, how much of what was issued expires
// unspent, and what it is worth in money.
//
// It promises that every line adds up to the last point (opening and movements are the
// closing), that the closing of a month is the sum of the members' books, that what moved
// counts exactly once however often it is summed, that a month asked about as it was known
// then never changes, and that a projection never stands among the figures of the books.
//
// Everything but [Service] is pure. It must never import a database driver, HTTP, or
// server/store; it names the storage it needs in [Store].
package liability
