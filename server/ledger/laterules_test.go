package ledger_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
)

// A sale may cite a rule set that HQ puts in force only later: one that it had lost in
// a restore, or whose number a terminal made up. What was posted for it is no longer
// what its facts give. A late fact then corrects that; it never builds on it.
func TestG7_ARuleSetMayComeAfterItsSales(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 100)
	till, other := hq.Till(t, "till"), hq.Till(t, "other")
	late := other.Sale(t, account, 500, 0)
	other.Write(t, entry.KindSale, late)
	till.Skip(time.Minute)
	rules := loyalty.RuleSet{Version: 9, Currency: "EUR", Earn: []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}}}
	till.Write(t, entry.KindSale, till.Basket(t, account, rules, 0, entry.Line{No: 1, SKU: "a", Quantity: 1, Amount: 1000}))
	till.Sync(t, 1)
	hq.Apply(t)
	hq.Verify(t)
	if got := suspended(t, hq); got != 10 {
		t.Fatalf("%d in suspense", got)
	}
	hq.More = []loyalty.RuleSet{rules}
	other.Sync(t, 1)
	hq.Apply(t)
	hq.Verify(t)
	if free, waits := hq.Holding(t, account, "points").Free, suspended(t, hq); free != 115 || waits != 0 {
		t.Errorf("%d free, %d in suspense", free, waits)
	}
}
