package account_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// across is a life with one merge in it: sales on A before, returns and voids of
// them after, by a till that heard of the merge or did not.
type across struct {
	*rig
	a, b  uuid.UUID // members
	own   uuid.UUID // the account of a before
	link  uuid.UUID
	sales []entry.Sale
}

func (w *across) sell(t *rapid.T) {
	acct := w.own
	if rapid.Bool().Draw(t, "till knows") {
		acct = w.accountOf(t, w.a)
	}
	sale := w.till.Sale(t, acct, rapid.Int64Range(2, 60).Draw(t, "total")*100, rapid.SampledFrom([]int64{0, 0, 40}).Draw(t, "redeem"))
	sale.Member = w.a
	w.till.Write(t, entry.KindSale, sale)
	w.sales = append(w.sales, sale)
}

func (w *across) undo(t *rapid.T) {
	if len(w.sales) == 0 {
		return
	}
	sale := rapid.SampledFrom(w.sales).Draw(t, "sale")
	acct := sale.Account
	if rapid.Bool().Draw(t, "till knows") {
		acct = w.accountOf(t, w.a)
	}
	if rapid.Bool().Draw(t, "void") {
		w.till.Void(t, sale.ID, acct)
		return
	}
	w.till.Return(t, entry.Return{
		Sale: sale.ID, Origin: w.till.ID, Member: w.a, Account: acct, Matched: true, Refund: entry.Money{Minor: sale.Total.Minor / rapid.Int64Range(1, 3).Draw(t, "part")},
	})
}

// Sales on A, a merge of A into B, returns and voids of those sales, and perhaps the
// end of the merge, in any order of arrival: clearing is empty, what both have is
// what the facts give in all, and every account is what its facts fold to.
func TestG7_ReturnsAcrossAMergeConserve(t *testing.T) {
	r, lives := newRig(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		lives++
		name := time.Duration(lives).String()
		w := &across{rig: r, a: r.member(rt, "a"+name, 50), b: r.member(rt, "b"+name, 30)}
		w.own = w.accountOf(rt, w.a)
		w.till.Skip(2 * time.Hour)
		w.Clock.Advance(2 * time.Hour)
		w.run(rt, func() {
			l, err := w.accounts.Merge(context.Background(), uuid.Nil, w.a, w.b, 3)
			if err != nil {
				rt.Fatal(err)
			}
			w.link = l.ID
		})
		w.run(rt, func() {
			if rapid.Bool().Draw(rt, "unmerge") {
				w.settle(rt)
				if _, err := w.accounts.End(context.Background(), uuid.Nil, w.link, 3); err != nil {
					rt.Fatal(err)
				}
			}
		})
		w.run(rt, func() {})
		w.rig.sync(rt)
		w.settle(rt)
		w.checkConserved(rt)
	})
	r.Verify(t)
}

// run lives for some steps and then does something, before or after what the till
// wrote has arrived.
func (w *across) run(t *rapid.T, then func()) {
	for range rapid.IntRange(0, 4).Draw(t, "steps") {
		w.tick()
		w.till.Skip(time.Second)
		switch rapid.IntRange(0, 4).Draw(t, "what") {
		case 0, 1:
			w.sell(t)
		case 2, 3:
			w.undo(t)
		default:
			w.rig.sync(t)
		}
	}
	w.tick()
	if rapid.Bool().Draw(t, "sync") {
		w.rig.sync(t)
	}
	then()
	if rapid.Bool().Draw(t, "settle") {
		w.settle(t)
	}
}

// checkConserved compares what the two have with what was given and taken in all.
func (w *across) checkConserved(t *rapid.T) {
	if w.clearing(t) != 0 {
		t.Fatalf("%d are left in clearing", w.clearing(t))
	}
	has, given := int64(0), int64(0)
	for _, acct := range []uuid.UUID{w.own, w.accountOf(t, w.b)} {
		h := w.Holding(t, acct, "points")
		has += h.Balance()
		var lots int64
		for _, l := range h.Lots {
			if !l.Pending {
				lots += l.Left
			}
		}
		if lots != h.Free+h.Allowance {
			t.Fatalf("lots %d, holding %+v", lots, h)
		}
		for cursor := ""; ; {
			page, next, err := w.Ledger.History(context.Background(), acct, cursor, 500)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				if p.Unit == "points" && p.From.Own() != p.To.Own() && p.From != loyalty.BookClearing && p.To != loyalty.BookClearing {
					given += map[bool]int64{true: p.Amount, false: -p.Amount}[p.To.Own()]
				}
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	if has != given {
		t.Fatalf("both have %d, the world gave %d", has, given)
	}
}

// The order of arrival does not matter: a return that comes before its sale's
// account is linked or after gives the two the same in all.
func TestAReturnAfterAMergeArrivesInAnyOrder(t *testing.T) {
	for _, c := range []struct {
		name   string
		sold   bool // the sale arrives before the merge
		back   bool // the return too
		undone bool // the merge has ended when the rest arrives
	}{{"all before", true, true, false}, {"return after", true, false, false}, {"both after", false, false, false}, {"after the end", true, false, true}, {"both after the end", false, false, true}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			a, b := r.member(t, "ann", 100), r.member(t, "bo", 0)
			own := r.accountOf(t, a)
			r.till.Skip(time.Hour)
			sale := r.till.Sale(t, own, 3000, 60)
			sale.Member = a
			r.till.Write(t, entry.KindSale, sale)
			if c.sold {
				r.sync(t)
			}
			r.till.Return(t, entry.Return{Sale: sale.ID, Origin: r.till.ID, Member: a, Account: own, Matched: true, Whole: true})
			if c.back {
				r.sync(t)
			}
			r.Clock.Advance(time.Minute)
			l, err := r.accounts.Merge(context.Background(), uuid.Nil, a, b, 3)
			if err != nil {
				t.Fatal(err)
			}
			r.settle(t)
			if c.undone {
				r.tick()
				if _, err := r.accounts.End(context.Background(), uuid.Nil, l.ID, 3); err != nil {
					t.Fatal(err)
				}
				r.settle(t)
			}
			r.sync(t)
			r.settle(t)
			both := r.Holding(t, own, "points").Balance() + r.points(t, b).Balance()
			if both != 100 || r.clearing(t) != 0 {
				t.Errorf("both have %d, clearing %d", both, r.clearing(t))
			}
			r.Verify(t)
		})
	}
}

// A debt that goes with a merged card to an account that has enough ends the
// exception about it, and says by what.
func TestADebtThatTheMergedAccountCoversIsNoExceptionAnyMore(t *testing.T) {
	for _, c := range []struct {
		name  string
		bo    int64
		state string
	}{{"enough", 100, ledger.ExceptionCovered}, {"just enough", 40, ledger.ExceptionCovered}, {"not enough", 39, ledger.ExceptionOpen}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			a, b := r.member(t, "ann", 10), r.member(t, "bo", c.bo)
			r.till.Skip(time.Hour)
			r.sell(t, a, r.accountOf(t, a), 50, 50)
			r.sync(t)
			r.Clock.Advance(time.Minute)
			if open := r.Exceptions(t, ledger.Overdraw); len(open) != 1 || open[0].State != ledger.ExceptionOpen || open[0].Amount != 40 {
				t.Fatalf("%+v", open)
			}
			if _, err := r.accounts.Merge(context.Background(), uuid.Nil, a, b, 3); err != nil {
				t.Fatal(err)
			}
			r.settle(t)
			got := r.Exceptions(t, ledger.Overdraw)
			if len(got) != 1 || got[0].State != c.state || (got[0].ExplainedBy == ledger.Exception{}.ExplainedBy) != (c.state == ledger.ExceptionOpen) {
				t.Errorf("%+v", got)
			}
			if h := r.points(t, b); h.Balance() != c.bo-40 {
				t.Errorf("%+v", h)
			}
			r.Verify(t)
			// A late fact folds the account again: it stays covered.
			sale := r.till.Sale(t, r.accountOf(t, a), 200, 0)
			r.till.Skip(-30 * time.Minute)
			r.till.Write(t, entry.KindSale, sale)
			r.sync(t)
			r.settle(t)
			if got := r.Exceptions(t, ledger.Overdraw); len(got) != 1 || got[0].State != c.state {
				t.Errorf("after a late fact: %+v", got)
			}
			r.Verify(t)
		})
	}
}

// A row is booked in the account its member has when it is booked, and shows it.
func TestARowFollowsItsMemberThroughAMerge(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	a, b := r.member(t, "ann", 20), r.member(t, "bo", 5)
	own := r.accountOf(t, a)
	list, err := r.accounts.Preview(ctx, uuid.Nil, 3, []account.Wanted{{Member: a, Unit: "points", Amount: 7}, {Member: a, Unit: "points", Amount: -12}})
	if err != nil {
		t.Fatal(err)
	}
	r.tick()
	if _, err := r.accounts.Merge(ctx, uuid.Nil, a, b, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	if _, err := r.accounts.Commit(ctx, uuid.Nil, list.ID, false); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	rows, err := r.accounts.Rows(ctx, list.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if row.State != account.RowDone || row.Account != r.accountOf(t, b) || row.Account == own {
			t.Errorf("row %d: %+v", row.Line, row)
		}
	}
	if h := r.points(t, b); h.Balance() != 25+7-12 {
		t.Errorf("%+v", h)
	}
	if h := r.Holding(t, own, "points"); h.Balance() != 0 {
		t.Errorf("on the emptied account: %+v", h)
	}
	if _, err := r.accounts.Undo(ctx, uuid.Nil, list.ID); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	if h := r.points(t, b); h.Balance() != 25 {
		t.Errorf("undone: %+v", h)
	}
	r.Verify(t)
}

// Everything about links and moves that cannot be has a code, and leaves nothing.
func TestBadInput_LinksAndMoves(t *testing.T) {
	ctx := context.Background()
	r := newRig(t)
	a, b, c, d := r.member(t, "a", 10), r.member(t, "b", 10), r.member(t, "c", 10), r.member(t, "d", 10)
	nobody := uuid.NewSHA1(r.ID, []byte("nobody"))
	merge := func(who, into uuid.UUID) func() error {
		return func() error { _, err := r.accounts.Merge(ctx, uuid.Nil, who, into, 3); return err }
	}
	give := func(g account.Gift) func() error {
		return func() error { _, err := r.accounts.Give(ctx, uuid.Nil, g); return err }
	}
	first, err := r.accounts.Merge(ctx, uuid.Nil, a, b, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name   string
		do     func() error
		want   problem.Code
		settle bool // first
	}{
		{"merge while the last is under way", merge(b, c), problem.StateConflict, false},
		{"end a link that is beginning", func() error { _, err := r.accounts.End(ctx, uuid.Nil, first.ID, 3); return err }, problem.StateConflict, false},
		{"merge with oneself", merge(a, a), problem.AccountSame, true},
		{"merge twice", merge(a, b), problem.AccountSame, false},
		{"a circle", merge(b, a), problem.AccountSame, false},
		{"a third card", merge(c, a), "", false},
		{"a longer circle", merge(b, c), problem.AccountSame, true},
		{"merge nobody", merge(nobody, a), problem.NotFound, false},
		{"merge into nobody", merge(a, nobody), problem.InvalidField, false},
		{"merge without reason", func() error { _, err := r.accounts.Merge(ctx, uuid.Nil, d, a, 0); return err }, problem.InvalidField, false},
		{"end nothing", func() error { _, err := r.accounts.End(ctx, uuid.Nil, nobody, 3); return err }, problem.NotFound, false},
		{"give to oneself", give(account.Gift{From: d, To: d, Unit: "points", Amount: 1, Reason: 2}), problem.AccountSame, false},
		{"give to one's other card", give(account.Gift{From: a, To: b, Unit: "points", Amount: 1, Reason: 2}), problem.AccountSame, false},
		{"give nothing", give(account.Gift{From: d, To: a, Unit: "points", Reason: 2}), problem.InvalidField, false},
		{"give less than nothing", give(account.Gift{From: d, To: a, Unit: "points", Amount: -1, Reason: 2}), problem.InvalidField, false},
		{"give more than can be", give(account.Gift{From: d, To: a, Unit: "points", Amount: loyalty.MaxAmount + 1, Reason: 2}), problem.InvalidField, false},
		{"give more than is free", give(account.Gift{From: d, To: a, Unit: "points", Amount: 11, Reason: 2}), problem.PointsInsufficient, false},
		{"give an unknown unit", give(account.Gift{From: d, To: a, Unit: "moons", Amount: 1, Reason: 2}), problem.UnitUnknown, false},
		{"give to nobody", give(account.Gift{From: d, To: nobody, Unit: "points", Amount: 1, Reason: 2}), problem.InvalidField, false},
		{"give from nobody", give(account.Gift{From: nobody, To: a, Unit: "points", Amount: 1, Reason: 2}), problem.NotFound, false},
		{"give without reason", give(account.Gift{From: d, To: a, Unit: "points", Amount: 1}), problem.InvalidField, false},
		{"a household of nobody", func() error { _, _, err := r.accounts.OpenHousehold(ctx, uuid.Nil, nil, 3); return err }, problem.InvalidField, false},
		{"join what is no household", func() error { _, err := r.accounts.JoinHousehold(ctx, uuid.Nil, nobody, d, 3); return err }, problem.NotFound, false},
	} {
		if x.settle {
			r.settle(t)
		}
		if err := x.do(); problem.CodeOf(err) != x.want && (err != nil || x.want != "") {
			t.Errorf("%s: %v, want %q", x.name, err, x.want)
		}
		r.tick()
	}
	r.settle(t)
	if r.clearing(t) != 0 || r.points(t, d).Balance() != 10 {
		t.Errorf("clearing %d, d has %+v", r.clearing(t), r.points(t, d))
	}
	r.Verify(t)
}

// Who spent it all and is unmerged then has nothing left, and owes nothing.
func TestUnmergeAfterSpending(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	a, b := r.member(t, "a", 30), r.member(t, "b", 20)
	own := r.accountOf(t, a)
	l, err := r.accounts.Merge(ctx, uuid.Nil, a, b, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.till.Skip(2 * hour)
	r.Clock.Advance(2 * hour)
	r.sell(t, a, r.accountOf(t, a), 50, 50)
	r.sync(t)
	r.Clock.Advance(time.Minute)
	if _, err := r.accounts.End(ctx, uuid.Nil, l.ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	for _, acct := range []uuid.UUID{own, r.accountOf(t, b)} {
		if h := r.Holding(t, acct, "points"); h.Balance() != 0 || h.Overdraft != 0 {
			t.Errorf("%+v", h)
		}
	}
	if r.accountOf(t, a) != own {
		t.Error("the member has not its own account again")
	}
	_, err = r.accounts.End(ctx, uuid.Nil, l.ID, 3)
	wantCode(t, err, problem.StateConflict)
	r.Verify(t)
}

// What waits for a unit is released by Settle once the catalogue has it.
func TestSettleReleasesUnitsThatAreKnownByNow(t *testing.T) {
	r := newRig(t)
	r.More = []loyalty.RuleSet{{Version: 4, Currency: "EUR", Earn: books.Rules.Earn, Units: []loyalty.Unit{{Name: "stars"}}}}
	a := r.member(t, "ann", 0)
	sale := r.till.Sale(t, r.accountOf(t, a), 500, 0)
	sale.Redeemed = []entry.Redemption{{Unit: "stars", Amount: 2, Basis: entry.BasisStandIn}}
	sale.Earned = nil
	r.till.Write(t, entry.KindSale, sale)
	r.sync(t)
	r.settle(t)
	if got := r.Exceptions(t, ledger.UnitUnknown); len(got) != 1 || got[0].State != ledger.ExceptionOpen {
		t.Fatalf("%+v", got)
	}
	defer func(was loyalty.RuleSet) { catalogue = was }(catalogue)
	catalogue = r.More[0]
	r.settle(t) // too early to look again
	if got := r.Exceptions(t, ledger.UnitUnknown); got[0].State != ledger.ExceptionOpen {
		t.Errorf("looked again at once: %+v", got)
	}
	r.Clock.Advance(time.Minute)
	r.settle(t)
	if got := r.Exceptions(t, ledger.UnitUnknown); got[0].State != ledger.ExceptionReleased {
		t.Errorf("%+v", got)
	}
	if h := r.Holding(t, r.accountOf(t, a), "stars"); h.Overdraft != 2 {
		t.Errorf("%+v", h)
	}
	r.Verify(t)
}
