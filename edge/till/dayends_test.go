package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// The world begins on 10 March at noon in Berlin.

func (s *shop) sellsOn(t *testing.T, key string, want entry.Date) {
	t.Helper()
	sale := s.commit(t, key, till.Request{Basket: tilltest.Basket(100)})
	if sale.BusinessDate != want {
		t.Errorf("sale %s is of %s, want %s", key, sale.BusinessDate, want)
	}
}

func TestTheStoreSaysWhenTheDayEnds(t *testing.T) {
	s := newShop(t, nil)
	ends := func(minutes int64) {
		t.Helper()
		s.Feed(t, s.till, s.TillRules(t, loyalty.TillRules{DayEnds: minutes}))
	}
	ends(4 * 60)
	s.sellsOn(t, "noon", 20260310)
	s.Pass(15 * time.Hour) // three in the night
	s.sellsOn(t, "night", 20260310)
	day, err := s.till.Day(context.Background())
	if err != nil || !day.Ends.Equal(time.Date(2026, 3, 11, 3, 0, 0, 0, time.UTC)) {
		t.Errorf("ends at %s, %v", day.Ends, err)
	}
	s.Pass(2 * time.Hour)
	s.sellsOn(t, "morning", 20260311)
	// The shop now closes its books at ten in the evening; the open day goes on until then.
	ends(-2 * 60)
	s.Pass(16*time.Hour + 30*time.Minute) // half past nine
	s.sellsOn(t, "evening", 20260311)
	s.Pass(time.Hour)
	s.sellsOn(t, "late", 20260312)
	// Back to midnight, at half past ten: what is closed stays closed.
	ends(0)
	s.sellsOn(t, "later", 20260312)
	for _, date := range []entry.Date{20260310, 20260311} {
		if closed, err := s.till.ClosedDay(context.Background(), date); err != nil || closed.Body.Reason != entry.DayCloseOver {
			t.Errorf("%s: %+v, %v", date, closed, err)
		}
	}
}

func TestATerminalsOwnEndOfTheDayOverridesTheStores(t *testing.T) {
	s := newShop(t, func(s *shop) { midnight := time.Duration(0); s.DayEnds = &midnight })
	s.Feed(t, s.till, s.TillRules(t, loyalty.TillRules{DayEnds: 4 * 60}))
	s.Pass(15 * time.Hour)
	s.sellsOn(t, "night", 20260311)
}

// A cache that is built again hears of the store before it hears when its day ends.
func TestTheOpenDayGoesOnUntilHQHasToldAll(t *testing.T) {
	s := newShop(t, nil)
	s.Feed(t, s.till, s.TillRules(t, loyalty.TillRules{DayEnds: 4 * 60}))
	s.sellsOn(t, "noon", 20260310)
	s.Pass(14 * time.Hour)
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	s.Restart()
	page := s.Page(s.Base(t)...)
	page.More = true
	if err := s.till.ApplyFeed(context.Background(), page); err != nil {
		t.Fatal(err)
	}
	if err := s.till.Tend(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.sellsOn(t, "half told", 20260310)
	s.Feed(t, s.till, s.TillRules(t, loyalty.TillRules{DayEnds: 4 * 60}))
	s.sellsOn(t, "told", 20260310)
}

// tillRulesOfOld are the rules of the releases before.
type tillRulesOfOld struct {
	Version uint64 `cbor:"1,keyasint"`
	SignIn  bool   `cbor:"2,keyasint,omitempty"`
}

func TestOldTerminalsReadRulesThatSayWhenTheDayEnds(t *testing.T) {
	raw, err := wire.Marshal(loyalty.TillRules{Version: 7, SignIn: true, DayEnds: 240})
	if err != nil {
		t.Fatal(err)
	}
	if old, err := wire.Unmarshal[tillRulesOfOld](raw); err != nil || old != (tillRulesOfOld{Version: 7, SignIn: true}) {
		t.Errorf("read %+v, %v", old, err)
	}
	if raw, err = wire.Marshal(tillRulesOfOld{Version: 7}); err != nil {
		t.Fatal(err)
	}
	if rules, err := wire.Unmarshal[loyalty.TillRules](raw); err != nil || rules.DayEnds != 0 {
		t.Errorf("read %+v, %v", rules, err)
	}
}
