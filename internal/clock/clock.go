package clock

import (
	"sync"
	"time"
)

// Clock is where the time comes from. Production passes [System]; tests and the
// simulator pass a [Fake].
type Clock interface {
	Now() time.Time
}

// System is the machine's own clock.
type System struct{}

// Now returns the wall time with its monotonic reading.
func (System) Now() time.Time { return time.Now() }

// Fake is a clock that moves only when told to. It is safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a fake clock standing at t.
func NewFake(t time.Time) *Fake { return &Fake{now: t} }

// Now returns where the clock stands.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Set moves the clock to t, backwards too.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t
}

// Advance moves the clock by d.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// Stamp is a hybrid logical time: Unix milliseconds in the upper 48 bits, a
// counter in the lower 16. Stamps compare as plain integers.
type Stamp uint64

// lastMilli is the latest wall time a stamp can hold, in the year 10889.
const lastMilli = 1<<48 - 1

// NewStamp builds a stamp from a wall time and a counter. A time that a stamp cannot
// hold becomes the nearest one it can.
func NewStamp(t time.Time, counter uint16) Stamp {
	ms := min(max(t.UnixMilli(), 0), lastMilli)
	return Stamp(uint64(ms)<<16 | uint64(counter))
}

// Time returns the wall part of the stamp.
func (s Stamp) Time() time.Time { return time.UnixMilli(int64(s >> 16)).UTC() }

// Hybrid is a hybrid logical clock (Kulkarni et al., 2014): it follows the wall
// clock and never runs back. The zero value is ready; it is safe for concurrent use.
type Hybrid struct {
	mu   sync.Mutex
	last Stamp
}

// Next returns a stamp later than every stamp returned or observed before. After
// the largest stamp there is, which no clock reaches before the year 10889, it stays
// at that one: standing still is not running back.
func (h *Hybrid) Next(wall time.Time) Stamp {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := NewStamp(wall, 0)
	if next <= h.last {
		next = max(h.last+1, h.last)
	}
	h.last = next
	return next
}

// Observe takes in a stamp made elsewhere (a recovered entry, HQ's signed time),
// so that the next own stamp is later.
func (h *Hybrid) Observe(s Stamp) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = max(h.last, s)
}

// Floor is the earliest time that can be now: the latest of HQ's signed time,
// peers' signed time and the last journal entry. It is safe for concurrent use.
type Floor struct {
	mu sync.Mutex
	at time.Time
}

// Raise lifts the floor to t; an earlier t changes nothing.
func (f *Floor) Raise(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t.After(f.at) {
		f.at = t
	}
}

// At returns the floor.
func (f *Floor) At() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

// Now returns wall, or the floor when wall lies before it.
func (f *Floor) Now(wall time.Time) time.Time {
	if at := f.At(); wall.Before(at) {
		return at
	}
	return wall
}
