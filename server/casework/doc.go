// Package casework is what HQ's people do about exceptions: who looks after one, what
// they noted, and how it was settled among people.
//
// It promises that a settled exception says by whom, how and why, that nothing noted is
// ever changed, and that it never touches what the ledger thinks of the fact: points move
// by adjustments and decisions only.
//
// It must never import HTTP or a database: it names the storage it needs.
package casework
