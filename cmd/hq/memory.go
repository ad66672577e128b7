package main

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many per cent the heap grows before memory is collected. HQ
// keeps little and makes much that is soon gone, so that collecting half as often as
// Go does by itself costs few megabytes; docs/benchmarks.md states the bound.
const heapGrowth = 200

// growHeap sets the growth unless the environment does (GOGC).
func growHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}
