// Package process starts, watches, stops and kills real binaries for the stories,
// the torture tests and the demo.
//
// It promises that output is captured whole, that [Process.Kill] is SIGKILL and
// returns only when the process is gone, and that a child dies with its parent
// where the system can do that (Linux).
//
// It must never import anything of the product: it knows binaries by name.
package process
