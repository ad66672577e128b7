package main

import (
	"time"

	"golang.org/x/sys/windows"
)

// monotonic returns the time since boot, which counts sleep and hibernation too
// (GetTickCount64), in steps of 10 to 16 ms.
func monotonic() func() time.Duration { return windows.DurationSinceBoot }
