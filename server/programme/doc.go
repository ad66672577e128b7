// Package programme is what HQ's people decide about the programme: its rules, the
// caps for redeeming without HQ, its rewards, its tiers, its members and their passes
// and vouchers.
//
// It promises that every change is an entry of HQ's journal and, where tills decide by
// it, an item of the feed in the same transaction, that versions only grow, and that
// nothing it refuses leaves a trace. Only that a voucher was given away is no entry: it
// is noted with the voucher's record.
//
// It must never import HTTP or a database: it names the storage it needs.
package programme
