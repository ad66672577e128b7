package ledger_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
)

// A sale on a right that HQ has taken back takes effect after what undoes it. The right
// that it kept was released with the void, at one moment with it and before it was made;
// it stays so when the account is folded again from a snapshot of that moment.
func TestASaleOnARightTakenBackIsVoidedAndReturned(t *testing.T) {
	for _, name := range []string{"void first", "return first"} {
		t.Run(name, func(t *testing.T) {
			hq := books.New(t)
			hq.Ledger.SnapshotEvery(1)
			account := hq.Member(t, "ann", 1100)
			a, b := hq.Till(t, "1"), hq.Till(t, "2")
			give(t, hq, account, a, rightID("1"), 240)
			a.Skip(time.Minute)
			sale := a.Sale(t, account, 2900, 240)
			sale.Redeemed[0].Right, sale.Redeemed[0].Basis = rightID("1"), entry.BasisAllowance
			sale.Kept = []entry.Kept{{Unit: "points", Amount: 20, EndsAt: a.Now().Add(time.Hour).UnixMilli()}}
			a.Write(t, entry.KindSale, sale)
			release(t, a, account, sale.ID)
			atOnce(a)
			a.Void(t, sale.ID, account)
			atOnce(a)
			release(t, a, account, rightID("1"))
			b.Skip(5 * time.Minute)
			b.Return(t, entry.Return{
				Sale: sale.ID, Origin: a.ID, OriginEpoch: 1, OriginSeq: 1, Member: sale.Member, Account: account, Matched: true,
				Refund: entry.Money{Minor: 100, Currency: sale.Total.Currency},
			})
			hq.Clock.Advance(24 * time.Hour)
			takeBack(t, hq, account, rightID("1"), entry.TakeBackGrace)
			tills := []*books.Till{a, b}
			if name == "return first" {
				tills = []*books.Till{b, a}
			}
			for _, till := range tills {
				till.Sync(t, 1)
				hq.Apply(t)
				hq.Verify(t)
			}
			holds(t, hq, account, 1100, 0, 0)
		})
	}
}

// A terminal that voids a sale on a right, and gives the right back with it, before HQ
// hears of any of it: HQ had taken the right back by grace, and nobody is a copy.
func TestG6_AReleaseAfterATakeBackBlamesNoCopy(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	a := hq.Till(t, "1")
	give(t, hq, account, a, rightID("1"), 100)
	a.Skip(time.Minute)
	sale := redeemOn(t, a, account, rightID("1"), 100)
	a.Skip(2 * time.Hour)
	a.Void(t, sale, account)
	release(t, a, account, rightID("1"))
	hq.Clock.Advance(26 * time.Hour)
	takeBack(t, hq, account, rightID("1"), entry.TakeBackGrace)
	deliver(t, hq, a)
	holds(t, hq, account, 500, 0, 0)
	for _, e := range hq.Exceptions(t, "") {
		if e.Attribution == loyalty.LossClone {
			t.Errorf("a copy is blamed: %+v", e)
		}
	}
}
