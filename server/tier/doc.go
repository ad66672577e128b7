// Package tier says which tier of the programme members are in, how far they are from
// the next, and how many would be in each.
//
// It promises that a tier is worked out anew each time from what the ledger holds: what
// sales earned, on the day on which they happened, less what voids and returns took
// back of it. Nothing is stored, so a late fact counts as if it had always been there,
// and what people gave, moved or imported does not make a tier. A household has one
// tier, and so have two cards that became one: of what was earned on its account and on
// those that lead to it now.
//
// The rule itself is internal/loyalty's. It must never import HTTP or a database.
package tier
