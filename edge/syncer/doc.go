// Package syncer carries a terminal's journal to HQ and HQ's change feed to the
// terminal.
//
// It promises that losing an answer, at any point, changes nothing but time: what
// HQ has is asked, never assumed, and the same entries are sent again under the
// same numbers. It believes only what HQ signed, holds at most one batch and one
// feed page in memory, and waits with full jitter between failures. [Service.Stop]
// returns when its goroutines have ended.
//
// It must never decide anything about a sale, and never import Fiber, Badger, or
// anything of server.
package syncer
