//go:build !linux && !windows

package main

import (
	"time"

	"github.com/tallystick/tallystick/internal/clock"
)

// monotonic returns the time since the start of the process. On these systems (macOS,
// the BSDs) that may leave out sleep: a till that slept looks like one whose clock
// jumped, and redeems again once HQ's time is heard. We ship none for them.
func monotonic() func() time.Duration {
	start := clock.System{}.Now()
	return func() time.Duration { return clock.System{}.Now().Sub(start) }
}
