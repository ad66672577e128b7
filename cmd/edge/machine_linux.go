package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/tallystick/tallystick/internal/clock"
)

// monotonic returns the time since boot, which counts sleep too. Where the kernel
// does not have that clock the process's own monotonic time must do.
func monotonic() func() time.Duration {
	start := clock.System{}.Now()
	return func() time.Duration {
		var ts unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
			return clock.System{}.Now().Sub(start)
		}
		return time.Duration(ts.Nano())
	}
}
