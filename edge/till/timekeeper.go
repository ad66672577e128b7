package till

import (
	"math"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
)

// timekeeper says what time it is and whether that can be trusted. The wall clock
// is believed as long as it keeps pace with the monotonic clock and lies above the
// time floor; else the time goes on from where it was last believed, until HQ's
// signed time is heard.
type timekeeper struct {
	mu        sync.Mutex
	wall      clock.Clock
	mono      func() time.Duration
	tolerance time.Duration

	floor    clock.Floor
	base     time.Time // believed when the monotonic clock stood at baseMono
	baseMono time.Duration
	reported time.Duration // how far the wall was off base when last looked at
	trusted  bool
	heard    time.Time // latest time HQ signed
}

// wallNow is the wall clock alone. A time.Time of the system also carries the
// runtime's monotonic clock, and Sub would compare that one: no jump would show, and
// a night of sleep, which it leaves out on Linux, would look like one.
func (k *timekeeper) wallNow() time.Time { return k.wall.Now().Round(0) }

// start sets the time from what was on disk: the floor is the latest of HQ's time
// and the last entry.
func (k *timekeeper) start(heard, floor time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.heard = heard
	k.floor.Raise(heard)
	k.floor.Raise(floor)
	wall := k.wallNow()
	k.base, k.baseMono, k.trusted = wall, k.mono(), true
	if k.floor.At().Sub(wall) > k.tolerance {
		k.base, k.trusted = k.floor.At(), false
	}
	k.reported = wall.Sub(k.base)
}

// now returns the believed time and whether it is trusted.
func (k *timekeeper) now() (time.Time, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.believed(), k.trusted
}

func (k *timekeeper) believed() time.Time {
	wall, going := k.wallNow(), k.base.Add(k.mono()-k.baseMono)
	if k.trusted && wall.Sub(going).Abs() <= k.tolerance {
		return k.floor.Now(wall)
	}
	return k.floor.Now(going)
}

// observe looks for a jump of the wall against the monotonic clock. One beyond the
// tolerance, either way, ends trust.
func (k *timekeeper) observe() (entry.Clock, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	wall := k.wallNow()
	off := wall.Sub(k.base.Add(k.mono() - k.baseMono))
	jump := off - k.reported
	if jump.Abs() <= k.tolerance {
		return entry.Clock{}, false
	}
	k.reported, k.trusted = off, false
	return entry.Clock{Jump: jump.Milliseconds(), Wall: wall.UnixMilli()}, true
}

// hear takes in a time that HQ has just signed. It overrules own entries, whose
// clock may have run ahead, but never an earlier word of HQ.
func (k *timekeeper) hear(hq time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if hq.Before(k.heard) {
		return
	}
	wall := k.wallNow()
	k.heard = hq
	k.floor = clock.Floor{}
	k.floor.Raise(hq)
	k.base, k.baseMono, k.trusted = hq, k.mono(), true
	if wall.Sub(hq).Abs() <= k.tolerance {
		k.base = wall
	}
	k.reported = wall.Sub(k.base)
}

// A quartz may be off by this many parts per million, and no clock is believed to be
// off by more than maxError.
const (
	drift    = 50
	maxError = 5 * time.Minute
)

// errorBound returns how far the believed time may be off. While the clock is not
// trusted nothing is known of it; redeeming is refused then.
func (k *timekeeper) errorBound() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.trusted {
		return math.MaxInt64
	}
	return min(max(0, k.believed().Sub(k.heard))/1_000_000*drift, maxError)
}

// wrote lifts the floor to the time of an own entry.
func (k *timekeeper) wrote(at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.floor.Raise(at)
}
