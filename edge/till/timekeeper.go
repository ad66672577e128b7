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
	heard    time.Time // latest time HQ signed for this terminal
	signed   time.Time // latest time HQ signed, as any lane could show

	first    time.Time     // HQ's first time since the start
	firstAt  time.Duration // by the monotonic clock
	heardAt  time.Duration // of heard, likewise
	wallOff  time.Duration // wall clock less HQ's time, when it was heard last
	jumps    int           // since the start
	lastJump time.Duration
}

// Drift is how the clocks of the machine run against HQ's signed time, since the start.
type Drift struct {
	Heard bool // HQ has signed a time since the start
	// WallOff is the wall clock less HQ's time when it was heard last. What HQ's answer
	// took to arrive is in it.
	WallOff time.Duration
	// PPM is how much faster the monotonic clock runs than HQ's time, in parts per
	// million; it is measured over Over, and means little before an hour.
	PPM      float64
	Over     time.Duration
	Jumps    int // of the wall clock against the monotonic clock
	LastJump time.Duration
}

// driftNow tells the drift.
func (k *timekeeper) driftNow() Drift {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := Drift{Heard: !k.first.IsZero(), WallOff: k.wallOff, Over: k.heard.Sub(k.first), Jumps: k.jumps, LastJump: k.lastJump}
	if !d.Heard {
		return Drift{Jumps: k.jumps, LastJump: k.lastJump}
	}
	if d.Over > 0 {
		d.PPM = float64(k.heardAt-k.firstAt-d.Over) / float64(d.Over) * 1e6
	}
	return d
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
	k.jumps, k.lastJump = k.jumps+1, jump
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
	k.heard, k.heardAt, k.wallOff = hq, k.mono(), wall.Sub(hq)
	if k.first.IsZero() {
		k.first, k.firstAt = hq, k.heardAt
	}
	k.floor = clock.Floor{}
	k.floor.Raise(hq)
	k.floor.Raise(k.signed)
	k.base, k.baseMono, k.trusted = hq, k.mono(), true
	if wall.Sub(hq).Abs() <= k.tolerance {
		k.base = wall
	}
	k.reported = wall.Sub(k.base)
}

// passedOn takes in a time that HQ signed some time ago: it is not earlier now. How much
// later it is nobody says, so it ends distrust of no clock; but a clock that lies before
// it by more than the tolerance is wrong.
func (k *timekeeper) passedOn(hq time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !hq.After(k.signed) {
		return
	}
	k.signed = hq
	if hq.Sub(k.believed()) > k.tolerance {
		k.base, k.baseMono, k.trusted = hq, k.mono(), false
		k.reported = k.wallNow().Sub(hq)
	}
	k.floor.Raise(hq)
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
