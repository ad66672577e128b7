// Package wallet measures passes against the limits of the machine it runs on: what
// signing costs beside the raw signature, and beside libraries of other makes; that asking
// again signs nothing; and what it takes to bring a change to every phone.
//
// It promises that value and baseline take turns in the same run, that rates of signing
// are per second of processor time (which other people's work on the machine changes
// little), and that a missed target fails the run.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package wallet
