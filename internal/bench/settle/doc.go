// Package settle measures the settlement of a month: how long head office takes to draft
// and lock it over millions of postings, and whether its memory stays flat.
//
// It promises that the months are drafted and locked by the service as it ships, on
// PostgreSQL, and that the statements of each sum to zero. The postings are written into
// the table in which settlement keeps them, as following the ledger leaves them there; that
// is in the time of settling that `make quarter` reports.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package settle
