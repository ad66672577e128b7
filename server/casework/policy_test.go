package casework_test

import (
	"math"
	"testing"

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
