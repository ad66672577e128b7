package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

var errPowerCut = errors.New("power cut")

func TestG4_ACrashBetweenPostingAndCursorPostsNothingTwice(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Void(t, till.Sell(t, account, 2500, 200), account)
	till.Sell(t, account, 2500, 100)
	till.Sync(t, 1)
	hq.Ledger.BreakBetween(func() error { return errPowerCut })
	for range 3 {
		if _, err := hq.Ledger.Apply(context.Background()); !errors.Is(err, errPowerCut) {
			t.Fatalf("apply: %v", err)
		}
	}
	if status, err := hq.Ledger.Status(context.Background()); err != nil || status.Accepted != 4 {
		t.Fatalf("status: %+v, %v", status, err)
	}
	hq.Ledger.BreakBetween(nil)
	hq.Apply(t)
	if h := hq.Holding(t, account, "points"); h.Free != 500-100+24 {
		t.Errorf("points: %+v", h)
	}
	hq.Verify(t)
}

// The same with exactly-once switched off must not pass.
func TestG4_TheCrashTestHasTeeth(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2500, 100)
	till.Sync(t, 1)
	hq.Ledger.Forget(true)
	hq.Ledger.BreakBetween(func() error { return errPowerCut })
	if _, err := hq.Ledger.Apply(context.Background()); !errors.Is(err, errPowerCut) {
		t.Fatalf("apply: %v", err)
	}
	hq.Ledger.BreakBetween(nil)
	hq.Apply(t)
	if h := hq.Holding(t, account, "points"); h.Free != 500-100+24 {
		t.Errorf("the database let the set count twice: %+v", h)
	}
	if list := hq.Exceptions(t, ledger.FactSetAside); len(list) != 1 { // the keys of its postings are taken
		t.Error("a ledger that forgets its sources applied a set twice and nothing noticed")
	}
}

// Batches of several terminals sent again, in any order, cut anywhere, applied at
// any moment: the ledger changes once.
func TestG4_AnyDeliveryPostsEachEntryOnce(t *testing.T) {
	hq := books.New(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		w := newDelivery(t, hq, round)
		for range rapid.IntRange(5, 25).Draw(t, "steps") {
			w.step(t)
		}
		w.finish(t)
	})
	hq.Verify(t)
}

type delivery struct {
	hq       *books.HQ
	accounts []uuid.UUID
	tills    []*books.Till
	want     map[uuid.UUID]int64
	receipts map[string][]byte
}

func newDelivery(t *rapid.T, hq *books.HQ, round int) *delivery {
	w := &delivery{hq: hq, want: map[uuid.UUID]int64{}, receipts: map[string][]byte{}}
	for i := range 3 {
		account := hq.Member(t, fmt.Sprintf("%d/%d", round, i), 1000)
		w.accounts, w.want[account] = append(w.accounts, account), 1000
	}
	for i := range 2 {
		till := hq.Till(t, fmt.Sprintf("%d/%d", round, i))
		for range rapid.IntRange(1, 12).Draw(t, "sales") {
			w.sell(t, till)
		}
		w.tills = append(w.tills, till)
	}
	return w
}

func (w *delivery) sell(t *rapid.T, till *books.Till) {
	account := rapid.SampledFrom(w.accounts).Draw(t, "account")
	redeem := rapid.Int64Range(0, 400).Draw(t, "redeem")
	sale := till.Sell(t, account, 1000, redeem)
	if rapid.IntRange(0, 4).Draw(t, "void") == 0 {
		till.Void(t, sale, account)
		return
	}
	w.want[account] += (1000-redeem)/100 - redeem
}

func (w *delivery) step(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "apply") == 0 {
		w.hq.Apply(t)
		return
	}
	till := rapid.SampledFrom(w.tills).Draw(t, "till")
	first := rapid.IntRange(1, len(till.Entries)).Draw(t, "first")
	w.push(t, till, first, rapid.IntRange(first, len(till.Entries)).Draw(t, "last"))
}

func (w *delivery) push(t *rapid.T, till *books.Till, first, last int) {
	receipt, err := till.Push(first, last)
	if problem.CodeOf(err) == problem.BatchGap && err != nil {
		return
	}
	if err != nil {
		t.Fatalf("push %d to %d: %v", first, last, err)
	}
	key := fmt.Sprint(till.ID, first, last)
	if before, ok := w.receipts[key]; ok && string(before) != string(receipt) {
		t.Fatalf("batch %d to %d got another receipt", first, last)
	}
	w.receipts[key] = receipt
}

func (w *delivery) finish(t *rapid.T) {
	for _, till := range w.tills {
		w.push(t, till, 1, len(till.Entries))
		if w.hq.Quarantined(till.ID) {
			t.Fatalf("an honest terminal was quarantined")
		}
	}
	w.hq.Apply(t)
	for account, want := range w.want {
		if got := w.hq.Holding(t, account, "points").Balance(); got != want {
			t.Fatalf("account has %d, its sales give %d", got, want)
		}
	}
}

// HQ takes a right back after a crash between posting a use of it and moving the cursor:
// what is read again has been applied already, as of when it happened.
func TestG4_AUseOfARightTakenBackAfterACrashCountsOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { takenBackAfterACrash(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { takenBackAfterACrash(t, books.On(t, blank.PostgreSQL(t), 1)) })
}

func takenBackAfterACrash(t *testing.T, hq *books.HQ) {
	account := hq.Member(t, "ann", 500)
	a, b := hq.Till(t, "1"), hq.Till(t, "2")
	give(t, hq, account, a, rightID("1"), 300)
	a.Skip(time.Minute)
	a.Void(t, redeemOn(t, a, account, rightID("1"), 240), account)
	redeemOn(t, a, account, rightID("1"), 100)
	lend(t, a, b, account, rightID("1"), rightID("loan"), 50)
	hq.Clock.Advance(24 * time.Hour)
	a.Sync(t, 1)
	hq.Ledger.BreakBetween(func() error { return errPowerCut })
	if _, err := hq.Ledger.Apply(context.Background()); !errors.Is(err, errPowerCut) {
		t.Fatalf("apply: %v", err)
	}
	hq.Ledger.BreakBetween(nil)
	holds(t, hq, account, 200, 200, 0)
	takeBack(t, hq, account, rightID("1"), entry.TakeBackEnded)
	holds(t, hq, account, 350, 50, 0)
	hq.Apply(t)
	holds(t, hq, account, 350, 50, 0)
	hq.Verify(t)
}
