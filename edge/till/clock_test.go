package till_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

const year = 365 * 24 * time.Hour

// clockRow is something that happens to the clocks of a machine.
type clockRow struct {
	name    string
	happens func(*shop)
	jumps   []time.Duration // journalled, as the wall clock moved against the monotonic one
	trusted bool
	// off is how far the believed time is from the true one after it; whatever when it depends
	// on when HQ was heard.
	off time.Duration
}

func wall(d time.Duration) func(*shop) { return func(s *shop) { s.Clock.Advance(d) } }

var clockRows = []clockRow{
	{"nothing", func(s *shop) { s.Pass(time.Hour) }, nil, true, 0},
	{"back to 1970", func(s *shop) { s.Clock.Set(time.Unix(0, 0)) }, []time.Duration{time.Unix(0, 0).Sub(tilltest.Start)}, false, 0},
	{"three days ahead", wall(72 * time.Hour), []time.Duration{72 * time.Hour}, false, 0},
	{"three days behind", wall(-72 * time.Hour), []time.Duration{-72 * time.Hour}, false, 0},
	{"a minute ahead", wall(time.Minute), nil, true, time.Minute},
	{"ten years ahead and back", func(s *shop) {
		s.Clock.Advance(10 * year)
		s.tendNow()
		s.Pass(time.Minute)
		s.Clock.Advance(-10 * year)
	}, []time.Duration{10 * year, -10 * year}, false, 0},
	{"leap second, stepped", func(s *shop) {
		s.Pass(time.Hour)
		s.Clock.Advance(-time.Second) // 23:59:59 twice
		s.Pass(time.Hour)
	}, nil, true, -time.Second},
	{"leap second, smeared over a day", func(s *shop) {
		for range 24 {
			s.Mono.Add(int64(time.Second) / 24)
			s.Pass(time.Hour)
			s.tendNow()
		}
	}, nil, true, -time.Second},
	{"summer time begins", func(s *shop) { s.Pass(time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC).Sub(tilltest.Start)) }, nil, true, 0},
	{"a night asleep, counted by the monotonic clock", func(s *shop) { s.Pass(9 * time.Hour) }, nil, true, 0},
	{"a night asleep, not counted by it", wall(9 * time.Hour), []time.Duration{9 * time.Hour}, false, 0},
	{"slow drift of an hour in a year", func(s *shop) {
		for range 100 {
			s.Clock.Advance(36 * time.Second)
			s.Pass(87 * time.Hour)
			s.hearTrue()
			s.tendNow()
		}
	}, nil, true, whatever},
}

const whatever = time.Duration(math.MaxInt64)

func (s *shop) tendNow() { _ = s.till.Tend(context.Background()) }

// hearTrue lets HQ say what the monotonic clock says, as that of a perfect machine.
func (s *shop) hearTrue() {
	s.till.ObserveHQTime(tilltest.Start.Add(time.Duration(s.Mono.Load())))
}

func TestClocks(t *testing.T) {
	for _, row := range clockRows {
		t.Run(row.name, func(t *testing.T) {
			s := newShop(t, func(s *shop) { s.Policy.MaxCacheAgeSeconds = math.MaxInt32 })
			right := s.Grant(s.member, 100)
			right.EndsAt = tilltest.Start.Add(5 * year).UnixMilli()
			s.Feed(t, s.till, s.Granted(t, right, false, false))
			s.tend(t)
			row.happens(s)
			s.tend(t)
			s.tend(t)
			var jumps []time.Duration
			for _, e := range entriesOf(t, s.journal, 1) {
				if e.Kind != entry.KindClock {
					continue
				}
				c, err := entry.DecodeBody[entry.Clock](e)
				if err != nil {
					t.Fatal(err)
				}
				jumps = append(jumps, time.Duration(c.Jump)*time.Millisecond)
			}
			now, trusted := s.till.Now()
			off := now.Sub(tilltest.Start.Add(time.Duration(s.Mono.Load())))
			if row.jumps == nil && jumps != nil || !near(jumps, row.jumps) || trusted != row.trusted || row.off != whatever && (off-row.off).Abs() > time.Millisecond {
				t.Errorf("jumps %v, trusted %v, off by %s", jumps, trusted, off)
			}
			status, err := s.till.Status(context.Background())
			if err != nil || status.Drift.Jumps != len(row.jumps) || status.ClockTrusted != row.trusted {
				t.Errorf("%+v, %v", status.Drift, err)
			}
			// Rights go on, stand-in does not; HQ's time ends distrust.
			if sale := s.commit(t, "on a right", s.buy(t, 9000, points(s.five, 1))); sale.Body.Redeemed[0].Right != right.Right {
				t.Errorf("redeemed %+v", sale.Body.Redeemed)
			}
			_, err = s.till.Commit(context.Background(), tilltest.Commit("stand in", s.buy(t, 9000, points(s.five, 1))))
			if row.trusted && err != nil || !row.trusted && problem.CodeOf(err) != problem.ClockUntrusted {
				t.Errorf("without a right: %v", err)
			}
			for _, c := range status.Caps {
				if !row.trusted && c.Name != "restart" && c.Limit != 0 {
					t.Errorf("%s is %d", c.Name, c.Limit)
				}
			}
			s.hearTrue()
			s.commit(t, "after HQ was heard", s.buy(t, 9000, points(s.five, 1)))
		})
	}
}

func near(got, want []time.Duration) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if (got[i] - want[i]).Abs() > 2*time.Second {
			return false
		}
	}
	return true
}

// An entry's stamps never run back, whatever the clocks do.
func TestStampsNeverRunBack(t *testing.T) {
	s := newShop(t, nil)
	for _, d := range []time.Duration{time.Hour, -40 * year, 10 * year, -time.Minute, 0} {
		s.Clock.Advance(d)
		s.commit(t, d.String(), s.buy(t, 1000))
	}
	var last entry.Entry
	for _, e := range entriesOf(t, s.journal, 1) {
		if e.HLC <= last.HLC {
			t.Errorf("%x after %x", e.HLC, last.HLC)
		}
		last = e
	}
}

func TestBusinessDayOfTheNightWithoutAnHour(t *testing.T) {
	s := newShop(t, nil)
	s.Pass(time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC).Sub(tilltest.Start)) // 01:59 in Berlin
	before := s.commit(t, "a", s.buy(t, 1000))
	s.Pass(2 * time.Minute) // 03:01 there
	after := s.commit(t, "b", s.buy(t, 1000))
	if before.BusinessDate != 20260329 || after.BusinessDate != 20260329 || after.OccurredAt.Sub(before.OccurredAt) != 2*time.Minute {
		t.Errorf("%s at %s, %s at %s", before.BusinessDate, before.OccurredAt, after.BusinessDate, after.OccurredAt)
	}
}

func TestDriftIsMeasuredAgainstHQ(t *testing.T) {
	s := newShop(t, nil)
	drift := func() till.Drift {
		status, err := s.till.Status(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return status.Drift
	}
	if d := drift(); !d.Heard || d.Over != 0 || d.PPM != 0 {
		t.Errorf("after one word of HQ: %+v", d)
	}
	// In a day of HQ's the machine counts 86.4 ms more, and its wall clock is 3 s ahead.
	s.Pass(24 * time.Hour)
	s.Mono.Add(int64(86_400 * time.Microsecond))
	s.Clock.Advance(3 * time.Second)
	s.till.ObserveHQTime(tilltest.Start.Add(24 * time.Hour))
	d := drift()
	if math.Abs(d.PPM-1) > 0.001 || d.WallOff != 3*time.Second || d.Over != 24*time.Hour {
		t.Errorf("%+v", d)
	}
}
