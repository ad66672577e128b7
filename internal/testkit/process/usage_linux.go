package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor time in /proc (proc(5)): 100 a second on every
// Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// Stat returns the fields of /proc/PID/stat from the state on, so that index 1 is the
// parent and 11 to 14 the processor times (proc(5)); nil when the process is gone.
func Stat(pid int) ([]string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, fs.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such process") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read processor time: %w", err)
	}
	// Fields are counted from after the name, which may hold spaces.
	return strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:])), nil
}

// Ticks adds up the processor times in fields from to to of [Stat].
func Ticks(fields []string, from, to int) (time.Duration, error) {
	if len(fields) <= to {
		return 0, errors.New("read processor time: the process is gone")
	}
	var sum int64
	for _, text := range fields[from : to+1] {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read processor time: %w", err)
		}
		sum += n
	}
	return time.Duration(sum) * clockTick, nil
}

// CPU returns the processor time a process has used.
func CPU(pid int) (time.Duration, error) {
	fields, err := Stat(pid)
	if err != nil {
		return 0, err
	}
	return Ticks(fields, 11, 12)
}

// FamilyCPU returns the processor time of a process, of its running children and of those
// that ended: a server that works in processes of its own, such as PostgreSQL.
func FamilyCPU(pid int) (time.Duration, error) {
	fields, err := Stat(pid)
	if err != nil {
		return 0, err
	}
	sum, err := Ticks(fields, 11, 14)
	if err != nil {
		return 0, err
	}
	found, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, fmt.Errorf("list processes: %w", err)
	}
	for _, p := range found {
		child, err := strconv.Atoi(filepath.Base(p))
		if err != nil {
			return 0, fmt.Errorf("list processes: %w", err)
		}
		fields, err := Stat(child)
		if err != nil {
			return 0, err
		}
		if len(fields) <= 14 || fields[1] != strconv.Itoa(pid) {
			continue
		}
		used, err := Ticks(fields, 11, 12)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// PeakMemory returns the largest resident set (VmHWM) a process has had, in bytes, since
// its start or the last [ForgetPeak].
func PeakMemory(pid int) (int64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("read memory: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("read memory: process %d has no VmHWM", pid)
}

// ForgetPeak begins [PeakMemory] anew (proc(5), clear_refs).
func ForgetPeak(pid int) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("forget peak of memory: %w", err)
	}
	return nil
}
