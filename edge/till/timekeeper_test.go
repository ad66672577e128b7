package till

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
)

// With the runtime's monotonic clock in them, times would hide each jump of the wall.
func TestTimekeeperComparesTheWallAlone(t *testing.T) {
	k := &timekeeper{wall: clock.System{}, mono: func() time.Duration { return 0 }, tolerance: time.Minute}
	k.start(time.Time{}, time.Time{})
	started := k.base
	k.hear(time.Now())
	for name, at := range map[string]time.Time{"start": started, "HQ heard": k.base, "now": k.wallNow()} {
		if strings.Contains(at.String(), " m=") {
			t.Errorf("%s: %s carries a monotonic reading", name, at)
		}
	}
}
