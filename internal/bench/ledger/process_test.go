//go:build linux

package ledger

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// cpuTime returns the processor time a process has used.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	used, err := process.CPU(pid)
	must(t, err)
	return used
}

// familyTime returns the processor time of a process, its running children and the
// children that ended.
func familyTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	used, err := process.FamilyCPU(pid)
	must(t, err)
	return used
}

// peakMemory returns the largest resident set a process has had, in MB.
func peakMemory(t *testing.T, pid int) float64 {
	t.Helper()
	bytes, err := process.PeakMemory(pid)
	must(t, err)
	return float64(bytes) / 1e6
}
