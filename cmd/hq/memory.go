package main

import (
	"os"
	"runtime/debug"
)

// heapGrowth is by how many per cent the heap grows before memory is collected. HQ
// keeps little and makes much that is soon gone, so that collecting half as often as
// Go does by itself costs few megabytes.
const heapGrowth = 200

// heapMost is how many bytes of memory are aimed at: near them it is collected more
// often. docs/benchmarks.md states what was measured.
const heapMost = 384 << 20

// growHeap sets both, unless the environment does (GOGC, GOMEMLIMIT).
func growHeap() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(heapMost)
	}
}
