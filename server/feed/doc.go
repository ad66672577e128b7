// Package feed is the change feed that terminals pull: the last value of every
// record a store may know, in the order in which changes were committed.
//
// It promises that a reader who follows the cursor never skips a change, however
// late its transaction committed: a position is taken from its shard's counter
// inside the writing transaction, so positions become visible in their order. A
// snapshot is the same path from the empty cursor.
//
// It must never import a database driver, HTTP, or server/store; it names the
// storage it needs in [Store].
package feed
