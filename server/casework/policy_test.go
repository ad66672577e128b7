package casework_test

import (
	"math"
	"testing"
	"time"

	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
)

// What an entry claims may be any number. The least of all is above each limit, as its
// opposite is.
func TestNoAmountIsTooLargeForALimit(t *testing.T) {
	policy := casework.Policy{Limits: []casework.Limit{{Unit: "points", Above: 100}, {Currency: "EUR", Above: 100}}}
	for _, n := range []int64{math.MinInt64, math.MinInt64 + 1, -101, 101, math.MaxInt64} {
		for _, e := range []ledger.Exception{{Unit: "points", Amount: n}, {Currency: "EUR", Money: n}} {
			if !policy.NeedsTwo(e) {
				t.Errorf("%+v takes one person", e)
			}
		}
	}
	for _, n := range []int64{-100, 0, 100} {
		if policy.NeedsTwo(ledger.Exception{Unit: "points", Amount: n}) {
			t.Errorf("%d takes two people", n)
		}
	}
}

// The row for the cause goes before that for all, the shorter before the longer, and a
// limit for the cause before one for all even where it is higher.
func TestThePolicyOfACauseGoesFirst(t *testing.T) {
	policy := casework.Policy{
		Due: []casework.DueRule{
			{Days: 30},
			{Days: 20, Unit: "points", Above: 100},
			{Days: 40, Kind: ledger.Fork},
			{Days: 35, Kind: ledger.Fork, Currency: "EUR", Above: 500},
			{Days: 2, Kind: ledger.Overdraw, Unit: "points", Above: 1000},
		},
		Limits: []casework.Limit{
			{Unit: "points", Above: 100},
			{Currency: "EUR", Above: 50},
			{Kind: ledger.Overdraw, Unit: "points", Above: 1000},
			{Kind: ledger.TerminalLost},
		},
	}
	for _, c := range []struct {
		e    ledger.Exception
		days int
		two  bool
	}{
		{ledger.Exception{Kind: ledger.SaleRepeated}, 30, false},
		{ledger.Exception{Kind: ledger.SaleRepeated, Unit: "points", Amount: 100}, 30, false},
		{ledger.Exception{Kind: ledger.SaleRepeated, Unit: "points", Amount: -101}, 20, true},
		{ledger.Exception{Kind: ledger.SaleRepeated, Unit: "stamps", Amount: 5000}, 30, false},
		{ledger.Exception{Kind: ledger.Fork}, 40, false},
		{ledger.Exception{Kind: ledger.Fork, Currency: "EUR", Money: 501}, 35, true},
		{ledger.Exception{Kind: ledger.Fork, Currency: "PLN", Money: 501}, 40, false},
		{ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 1000}, 20, false},
		{ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 1001}, 2, true},
		{ledger.Exception{Kind: ledger.Overdraw, Unit: "points", Amount: 1, Currency: "EUR", Money: 51}, 30, true},
		{ledger.Exception{Kind: ledger.TerminalLost}, 30, true},
	} {
		c.e.RecordedAt = now.UnixMilli()
		if got := policy.DueAt(c.e); !got.Equal(now.AddDate(0, 0, c.days)) || policy.NeedsTwo(c.e) != c.two {
			t.Errorf("%+v: due %s, two %t", c.e, got, policy.NeedsTwo(c.e))
		}
	}
	if none := (casework.Policy{}); !none.DueAt(ledger.Exception{}).Equal(time.UnixMilli(0).AddDate(0, 0, casework.DefaultDays)) || none.NeedsTwo(ledger.Exception{Unit: "points", Amount: math.MaxInt64}) {
		t.Error("no policy has limits, or another time")
	}
}
