package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

var clerk = uuid.NewSHA1(uuid.Nil, []byte("clerk"))

// decide decides about all open exceptions of a kind, one by one.
func decide(t books.Failer, hq *books.HQ, kind ledger.ExceptionKind, verdict entry.Verdict) int {
	done := 0
	for _, e := range hq.Exceptions(t, kind) {
		if e.State != ledger.ExceptionOpen {
			continue
		}
		after, err := hq.Ledger.Decide(context.Background(), clerk, e, verdict)
		if err != nil {
			t.Fatalf("decide about %s: %v", kind, err)
		}
		want := map[entry.Verdict]string{entry.VerdictRelease: ledger.ExceptionReleased, entry.VerdictReject: ledger.ExceptionRejected}[verdict]
		if after.State != want || after.ExplainedBy == (ledger.Exception{}).ExplainedBy {
			t.Fatalf("decided: %+v", after)
		}
		done++
	}
	return done
}

// suspended is what is in the book of suspense, over all units.
func suspended(t books.Failer, hq *books.HQ) (sum int64) {
	all, err := hq.Ledger.TrialBalance(context.Background())
	if err != nil {
		t.Fatalf("trial balance: %v", err)
	}
	for _, b := range all {
		if b.Book == loyalty.BookSuspense {
			sum += max(b.Amount, -b.Amount)
		}
	}
	return sum
}

// A terminal that was revoked delivers a full queue: every fact goes to suspense
// and none is refused. Released, they are what they would have been; rejected, they
// are as if they had never been. Whoever decided is in HQ's journal.
func TestG5_AFullQueueOfARevokedTerminalWaitsForAPerson(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		honest, judged, without := books.New(t), books.New(t), books.New(t)
		all := []*books.HQ{honest, judged, without}
		var account uuid.UUID
		for _, hq := range all {
			account = hq.Member(rt, "ann", 300)
		}
		good, bad := honest.Till(rt, "good"), honest.Till(rt, "bad")
		var sales []entry.Sale
		for range rapid.IntRange(3, 12).Draw(rt, "facts") {
			till := rapid.SampledFrom([]*books.Till{good, bad}).Draw(rt, "till")
			switch n := rapid.IntRange(0, 4).Draw(rt, "what"); {
			case n == 0 && len(sales) > 0:
				till.Void(rt, rapid.SampledFrom(sales).Draw(rt, "sale").ID, account)
			case n == 1 && len(sales) > 0:
				sale := rapid.SampledFrom(sales).Draw(rt, "back")
				till.Return(rt, entry.Return{Sale: sale.ID, Account: account, Matched: true, Refund: entry.Money{Minor: sale.Total.Minor / 2}})
			default:
				sale := till.Sale(rt, account, rapid.Int64Range(1, 90).Draw(rt, "total")*100, rapid.SampledFrom([]int64{0, 60}).Draw(rt, "redeem"))
				till.Write(rt, entry.KindSale, sale)
				sales = append(sales, sale)
			}
			other := map[*books.Till]*books.Till{good: bad, bad: good}[till]
			other.Skip(till.Now().Sub(other.Now()))
		}
		for _, hq := range all {
			good.At(hq).Sync(rt, 1)
			hq.Apply(rt)
			if hq == without {
				continue
			}
			late := bad.At(hq)
			if hq == judged {
				late.State = ingest.StateRevoked
			}
			late.Sync(rt, 1)
			hq.Apply(rt)
		}
		verdict := rapid.SampledFrom([]entry.Verdict{entry.VerdictRelease, entry.VerdictReject}).Draw(rt, "verdict")
		want := map[entry.Verdict]*books.HQ{entry.VerdictRelease: honest, entry.VerdictReject: without}[verdict]
		judged.Clock.Advance(time.Second)
		decide(rt, judged, ledger.Unproven, verdict)
		judged.Verify(rt)
		if suspended(rt, judged) != 0 {
			rt.Fatalf("%d left in suspense", suspended(rt, judged))
		}
		if got, want := owns(rt, judged, account), owns(rt, want, account); got != want {
			rt.Fatalf("%s: got %s, want %s", verdict, got, want)
		}
	})
}

// owns is what an account has, lot by lot, as text.
func owns(t books.Failer, hq *books.HQ, account uuid.UUID) string {
	out := ""
	for _, unit := range []string{"points", "cups"} {
		h := hq.Holding(t, account, unit)
		out += fmt.Sprintf("%s: %d free, %d pending, %d owed;", unit, h.Free, h.Pending, h.Overdraft)
		var lots []string
		for _, l := range h.Lots {
			if l.Left > 0 {
				lots = append(lots, fmt.Sprintf(" %d of %d until %d", l.Left, l.Amount, l.ExpiresAt))
			}
		}
		slices.Sort(lots)
		out += fmt.Sprint(lots)
	}
	return out
}

func TestDecisionsAreMadeOnceAndOnlyAboutWhatWaits(t *testing.T) {
	ctx := context.Background()
	hq := books.New(t)
	ann := hq.Member(t, "ann", 10)
	till := hq.Till(t, "1")
	till.Sell(t, ann, 100, 50) // overdraws
	till.Sync(t, 1)
	sale := till.Sale(t, ann, 900, 0)
	sale.Earned[0].Amount = 50 // 9 are right
	till.Write(t, entry.KindSale, sale)
	till.Sync(t, 3)
	till.State = ingest.StateRevoked
	till.Sell(t, ann, 200, 0)
	till.Sell(t, uuid.NewSHA1(hq.ID, []byte("nobody")), 200, 0)
	till.Sync(t, 4)
	hq.Apply(t)
	hq.Clock.Advance(time.Second)
	find := func(kind ledger.ExceptionKind) ledger.Exception {
		t.Helper()
		list := hq.Exceptions(t, kind)
		if len(list) == 0 {
			t.Fatalf("no exception %s", kind)
		}
		return list[len(list)-1]
	}
	for _, c := range []struct {
		name    string
		of      ledger.Exception
		verdict entry.Verdict
		want    problem.Code
	}{
		{"what does not wait", find(ledger.Overdraw), entry.VerdictRelease, problem.StateConflict},
		{"no verdict", find(ledger.EarningDiffers), 0, problem.InvalidField},
		{"a verdict unknown", find(ledger.EarningDiffers), 7, problem.InvalidField},
		{"an exception that is not there", ledger.Exception{ID: clerk, Kind: ledger.Unproven, Account: ann}, entry.VerdictRelease, problem.NotFound},
		{"an account that is not there", ledger.Exception{ID: clerk, Kind: ledger.Unproven, Account: clerk}, entry.VerdictRelease, problem.NotFound},
		{"what was earned too much", find(ledger.EarningDiffers), entry.VerdictRelease, ""},
		{"the same again", find(ledger.EarningDiffers), entry.VerdictRelease, ""},
		{"otherwise", find(ledger.EarningDiffers), entry.VerdictReject, problem.StateConflict},
	} {
		if _, err := hq.Ledger.Decide(ctx, clerk, c.of, c.verdict); c.want == "" && err != nil || c.want != "" && problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if h := hq.Holding(t, ann, "points"); h.Free != 10-50+9+41 || h.Overdraft != 0 {
		t.Errorf("released: %+v", h)
	}
	history, _, err := hq.Ledger.History(ctx, ann, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	corrections := 0
	for _, p := range history {
		if p.Corrects != (ledger.Posting{}).Corrects {
			corrections++
		}
	}
	if corrections == 0 {
		t.Error("the release does not show as corrections")
	}
	hq.Verify(t)
}

// stars is a rule set that has another unit, by a version that comes later.
var stars = loyalty.RuleSet{
	Version: 3, Currency: "EUR", Units: []loyalty.Unit{{Name: "points"}, {Name: "cups", Kind: loyalty.UnitStamps}, {Name: "stars", Kind: loyalty.UnitStamps}},
	Earn: append(slices.Clone(books.Rules.Earn), loyalty.EarnRule{Unit: "stars", Points: 2, Per: 100}),
}

// A sale in a unit that the cited rules do not know is taken; the unit waits in
// suspense and shows. When the catalogue gets the unit, what the new rules give is
// released, and shows as that.
func TestG5_AnUnknownUnitWaitsUntilTheCatalogueHasIt(t *testing.T) {
	ctx := context.Background()
	hq := books.New(t)
	hq.More = []loyalty.RuleSet{stars}
	ann := hq.Member(t, "ann", 10)
	till := hq.Till(t, "1")
	first := till.Sale(t, ann, 500, 0)
	first.Earned = append(first.Earned, entry.Earning{Unit: "stars", Amount: 10}, entry.Earning{Unit: "moons", Amount: 3})
	till.Write(t, entry.KindSale, first)
	second := till.Sale(t, ann, 500, 0)
	second.Redeemed = []entry.Redemption{{Unit: "stars", Amount: 4, Discount: 100, Basis: entry.BasisStandIn}}
	second.Earned = nil
	till.Write(t, entry.KindSale, second)
	deliver(t, hq, till)
	if got := hq.Exceptions(t, ledger.UnitUnknown); len(got) != 3 || suspended(t, hq) != 10-4+3 {
		t.Fatalf("%+v, %d in suspense", got, suspended(t, hq))
	}
	if got := hq.Holding(t, ann, "points").Free; got != 15 {
		t.Errorf("%d points: a known unit must not wait", got)
	}
	if n, err := hq.Ledger.ReleaseUnits(ctx, books.Rules); n != 0 || err != nil {
		t.Errorf("released %d by rules without the unit, %v", n, err)
	}
	open := hq.Exceptions(t, ledger.UnitUnknown)[0]
	if _, err := hq.Ledger.Decide(ctx, clerk, open, entry.VerdictRelease); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("released by a person: %v", err)
	}
	hq.Clock.Advance(time.Second)
	if n, err := hq.Ledger.ReleaseUnits(ctx, stars); n != 2 || err != nil {
		t.Fatalf("released %d, %v", n, err)
	}
	if h := hq.Holding(t, ann, "stars"); h.Free != 6 || h.Overdraft != 0 {
		t.Errorf("stars: %+v", h)
	}
	states := map[string]int{}
	for _, e := range hq.Exceptions(t, ledger.UnitUnknown) {
		states[e.Unit+" "+e.State]++
	}
	if states["stars released"] != 2 || states["moons open"] != 1 || suspended(t, hq) != 3 {
		t.Errorf("%v, %d in suspense", states, suspended(t, hq))
	}
	hq.Verify(t)
	decide(t, hq, ledger.UnitUnknown, entry.VerdictReject)
	if suspended(t, hq) != 0 {
		t.Errorf("rejected, and %d in suspense", suspended(t, hq))
	}
	if h := hq.Holding(t, ann, "stars"); h.Free != 6 {
		t.Errorf("moons were rejected, stars: %+v", h)
	}
	hq.Verify(t)
}
