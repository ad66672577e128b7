package process

import (
	"fmt"
	"os"
)

// Load returns how many tasks wanted a processor of this machine over the last minute
// (proc(5), loadavg); zero where the system does not say.
func Load() (one float64) {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(raw), &one)
	return one
}
