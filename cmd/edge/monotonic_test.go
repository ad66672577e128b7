package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The monotonic clock is the one that counts sleep: on Linux it reads what the kernel
// shows as uptime, which does.
func TestMonotonicCountsSleep(t *testing.T) {
	now := monotonic()
	before := now()
	if runtime.GOOS == "linux" {
		raw, err := os.ReadFile("/proc/uptime")
		if err != nil {
			t.Skipf("no uptime: %v", err)
		}
		seconds, err := strconv.ParseFloat(strings.Fields(string(raw))[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		if off := time.Duration(seconds*float64(time.Second)) - before; off.Abs() > 5*time.Second {
			t.Errorf("%s off the uptime", off)
		}
	}
	if after := now(); after < before {
		t.Errorf("%s after %s", after, before)
	}
}
