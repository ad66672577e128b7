package ledger_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// The same facts in any order of arrival give the same balances, the same lots and
// the same open exceptions; all books sum to zero, and folding each account from
// its facts gives what is stored.
func TestG7_AnyOrderOfArrivalGivesTheSameLedger(t *testing.T) {
	straight, mixed := books.New(t), books.New(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		w := newPair(t, straight, mixed, round)
		straight.Ledger.SnapshotEvery(0)
		mixed.Ledger.SnapshotEvery(rapid.SampledFrom([]int{1, 2, 4, 64}).Draw(t, "snapshot every"))
		for range rapid.IntRange(2, 14).Draw(t, "facts") {
			w.fact(t)
		}
		w.deliverInTurn(t)
		w.deliverMixed(t)
		if diff := w.differ(t); diff != "" {
			t.Fatal(diff)
		}
		if round%10 == 0 {
			straight.Verify(t)
			mixed.Verify(t)
		}
	})
	mixed.Verify(t)
	checkTrialBalance(t, mixed)
}

// pair is two head offices that hear of the same facts.
type pair struct {
	a, b     *books.HQ
	accounts []uuid.UUID
	tills    []*books.Till // of a
	sales    []soldAt
}

type soldAt struct {
	entry.Sale
	till *books.Till
	seq  uint64
}

func newPair(t books.Failer, a, b *books.HQ, round int) *pair {
	w := &pair{a: a, b: b}
	at := a.Clock.Now()
	if b.Clock.Now().After(at) {
		at = b.Clock.Now()
	}
	a.Clock.Set(at)
	b.Clock.Set(at)
	for i := range 2 {
		name := fmt.Sprintf("%d/%d", round, i)
		a.Member(t, name, 0)
		w.accounts = append(w.accounts, b.Member(t, name, 0))
		for _, hq := range []*books.HQ{a, b} {
			err := hq.Ledger.Adjust(context.Background(), entry.HQAdjustment{
				Account: w.accounts[i], Unit: "points", Amount: 50, Reason: 1, ExpiresAt: at.Add(30 * time.Hour).UnixMilli(),
			})
			if err != nil {
				t.Fatalf("adjust: %v", err)
			}
		}
	}
	a.Clock.Advance(time.Second)
	b.Clock.Advance(time.Second)
	for i := range 3 {
		w.tills = append(w.tills, a.Till(t, fmt.Sprintf("%d/%d", round, i)))
	}
	return w
}

func (w *pair) fact(t *rapid.T) {
	till := rapid.SampledFrom(w.tills).Draw(t, "till")
	till.Skip(time.Duration(rapid.IntRange(0, 20).Draw(t, "hours")) * time.Hour)
	kind := rapid.IntRange(0, 6).Draw(t, "kind")
	if kind < 4 || len(w.sales) == 0 {
		w.sell(t, till)
		return
	}
	sale := rapid.SampledFrom(w.sales).Draw(t, "sale")
	switch kind {
	case 4:
		sale.till.Void(t, sale.ID, sale.Account)
	case 5:
		sale.till.Return(t, entry.Return{
			Sale: sale.ID, Origin: sale.till.ID, OriginEpoch: 1, OriginSeq: sale.seq, Account: sale.Account, Matched: true,
			Lines: w.lines(t), Refund: entry.Money{Minor: 100},
		})
	case 6:
		r := entry.Return{Sale: sale.ID, Origin: sale.till.ID, Lines: w.lines(t)}
		if rapid.Bool().Draw(t, "by place") {
			r = entry.Return{Origin: sale.till.ID, OriginEpoch: 1, OriginSeq: sale.seq, Refund: entry.Money{Minor: rapid.Int64Range(1, 3000).Draw(t, "refund")}}
		}
		till.Return(t, r)
	}
}

func (w *pair) sell(t *rapid.T, till *books.Till) {
	account := rapid.SampledFrom(w.accounts).Draw(t, "account")
	redeem := max(0, rapid.Int64Range(-40, 60).Draw(t, "redeem"))
	rules := rapid.SampledFrom([]loyalty.RuleSet{books.Rules, books.Brisk, books.Brisk}).Draw(t, "rules")
	sale := till.Basket(t, account, rules, redeem,
		entry.Line{No: 1, Quantity: 3000, Amount: rapid.Int64Range(100, 3000).Draw(t, "first"), Category: "coffee"},
		entry.Line{No: 2, Quantity: 1000, Amount: rapid.Int64Range(100, 3000).Draw(t, "second")})
	if rapid.IntRange(0, 9).Draw(t, "again") == 0 && len(w.sales) > 0 {
		sale.ID = rapid.SampledFrom(w.sales).Draw(t, "which").ID
	}
	till.Write(t, entry.KindSale, sale)
	w.sales = append(w.sales, soldAt{sale, till, uint64(len(till.Entries))})
}

func (w *pair) lines(t *rapid.T) []entry.ReturnLine {
	line := entry.ReturnLine{No: uint16(rapid.IntRange(1, 3).Draw(t, "line")), Quantity: rapid.Int64Range(1, 2).Draw(t, "quantity") * 1000}
	return []entry.ReturnLine{line}
}

// end is a time after all facts.
func (w *pair) end() time.Time {
	end := w.a.Clock.Now()
	for _, till := range w.tills {
		if till.Now().After(end) {
			end = till.Now()
		}
	}
	return end.Add(time.Minute)
}

func (w *pair) deliverInTurn(t *rapid.T) {
	w.a.Clock.Set(w.end())
	for _, till := range w.tills {
		till.Sync(t, 1)
		w.a.Apply(t)
	}
}

// deliverMixed brings the facts to the other one in pieces, some of them twice.
func (w *pair) deliverMixed(t *rapid.T) {
	w.b.Clock.Set(w.end())
	sent := map[*books.Till]int{}
	for {
		var left []*books.Till
		for _, till := range w.tills {
			if sent[till] < len(till.Entries) {
				left = append(left, till)
			}
		}
		if len(left) == 0 {
			return
		}
		till := rapid.SampledFrom(left).Draw(t, "next")
		first := rapid.IntRange(1, sent[till]+1).Draw(t, "from")
		last := rapid.IntRange(sent[till]+1, len(till.Entries)).Draw(t, "to")
		if _, err := till.At(w.b).Push(first, last); err != nil {
			t.Fatalf("push: %v", err)
		}
		sent[till] = last
		if rapid.Bool().Draw(t, "apply") || len(left) == 1 {
			w.b.Apply(t)
		}
		if rapid.IntRange(0, 5).Draw(t, "drop snapshots") == 0 {
			if err := w.b.Ledger.DropSnapshots(context.Background(), w.accounts[0]); err != nil {
				t.Fatalf("drop snapshots: %v", err)
			}
		}
		if rapid.IntRange(0, 5).Draw(t, "pass") == 0 {
			w.pass(t, w.b, w.end().Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "hours ago"))*time.Hour))
		}
	}
}

func (w *pair) pass(t books.Failer, hq *books.HQ, until time.Time) {
	for _, account := range w.accounts {
		if err := hq.Ledger.Pass(context.Background(), account, until.UnixMilli()); err != nil {
			t.Fatalf("let time pass: %v", err)
		}
	}
}

// differ lets the same time pass for both, and says how they differ.
func (w *pair) differ(t books.Failer) string {
	w.b.Apply(t)
	w.a.Apply(t)
	until := w.end().Add(5 * 24 * time.Hour)
	var seen [2]string
	for i, hq := range []*books.HQ{w.a, w.b} {
		hq.Clock.Set(until)
		w.pass(t, hq, until)
		for _, account := range w.accounts {
			seen[i] += picture(t, hq, account)
		}
	}
	if seen[0] == seen[1] && !strings.Contains(seen[0], "posted") {
		return ""
	}
	return "in turn:\n" + seen[0] + "mixed:\n" + seen[1]
}

// picture is an account in words: all lots, balances by lots and by postings, and
// what people must look at. Ids of lots that HQ gave depend on its journal.
func picture(t books.Failer, hq *books.HQ, account uuid.UUID) string {
	ctx := context.Background()
	lots, err := hq.Ledger.AllLots(ctx, account)
	if err != nil {
		t.Fatalf("read lots: %v", err)
	}
	var lines []string
	for _, row := range lots {
		row.ID = loyalty.ID{}
		lines = append(lines, fmt.Sprintf("lot %s %+v", row.Unit, row.Lot))
	}
	known, err := hq.Ledger.BalanceAsKnown(ctx, account, hq.Clock.Now().UnixMilli())
	if err != nil {
		t.Fatalf("balance: %v", err)
	}
	real, err := hq.Ledger.BalanceAsOf(ctx, account, hq.Clock.Now().UnixMilli())
	if err != nil {
		t.Fatalf("balance: %v", err)
	}
	for i, h := range real {
		if h.Check() != nil || h.Balance() != known[i].Balance() || h.Pending != known[i].Pending {
			lines = append(lines, fmt.Sprintf("folded %+v, posted %+v", h, known[i]))
		}
		lines = append(lines, fmt.Sprintf("%s free %d pending %d overdraft %d", h.Unit, h.Free, h.Pending, h.Overdraft))
	}
	list, _, err := hq.Ledger.Exceptions(ctx, ledger.ExceptionFilter{Account: account}, "", 0)
	if err != nil {
		t.Fatalf("exceptions: %v", err)
	}
	for _, e := range list {
		if e.State != ledger.ExceptionWithdrawn {
			lines = append(lines, fmt.Sprintf("%s %s %s %d %s", e.Kind, e.State, e.Unit, e.Amount, e.Source.Short()))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

// With folding again switched off, one late fact is enough for a difference that
// the property sees.
func TestG7_TheOrderTestHasTeeth(t *testing.T) {
	for _, broken := range []bool{false, true} {
		a, b := books.New(t), books.New(t)
		w := newPair(t, a, b, 1)
		early, late := w.tills[0], w.tills[1]
		early.Skip(2 * time.Hour)
		early.Write(t, entry.KindSale, early.Basket(t, w.accounts[0], books.Brisk, 40, entry.Line{No: 1, Quantity: 1000, Amount: 1000}))
		late.Skip(40 * time.Hour)
		late.Write(t, entry.KindSale, late.Basket(t, w.accounts[0], books.Brisk, 0, entry.Line{No: 1, Quantity: 1000, Amount: 1000}))
		a.Clock.Set(w.end())
		b.Clock.Set(w.end())
		b.Ledger.Straight(broken)
		for _, till := range []*books.Till{early, late} {
			till.Sync(t, 1)
			a.Apply(t)
		}
		for _, till := range []*books.Till{late, early} {
			till.At(b).Sync(t, 1)
			b.Apply(t)
		}
		b.Ledger.Straight(false)
		if diff := w.differ(t); (diff != "") != broken {
			t.Errorf("folding again switched off: %v; difference: %s", broken, diff)
		}
	}
}
