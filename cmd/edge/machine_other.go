//go:build !linux

package main

import (
	"time"

	"github.com/tallystick/tallystick/internal/clock"
)

// monotonic returns the time since the start of the process.
func monotonic() func() time.Duration {
	start := clock.System{}.Now()
	return func() time.Duration { return clock.System{}.Now().Sub(start) }
}
