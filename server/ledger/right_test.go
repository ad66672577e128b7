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
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// give has HQ grant a right to a till, if that much is free.
func give(t books.Failer, hq *books.HQ, account uuid.UUID, till *books.Till, right uuid.UUID, amount int64) bool {
	given := false
	now := hq.Clock.Now().UnixMilli()
	err := hq.Ledger.DecideRight(context.Background(), account, "points", right, func(_ context.Context, h ledger.Held) (ledger.RightStep, error) {
		if given = h.Free >= amount; !given {
			return ledger.RightStep{}, nil
		}
		return ledger.RightStep{Grant: &entry.HQGrant{
			Right: right, Account: account, Unit: "points", Amount: amount, Store: till.Store, Terminal: till.ID, Epoch: 1,
			GrantedAt: now, EndsAt: now + time.Hour.Milliseconds(),
		}}, nil
	})
	if err != nil {
		t.Fatalf("grant: %v", err)
	}
	return given
}

func takeBack(t books.Failer, hq *books.HQ, account, right uuid.UUID, cause entry.TakeBackCause) {
	err := hq.Ledger.DecideRight(context.Background(), account, "points", right, func(context.Context, ledger.Held) (ledger.RightStep, error) {
		return ledger.RightStep{TakeBack: &entry.HQTakeBack{Right: right, Account: account, Unit: "points", Cause: cause, At: hq.Clock.Now().UnixMilli()}}, nil
	})
	if err != nil {
		t.Fatalf("take back: %v", err)
	}
}

// redeemOn writes a sale that redeems on a right and returns its id.
func redeemOn(t books.Failer, till *books.Till, account, right uuid.UUID, amount int64) uuid.UUID {
	sale := till.Sale(t, account, amount, amount)
	sale.Redeemed[0].Right, sale.Redeemed[0].Basis = right, entry.BasisAllowance
	till.Write(t, entry.KindSale, sale)
	return sale.ID
}

func release(t books.Failer, till *books.Till, account, right uuid.UUID) {
	till.Write(t, entry.KindAllowanceChange, entry.AllowanceChange{
		Op: entry.AllowanceReleased, Right: right, Account: account, Unit: "points", Reason: entry.ReleaseUnused,
	})
}

func lend(t books.Failer, from, to *books.Till, account, parent, right uuid.UUID, amount int64) {
	from.Write(t, entry.KindAllowanceChange, entry.AllowanceChange{
		Op: entry.AllowanceLent, Right: right, Parent: parent, Account: account, Unit: "points", Amount: amount, To: to.ID, ToEpoch: 1,
	})
}

func rightID(name string) uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte("right "+name)) }

func holds(t *testing.T, hq *books.HQ, account uuid.UUID, free, allowance, overdraft int64) {
	t.Helper()
	h := hq.Holding(t, account, "points")
	if h.Free != free || h.Allowance != allowance || h.Overdraft != overdraft {
		t.Errorf("free %d, allowance %d, overdraft %d; want %d, %d, %d", h.Free, h.Allowance, h.Overdraft, free, allowance, overdraft)
	}
}

func TestARightIsSpentVoidedAndReleased(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	give(t, hq, account, till, rightID("1"), 300)
	holds(t, hq, account, 200, 300, 0)
	hq.Clock.Advance(time.Minute)
	till.Skip(2 * time.Minute)
	sale := redeemOn(t, till, account, rightID("1"), 120)
	deliver(t, hq, till)
	holds(t, hq, account, 200, 180, 0)
	till.Void(t, sale, account)
	till.Sync(t, 3)
	hq.Apply(t)
	holds(t, hq, account, 200, 300, 0)
	release(t, till, account, rightID("1"))
	till.Sync(t, 4)
	hq.Apply(t)
	holds(t, hq, account, 500, 0, 0)
	redeemOn(t, till, account, rightID("1"), 50)
	till.Sync(t, 5)
	hq.Apply(t)
	holds(t, hq, account, 450, 0, 0)
	misused := hq.Exceptions(t, ledger.RightMisused)
	if len(misused) != 1 || misused[0].Attribution != loyalty.LossClone || misused[0].Amount != 50 {
		t.Errorf("exceptions: %+v", misused)
	}
	hq.Verify(t)
}

// A stand-in redemption never takes what rights hold, and what is earned later repays
// what was overdrawn before anything is free.
func TestG2_StandInLeavesRightsAlone(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	a, b := hq.Till(t, "1"), hq.Till(t, "2")
	give(t, hq, account, a, rightID("1"), 400)
	hq.Clock.Advance(time.Minute)
	b.Skip(2 * time.Minute)
	b.Sell(t, account, 250, 250)
	deliver(t, hq, b)
	holds(t, hq, account, 0, 400, 150)
	a.Skip(3 * time.Minute)
	redeemOn(t, a, account, rightID("1"), 400)
	deliver(t, hq, a)
	holds(t, hq, account, 0, 0, 150)
	over := hq.Exceptions(t, ledger.Overdraw)
	if len(over) != 1 || over[0].Terminal != b.ID || over[0].Attribution != loyalty.LossPolicy || over[0].Amount != 150 {
		t.Errorf("exceptions: %+v", over)
	}
	hq.Verify(t)
}

// The redemption arrives before the loan it was made on.
func TestALoanMayArriveAfterItWasSpent(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 100)
	a, b := hq.Till(t, "1"), hq.Till(t, "2")
	give(t, hq, account, a, rightID("1"), 100)
	hq.Clock.Advance(time.Minute)
	a.Skip(2 * time.Minute)
	b.Skip(2 * time.Minute)
	lend(t, a, b, account, rightID("1"), rightID("loan"), 60)
	b.Skip(time.Second)
	redeemOn(t, b, account, rightID("loan"), 50)
	deliver(t, hq, b)
	holds(t, hq, account, 0, 100, 50)
	if list := hq.Exceptions(t, ledger.RightUnknown); len(list) != 1 || list[0].State != ledger.ExceptionAwaiting {
		t.Fatalf("before the loan: %+v", list)
	}
	hq.Verify(t)
	deliver(t, hq, a)
	holds(t, hq, account, 0, 50, 0)
	if list := hq.Exceptions(t, ledger.RightUnknown); len(list) != 1 || list[0].State != ledger.ExceptionWithdrawn {
		t.Errorf("after the loan: %+v", list)
	}
	if list := hq.Exceptions(t, ledger.Overdraw); len(list) != 0 {
		t.Errorf("overdraws: %+v", list)
	}
	hq.Verify(t)
}

// What HQ takes back and gives to another stays the other's, though the first holder
// spent it before: that one is to blame.
func TestALateRecallIsTheLateSpendersLoss(t *testing.T) {
	for cause, want := range map[entry.TakeBackCause]loyalty.LossCause{
		entry.TakeBackGrace: loyalty.LossRecall, entry.TakeBackLost: loyalty.LossLane, entry.TakeBackReplaced: loyalty.LossClone,
	} {
		hq := books.New(t)
		account := hq.Member(t, "ann", 100)
		a, b := hq.Till(t, "1"), hq.Till(t, "2")
		give(t, hq, account, a, rightID("1"), 100)
		a.Skip(time.Minute)
		b.Skip(30 * time.Minute)
		redeemOn(t, a, account, rightID("1"), 80)
		hq.Clock.Advance(20 * time.Minute)
		takeBack(t, hq, account, rightID("1"), cause)
		give(t, hq, account, b, rightID("2"), 100)
		redeemOn(t, b, account, rightID("2"), 90)
		deliver(t, hq, b)
		deliver(t, hq, a)
		holds(t, hq, account, 0, 10, 80)
		over := hq.Exceptions(t, ledger.Overdraw)
		if len(over) != 1 || over[0].Terminal != a.ID || over[0].Attribution != want || over[0].Amount != 80 {
			t.Errorf("%s: exceptions %+v", cause, over)
		}
		hq.Verify(t)
	}
}

func TestPointsKeptWhereTheyWereEarned(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 0)
	a, b := hq.Till(t, "1"), hq.Till(t, "2")
	sale := a.Sale(t, account, 10_000, 0)
	sale.Kept = []entry.Kept{{Unit: "points", Amount: 1000, EndsAt: a.Now().Add(time.Hour).UnixMilli()}}
	a.Write(t, entry.KindSale, sale)
	redeemOn(t, a, account, sale.ID, 70)
	b.Skip(time.Minute)
	b.Sell(t, account, 20, 20)
	deliver(t, hq, a)
	deliver(t, hq, b)
	holds(t, hq, account, 0, 30, 20)
	a.Void(t, sale.ID, account)
	a.Sync(t, 4)
	hq.Apply(t)
	holds(t, hq, account, 0, 0, 90)
	hq.Verify(t)
}

// rightStorm plays tills and HQ against each other, each till delivering when it likes.
type rightStorm struct {
	hq      *books.HQ
	account uuid.UUID
	tills   []*books.Till
	sent    []int
	held    []map[uuid.UUID]int64
	sales   []map[uuid.UUID]rightSale
	name    string
	n       int
}

type rightSale struct {
	right  uuid.UUID
	amount int64
}

func (w *rightStorm) id() uuid.UUID {
	w.n++
	return rightID(fmt.Sprint(w.name, "/", w.n))
}

func (w *rightStorm) deliver(t *rapid.T, i int) {
	if w.sent[i] <= len(w.tills[i].Entries) {
		w.tills[i].Sync(t, w.sent[i])
		w.sent[i] = len(w.tills[i].Entries) + 1
	}
}

func (w *rightStorm) pick(t *rapid.T, i int) (uuid.UUID, int64) {
	var open []uuid.UUID
	for id, left := range w.held[i] {
		if left > 0 {
			open = append(open, id)
		}
	}
	if len(open) == 0 {
		return uuid.Nil, 0
	}
	slices.SortFunc(open, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	id := rapid.SampledFrom(open).Draw(t, "right")
	return id, w.held[i][id]
}

func (w *rightStorm) step(t *rapid.T) {
	i := rapid.IntRange(0, len(w.tills)-1).Draw(t, "till")
	till := w.tills[i]
	switch kind := rapid.IntRange(0, 8).Draw(t, "kind"); kind {
	case 0, 1:
		till.Skip(max(0, w.hq.Clock.Now().Sub(till.Now())))
		id, amount := w.id(), rapid.Int64Range(1, 60).Draw(t, "grant")
		if give(t, w.hq, w.account, till, id, amount) {
			w.held[i][id] = amount
		}
		w.hq.Clock.Advance(2 * time.Second)
		till.Skip(time.Second)
	case 2, 3:
		if id, left := w.pick(t, i); left > 0 {
			amount := rapid.Int64Range(1, left).Draw(t, "spend")
			w.sales[i][redeemOn(t, till, w.account, id, amount)] = rightSale{id, amount}
			w.held[i][id] -= amount
		}
	case 4:
		j := rapid.IntRange(0, len(w.tills)-1).Draw(t, "borrower")
		if id, left := w.pick(t, i); left > 0 && i != j {
			loan, amount := w.id(), rapid.Int64Range(1, left).Draw(t, "loan")
			lend(t, till, w.tills[j], w.account, id, loan, amount)
			w.held[i][id] -= amount
			w.held[j][loan] = amount
		}
	case 5:
		if id, left := w.pick(t, i); left > 0 {
			release(t, till, w.account, id)
			delete(w.held[i], id)
		}
	case 6:
		till.Sell(t, w.account, rapid.Int64Range(100, 3000).Draw(t, "total"), 0)
	case 7:
		w.deliver(t, i)
		if rapid.Bool().Draw(t, "apply") {
			w.hq.Apply(t)
		}
	case 8:
		if ids := sortedSales(w.sales[i]); len(ids) > 0 {
			s := w.sales[i][ids[0]]
			delete(w.sales[i], ids[0])
			till.Void(t, ids[0], w.account)
			if _, open := w.held[i][s.right]; open {
				w.held[i][s.right] += s.amount
			}
		}
	}
	if rapid.IntRange(0, 5).Draw(t, "time") == 0 {
		till.Skip(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
	}
}

func sortedSales(m map[uuid.UUID]rightSale) []uuid.UUID {
	out := make([]uuid.UUID, 0, len(m))
	for id := range m {
		out = append(out, id)
	}
	slices.SortFunc(out, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// Tills that only spend, lend, release and void what they hold cost nothing, in any
// order of delivery; the books hold what the tills believe is left.
func TestG2_HonestTillsNeverOverdraw(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { honestTills(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { honestTills(t, books.On(t, blank.PostgreSQL(t), 0)) })
}

func honestTills(t *testing.T, hq *books.HQ) {
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		w := rightStorm{hq: hq, name: fmt.Sprint(round), account: hq.Member(t, fmt.Sprint("ann", round), 100)}
		for i := range 3 {
			till := hq.Till(t, fmt.Sprint(round, "/", i))
			w.tills, w.sent = append(w.tills, till), append(w.sent, 1)
			w.held, w.sales = append(w.held, map[uuid.UUID]int64{}), append(w.sales, map[uuid.UUID]rightSale{})
		}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.step(t)
		}
		for i := range w.tills {
			w.deliver(t, i)
		}
		hq.Apply(t)
		var left int64
		for _, held := range w.held {
			for _, n := range held {
				left += n
			}
		}
		h := hq.Holding(t, w.account, "points")
		if h.Overdraft != 0 || h.Allowance != left {
			t.Fatalf("the tills hold %d; HQ has %+v", left, h)
		}
		for _, kind := range []ledger.ExceptionKind{ledger.Overdraw, ledger.RightMisused, ledger.RightUnknown} {
			for _, e := range hq.Exceptions(t, kind) {
				if e.Account == w.account && e.State != ledger.ExceptionWithdrawn {
					t.Fatalf("%s: %+v", kind, e)
				}
			}
		}
		if round%20 == 0 {
			hq.Verify(t)
		}
	})
	hq.Verify(t)
}
