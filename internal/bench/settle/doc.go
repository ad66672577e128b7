// Package settle measures the settlement of a month: how long head office takes to follow
// the ledger over millions of postings, to draft and to lock the month, and whether its
// memory stays flat.
//
// It promises that the months are followed, drafted and locked by the service as it ships,
// on PostgreSQL, that each posting is one move, and that the statements of each month sum to
// zero. The tables of the ledger are written as applying leaves them.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package settle
