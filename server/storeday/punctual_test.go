package storeday_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
)

// said writes a close of any date, as no terminal of ours would.
func said(t *testing.T, l *shop.Lane, date entry.Date) {
	t.Helper()
	l.CloseDay(t, func(c *entry.DayClose) { c.Date = date })
	l.Date = 20260301
}

// A close of a date that has not come begins no days, certifies none, and says nothing of
// the days until then: they wait for the lane as before.
func TestACloseOfTomorrowIsNotBelievedBeforeItHasCome(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	one.Sell(t, 500, 0)
	said(t, one, 20260601)
	one.Deliver(t)
	s.Round(t)
	if standing, err := s.Days.Standing(t.Context(), s.Of.ID); err != nil || len(standing) != 0 || len(s.Chain(t)) != 0 {
		t.Fatalf("the days begin with %+v, %v", standing, err)
	}
	if found := s.Exceptions(t, ledger.DayCloseAhead); len(found) != 1 || found[0].Terminal != one.ID || found[0].Seq != 3 {
		t.Errorf("exceptions %+v", found)
	}
	two.CloseDay(t)
	two.Deliver(t)
	s.Round(t)
	standing, err := s.Days.Standing(t.Context(), s.Of.ID)
	if err != nil || len(standing) != 1 || len(standing[0].Waiting) != 1 || standing[0].Waiting[0].Lane.Name != "one" || len(s.Chain(t)) != 0 {
		t.Fatalf("standing %+v, %v", standing, err)
	}
	one.Sell(t, 200, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 1 || got[0].Date != "2026-03-01" || got[0].Day.Money[0].Total != 700 || len(got[0].Late) != 0 {
		t.Fatalf("%+v", got)
	}
}

// What was closed twice is counted once, and what came between is lost to no certificate:
// before the day is certified it is in the day, behind it among what is late.
func TestADayThatIsClosedTwice(t *testing.T) {
	s := shop.New(t, books.New(t))
	one := s.Lane(t, "one")
	one.Sell(t, 500, 0)
	one.CloseDay(t)
	one.Date = 20260301
	one.Sell(t, 30, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	got := s.Chain(t)
	if len(got) != 1 || got[0].Day.Money[0].Total != 530 || got[0].Differences != 0 {
		t.Fatalf("%+v", got)
	}
	one.Date = 20260301
	one.Sell(t, 7, 0)
	one.CloseDay(t)
	one.Sell(t, 100, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Round(t)
	got = s.Chain(t)
	if len(got) != 2 || got[1].Day.Money[0].Total != 100 || len(got[1].Late) != 1 || got[1].Late[0].Date != "2026-03-01" || got[1].Late[0].Money[0].Total != 7 {
		t.Fatalf("%+v", got)
	}
}

// A lane that never closes is named on the day, and becomes somebody's work once; what is
// said of it is withdrawn when the day goes on without it.
func TestALaneThatNeverClosesIsRemindedOf(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	two.Sell(t, 300, 0)
	two.Deliver(t)
	one.Sell(t, 500, 0)
	one.CloseDay(t)
	one.Deliver(t)
	at := func(wait time.Duration) []ledger.Exception {
		t.Helper()
		s.Clock.Advance(wait)
		s.Round(t)
		s.Round(t)
		return s.Exceptions(t, ledger.DayOverdue)
	}
	if found := at(48 * time.Hour); len(found) != 0 { // 3 March, 10 in the morning
		t.Fatalf("reminded of too early: %+v", found)
	}
	found := at(3 * time.Hour)
	if len(found) != 1 || found[0].Terminal != two.ID || found[0].Epoch != 1 || found[0].State != ledger.ExceptionOpen || len(s.Chain(t)) != 0 {
		t.Fatalf("%+v", found)
	}
	s.Lanes[two.ID].Lost = fleet.Declaration{ID: uuid.New(), Step: entry.LostConfirmed, Epoch: 1}
	if found = at(time.Hour); len(s.Chain(t)) != 1 || found[0].State != ledger.ExceptionWithdrawn {
		t.Fatalf("%+v, %d certificates", found, len(s.Chain(t)))
	}
}

// A terminal that was retired when all it delivered was certified has no part of the day,
// and what was said of it is withdrawn all the same.
func TestNobodyIsRemindedOfATerminalThatWasRetired(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, two := s.Lane(t, "one"), s.Lane(t, "two")
	for _, lane := range []*shop.Lane{one, two} {
		lane.Sell(t, 300, 0)
		lane.CloseDay(t)
		lane.Deliver(t)
	}
	s.Round(t)
	one.Sell(t, 500, 0)
	one.CloseDay(t)
	one.Deliver(t)
	s.Clock.Advance(80 * time.Hour)
	s.Round(t)
	if found := s.Exceptions(t, ledger.DayOverdue); len(found) != 1 || found[0].Terminal != two.ID || len(s.Chain(t)) != 1 {
		t.Fatalf("%+v", found)
	}
	s.Lanes[two.ID].State = fleet.StateRevoked
	s.Clock.Advance(time.Hour)
	s.Round(t)
	if found := s.Exceptions(t, ledger.DayOverdue); found[0].State != ledger.ExceptionWithdrawn || len(s.Chain(t)) != 2 {
		t.Errorf("%+v, %d certificates", found, len(s.Chain(t)))
	}
}

// When a date has begun and is over is asked of the wall in the store, on days when the
// clocks change too.
func TestDatesAreThoseOfTheStoresWall(t *testing.T) {
	for name, tc := range map[string]struct {
		zone      string
		now       string
		date      entry.Date
		certified bool
	}{
		"far in the east":            {"Pacific/Kiritimati", "2026-03-01T22:30:00Z", 20260303, true},
		"far in the west":            {"Pacific/Pago_Pago", "2026-03-02T22:30:00Z", 20260303, false},
		"in the west, after noon":    {"Pacific/Pago_Pago", "2026-03-02T23:30:00Z", 20260303, true},
		"an hour is left out":        {"Europe/Warsaw", "2026-03-28T11:30:00Z", 20260329, true},
		"before noon of that day":    {"Europe/Warsaw", "2026-03-29T09:30:00Z", 20260330, false},
		"noon comes an hour earlier": {"Europe/Warsaw", "2026-03-29T10:30:00Z", 20260330, true},
		"an hour comes twice":        {"Europe/Warsaw", "2026-10-25T10:30:00Z", 20261026, false},
		"and noon an hour later":     {"Europe/Warsaw", "2026-10-25T11:30:00Z", 20261026, true},
		"a zone that is none":        {"Nowhere/Land", "2026-03-01T11:30:00Z", 20260302, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := shop.New(t, books.New(t))
			s.Of.TimeZone = tc.zone
			one := s.Lane(t, "one")
			now, err := time.Parse(time.RFC3339, tc.now)
			if err != nil {
				t.Fatal(err)
			}
			s.Clock.Advance(now.Sub(s.Clock.Now()) - 2*time.Minute)
			said(t, one, tc.date)
			one.Deliver(t)
			s.Clock.Advance(now.Sub(s.Clock.Now()) - 2*time.Minute)
			s.Round(t)
			if got := s.Chain(t); (len(got) == 1) != tc.certified {
				t.Errorf("%d certificates", len(got))
			}
		})
	}
}

// A lane that HQ runs itself closes no days: its date is over when the wall says so.
func TestTheWebShopsDateIsOverAtNoonOfTheNext(t *testing.T) {
	s := shop.New(t, books.New(t))
	one, web := s.Lane(t, "one"), s.Lane(t, "web 0")
	web.Sell(t, 100, 0)
	web.Deliver(t)
	one.CloseDay(t)
	one.Deliver(t)
	for _, step := range []struct {
		until string
		want  int
	}{{"2026-03-02T10:50:00Z", 0}, {"2026-03-02T11:10:00Z", 1}} {
		until, err := time.Parse(time.RFC3339, step.until)
		if err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(until.Sub(s.Clock.Now()))
		s.Round(t)
		if got := s.Chain(t); len(got) != step.want {
			t.Fatalf("%s: %d certificates", step.until, len(got))
		}
		if standing, err := s.Days.Standing(t.Context(), s.Of.ID); step.want == 0 && (err != nil || standing[0].Waiting[0].Why != storeday.WaitClock) {
			t.Errorf("%+v, %v", standing, err)
		}
	}
}
