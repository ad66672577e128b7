package loyalty_test

import (
	"testing"

	"pgregory.net/rapid"

	. "github.com/tallystick/tallystick/internal/loyalty"
)

// Conservation and the net of the reversal algebra: whatever the order of earning,
// redeeming, vesting and undoing either, the holding agrees with its lots and with
// the moves, and its balance is what the facts that still stand add up to.
func TestG7_HoldingIsTheNetOfItsFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newHoldingWorld()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.step(t)
			w.check(t)
		}
		w.undoAll(t)
		if w.h.Balance() != 0 || w.h.Pending != 0 || w.h.Overdraft != 0 {
			t.Fatalf("after undoing everything: %+v", w.h)
		}
	})
}

type holdingWorld struct {
	h         Holding
	now       int64
	lots      map[ID]int64
	order     []ID
	redeemed  []Redemption
	books     map[Book]int64
	net       int64
	expired   map[ID]int64
	back      map[ID]int64
	lotNumber byte
}

func newHoldingWorld() *holdingWorld {
	return &holdingWorld{lots: map[ID]int64{}, books: map[Book]int64{}, expired: map[ID]int64{}, back: map[ID]int64{}, now: 1000}
}

func (w *holdingWorld) step(t *rapid.T) {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		w.earn(t)
	case 5:
		if len(w.order) > 0 {
			w.takeBack(t, rapid.SampledFrom(w.order).Draw(t, "lot"))
		}
	case 1:
		amount := rapid.Int64Range(1, 120).Draw(t, "redeem")
		r, moves, err := w.h.Redeem(amount, BookStore)
		w.took(t, moves, err)
		w.redeemed = append(w.redeemed, r)
		w.net -= amount
	case 2:
		w.now += rapid.Int64Range(1, 50).Draw(t, "wait")
		moves, err := w.h.Vest(w.now)
		w.took(t, moves, err)
	case 3:
		if len(w.order) > 0 {
			w.unearn(t, rapid.IntRange(0, len(w.order)-1).Draw(t, "which"))
		}
	case 4:
		if len(w.redeemed) > 0 {
			w.restore(t, rapid.IntRange(0, len(w.redeemed)-1).Draw(t, "which"))
		}
	}
}

func (w *holdingWorld) earn(t *rapid.T) {
	w.lotNumber++
	lot := Lot{ID: ID{w.lotNumber}, Amount: rapid.Int64Range(1, 100).Draw(t, "earn"), EarnedAt: w.now}
	if rapid.Bool().Draw(t, "vests later") {
		lot.VestsAt = w.now + 30
	}
	if rapid.Bool().Draw(t, "expires") {
		lot.ExpiresAt = w.now + rapid.Int64Range(50, 500).Draw(t, "expiry")
	}
	moves, err := w.h.Earn(lot, BookIssue, w.now)
	w.took(t, moves, err)
	w.lots[lot.ID] = lot.Amount
	w.order = append(w.order, lot.ID)
	w.net += lot.Amount
}

func (w *holdingWorld) unearn(t *rapid.T, i int) {
	id := w.order[i]
	moves, _, err := w.h.Unearn(id, BookIssue)
	w.took(t, moves, err)
	w.order = append(w.order[:i], w.order[i+1:]...)
	w.net -= w.lots[id] - w.expired[id] - w.back[id]
}

// takeBack takes a part of an earning back.
func (w *holdingWorld) takeBack(t *rapid.T, id ID) {
	l := w.h.Lot(id)
	// Never all of it: that is unearn's.
	amount := rapid.Int64Range(0, max(0, l.Amount-l.Back-w.expired[id]-1)).Draw(t, "amount")
	moves, _, err := w.h.TakeBack(id, amount, BookIssue)
	w.took(t, moves, err)
	w.back[id] += amount
	w.net -= amount
}

func (w *holdingWorld) restore(t *rapid.T, i int) {
	r := w.redeemed[i]
	moves, err := w.h.Restore(r, BookStore, w.now)
	w.took(t, moves, err)
	w.redeemed = append(w.redeemed[:i], w.redeemed[i+1:]...)
	w.net += r.Short
	for _, take := range r.Takes {
		w.net += take.Amount
	}
}

func (w *holdingWorld) undoAll(t *rapid.T) {
	for len(w.redeemed) > 0 {
		w.restore(t, 0)
		w.check(t)
	}
	for len(w.order) > 0 {
		w.unearn(t, 0)
		w.check(t)
	}
}

func (w *holdingWorld) took(t *rapid.T, moves []Move, err error) {
	if err != nil {
		t.Fatalf("%v in %+v", err, w.h)
	}
	for _, m := range moves {
		if m.Amount <= 0 || m.From == m.To {
			t.Fatalf("move %+v", m)
		}
		w.books[m.From] -= m.Amount
		w.books[m.To] += m.Amount
		if m.To == BookLapsed {
			w.expired[m.Lot] += m.Amount
			w.net -= m.Amount
		}
	}
}

func (w *holdingWorld) check(t *rapid.T) {
	if err := w.h.Check(); err != nil {
		t.Fatalf("%v: %+v", err, w.h)
	}
	want := map[Book]int64{BookFree: w.h.Free, BookPending: w.h.Pending, BookOverdraft: -w.h.Overdraft}
	for book, amount := range want {
		if w.books[book] != amount {
			t.Fatalf("%s has %d by its moves, %d in the holding", book, w.books[book], amount)
		}
	}
	if got := w.h.Balance() + w.h.Pending; got != w.net {
		t.Fatalf("balance %d, facts add up to %d: %+v", got, w.net, w.h)
	}
	if w.h.Overdraft > 0 && w.h.Free > 0 {
		t.Fatalf("owes %d and has %d free", w.h.Overdraft, w.h.Free)
	}
}

func TestRedeemTakesFirstExpiryFirstAndRestoreGivesItsExpiryBack(t *testing.T) {
	h := Holding{Unit: "points"}
	for _, lot := range []Lot{
		{ID: ID{1}, Amount: 50},
		{ID: ID{2}, Amount: 30, ExpiresAt: 900},
		{ID: ID{3}, Amount: 20, ExpiresAt: 500},
	} {
		if _, err := h.Earn(lot, BookIssue, 0); err != nil {
			t.Fatal(err)
		}
	}
	r, _, err := h.Redeem(60, BookStore)
	if err != nil {
		t.Fatal(err)
	}
	want := []Take{{ID{3}, 20}, {ID{2}, 30}, {ID{1}, 10}}
	for i, take := range r.Takes {
		if take != want[i] {
			t.Errorf("take %d is %v, want %v", i, take, want[i])
		}
	}
	if _, err := h.Restore(r, BookStore, 0); err != nil {
		t.Fatal(err)
	}
	if l := h.Lot(ID{3}); l.Left != 20 || l.ExpiresAt != 500 {
		t.Errorf("lot 3 is %+v", l)
	}
}

func TestAmountsAtTheEdgeAreRefusedWhole(t *testing.T) {
	h := Holding{Unit: "points", Free: MaxAmount - 1, Lots: []Lot{{ID: ID{1}, Amount: MaxAmount - 1, Left: MaxAmount - 1}}}
	before := h.Clone()
	if _, err := h.Earn(Lot{ID: ID{2}, Amount: 2}, BookIssue, 0); err == nil {
		t.Error("a sum over the limit was earned")
	}
	for _, amount := range []int64{0, -1} {
		if _, _, err := h.Redeem(amount, BookStore); err == nil {
			t.Errorf("%d was redeemed", amount)
		}
	}
	if h.Free != before.Free || len(h.Lots) != 1 {
		t.Errorf("a refused amount changed the holding: %+v", h)
	}
}
