package clock_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/clock"
)

// TestG8_StampsNeverRunBack moves the wall clock anywhere, observes any stamp, and
// wants every stamp to be later than all before it.
func TestG8_StampsNeverRunBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h clock.Hybrid
		var last clock.Stamp
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			wall := time.UnixMilli(rapid.Int64Range(-1000, 1<<42).Draw(t, "wall"))
			if rapid.Bool().Draw(t, "observe") {
				seen := clock.NewStamp(wall, uint16(rapid.IntRange(0, 65535).Draw(t, "counter")))
				h.Observe(seen)
				last = max(last, seen)
				continue
			}
			got := h.Next(wall)
			if got <= last {
				t.Fatalf("%d after %d", got, last)
			}
			last = got
		}
	})
}

func TestStampsOfManyGoroutinesDiffer(t *testing.T) {
	var h clock.Hybrid
	wall := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	seen := map[clock.Stamp]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				s := h.Next(wall)
				mu.Lock()
				seen[s] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(seen) != 1600 {
		t.Errorf("%d different stamps of 1600", len(seen))
	}
}

func TestStampKeepsTheWallTime(t *testing.T) {
	wall := time.Date(2026, 11, 21, 1, 2, 3, 4e6, time.UTC)
	if got := clock.NewStamp(wall, 9).Time(); !got.Equal(wall) {
		t.Errorf("got %s", got)
	}
}

func TestFloorHoldsAgainstTheWallClock(t *testing.T) {
	var f clock.Floor
	heard := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	f.Raise(heard)
	f.Raise(heard.Add(-time.Hour))
	if got := f.Now(time.Unix(0, 0)); !got.Equal(heard) {
		t.Errorf("in 1970 it is %s", got)
	}
	later := heard.Add(time.Minute)
	if got := f.Now(later); !got.Equal(later) {
		t.Errorf("a minute later it is %s", got)
	}
	if got := f.At(); !got.Equal(heard) {
		t.Errorf("the wall clock moved the floor to %s", got)
	}
}

func TestFakeMovesOnlyWhenTold(t *testing.T) {
	start := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	f := clock.NewFake(start)
	f.Advance(time.Hour)
	if got := f.Now(); !got.Equal(start.Add(time.Hour)) {
		t.Errorf("stands at %s", got)
	}
	f.Set(start)
	if got := f.Now(); !got.Equal(start) {
		t.Errorf("stands at %s", got)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	if err := clock.Wait(t.Context(), time.Millisecond); err != nil {
		t.Errorf("a wait to its end: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clock.Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that was given up: %v", err)
	}
}
