// Package truth is what really happened in a simulated quarter: who earned what where,
// who redeemed it where, which lots that took, what came back, and what each terminal
// wrote down of it.
//
// It promises that its answers follow from the words of docs/ARCHITECTURE.md,
// docs/offline-protocol.md and docs/settlement.md alone: it is a second and much simpler
// model. It works without a database, and folds an account from nothing each time it is
// asked.
//
// It must never import anything of this module, nor any library: what it says is held
// against head office, and a fault that both share would not show.
package truth
