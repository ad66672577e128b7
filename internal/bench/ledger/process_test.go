//go:build linux

package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockTick is the unit of processor time in /proc (proc(5)): 100 a second on
// every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// stat returns the fields of /proc/PID/stat from the state on, so that index 1 is
// the parent and 11 to 14 the processor times (proc(5)); nil when it is gone.
func stat(t *testing.T, pid string) []string {
	t.Helper()
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "no such process") {
		t.Fatal(err)
	}
	if err != nil {
		return nil
	}
	// Fields are counted from after the name, which may hold spaces.
	return strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
}

// ticks adds up some of the fields.
func ticks(t *testing.T, fields []string, from, to int) time.Duration {
	t.Helper()
	var sum int64
	for _, text := range fields[from : to+1] {
		n, err := strconv.ParseInt(text, 10, 64)
		must(t, err)
		sum += n
	}
	return time.Duration(sum) * clockTick
}

// cpuTime returns the processor time a process has used.
func cpuTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	return ticks(t, stat(t, strconv.Itoa(pid)), 11, 12)
}

// familyTime returns the processor time of a process, its running children and the
// children that ended.
func familyTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	sum := ticks(t, stat(t, strconv.Itoa(pid)), 11, 14)
	found, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, p := range found {
		fields := stat(t, filepath.Base(p))
		if len(fields) > 14 && fields[1] == strconv.Itoa(pid) {
			sum += ticks(t, fields, 11, 12)
		}
	}
	return sum
}

// peakMemory returns the largest resident set a process has had (VmHWM), in MB.
func peakMemory(t *testing.T, pid int) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			must(t, err)
			return kib * 1024 / 1e6
		}
	}
	t.Fatalf("process %d has no VmHWM", pid)
	return 0
}
