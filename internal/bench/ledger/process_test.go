//go:build linux

package ledger

import (
	"path/filepath"
	"strconv"
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
	fields, err := process.Stat(pid)
	must(t, err)
	sum, err := process.Ticks(fields, 11, 14)
	must(t, err)
	found, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, p := range found {
		child, err := strconv.Atoi(filepath.Base(p))
		must(t, err)
		fields, err := process.Stat(child)
		must(t, err)
		if len(fields) > 14 && fields[1] == strconv.Itoa(pid) {
			used, err := process.Ticks(fields, 11, 12)
			must(t, err)
			sum += used
		}
	}
	return sum
}

// peakMemory returns the largest resident set a process has had, in MB.
func peakMemory(t *testing.T, pid int) float64 {
	t.Helper()
	bytes, err := process.PeakMemory(pid)
	must(t, err)
	return float64(bytes) / 1e6
}
