// Package programme is what HQ's people decide about the programme: its rules, the
// caps for redeeming without HQ, its rewards, its members and their passes and
// vouchers.
//
// It promises that every change is an entry of HQ's journal and an item of the feed
// in the same transaction, that versions only grow, and that nothing it refuses
// leaves a trace.
//
// It must never import HTTP or a database: it names the storage it needs.
package programme
