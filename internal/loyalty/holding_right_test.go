package loyalty_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	. "github.com/tallystick/tallystick/internal/loyalty"
)

// rightsWorld is a holding with rights on it, and the moves it made so far.
type rightsWorld struct {
	h      Holding
	now    int64
	books  map[Book]int64
	rights []ID
	spent  []spent
	lots   []ID
	n      byte
	shorts int64
}

type spent struct {
	right, holder ID
	Spending
}

func id(kind, n byte) ID { return ID{kind, n} }

func (w *rightsWorld) took(t *rapid.T, moves []Move, err error) {
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range moves {
		if m.Amount <= 0 || m.From == m.To {
			t.Fatalf("move %+v", m)
		}
		w.books[m.From] -= m.Amount
		w.books[m.To] += m.Amount
	}
	w.check(t)
}

// check holds the holding against its moves and the order of who is paid first.
func (w *rightsWorld) check(t *rapid.T) {
	h := w.h
	if err := h.Check(); err != nil {
		t.Fatalf("%v: %+v", err, h)
	}
	var sum int64
	for _, n := range w.books {
		sum += n
	}
	switch {
	case sum != 0:
		t.Fatalf("books sum to %d", sum)
	case w.books[BookFree] != h.Free || w.books[BookAllowance] != h.Allowance || -w.books[BookOverdraft] != h.Overdraft || w.books[BookPending] != h.Pending:
		t.Fatalf("moves say %v, the holding %+v", w.books, h)
	case h.Free+h.Nominal()-h.Uncovered()-h.Overdraft != h.Balance():
		t.Fatalf("rights do not add up: %+v", h)
	case h.Free > 0 && (h.Overdraft > 0 || h.Uncovered() > 0):
		t.Fatalf("%d are free while something is owed or uncovered: %+v", h.Free, h)
	case h.Uncovered() < 0:
		t.Fatalf("more is set aside than rights may redeem: %+v", h)
	}
}

func (w *rightsWorld) earn(t *rapid.T) {
	w.n++
	lot := Lot{ID: id('l', w.n), Amount: rapid.Int64Range(1, 100).Draw(t, "earn"), EarnedAt: w.now}
	if rapid.IntRange(0, 3).Draw(t, "vests") == 0 {
		lot.VestsAt = w.now + 30
	}
	if rapid.Bool().Draw(t, "expires") {
		lot.ExpiresAt = w.now + rapid.Int64Range(10, 300).Draw(t, "expiry")
	}
	moves, err := w.h.Earn(lot, BookIssue, w.now)
	w.took(t, moves, err)
	w.lots = append(w.lots, lot.ID)
}

func (w *rightsWorld) grant(t *rapid.T, most int64) {
	if most <= 0 {
		return
	}
	w.n++
	r := HeldRight{
		ID: id('r', w.n), Holder: id('t', byte(rapid.IntRange(1, 3).Draw(t, "holder"))), Epoch: 1, Kind: RightGranted,
		Amount: rapid.Int64Range(1, most).Draw(t, "grant"), MadeAt: w.now,
	}
	moves, err := w.h.MakeRight(r)
	w.took(t, moves, err)
	w.rights = append(w.rights, r.ID)
}

// spend redeems on a right, by its holder within it, or by anybody.
func (w *rightsWorld) spend(t *rapid.T, honest bool) {
	if len(w.rights) == 0 {
		return
	}
	right := w.h.Right(rapid.SampledFrom(w.rights).Draw(t, "right"))
	user, most := right.Holder, right.Left()
	if !honest {
		user, most = id('t', byte(rapid.IntRange(1, 3).Draw(t, "user"))), 150
	}
	if most == 0 {
		return
	}
	name := right.ID
	if !honest && rapid.IntRange(0, 3).Draw(t, "unknown") == 0 {
		w.n++
		name = id('r', w.n)
		w.rights = append(w.rights, name)
	}
	fence := w.h.Fence(name, user, 1, rapid.Int64Range(1, most).Draw(t, "spend"))
	done, moves, err := w.h.Spend(name, user, 1, fence, w.now, BookStore)
	w.took(t, moves, err)
	w.shorts += done.Short
	w.spent = append(w.spent, spent{name, user, done})
}

func (w *rightsWorld) lend(t *rapid.T) {
	if len(w.rights) == 0 {
		return
	}
	parent := w.h.Right(rapid.SampledFrom(w.rights).Draw(t, "parent"))
	if parent.Left() == 0 {
		return
	}
	w.n++
	before := w.h.Nominal()
	child := HeldRight{ID: id('r', w.n), Holder: id('t', byte(rapid.IntRange(1, 3).Draw(t, "borrower"))), Epoch: 1, Amount: rapid.Int64Range(1, parent.Left()).Draw(t, "loan"), MadeAt: w.now}
	moves, err := w.h.Lend(parent.ID, parent.Holder, parent.Epoch, child, w.h.Fence(parent.ID, parent.Holder, 1, child.Amount))
	w.took(t, moves, err)
	if w.h.Nominal() != before {
		t.Fatalf("a loan changed what rights may redeem from %d to %d", before, w.h.Nominal())
	}
	w.rights = append(w.rights, child.ID)
}

func (w *rightsWorld) closeRight(t *rapid.T) {
	if len(w.rights) == 0 {
		return
	}
	r := w.h.Right(rapid.SampledFrom(w.rights).Draw(t, "close"))
	end := rapid.SampledFrom([]RightEnd{RightReleased, RightGrace, RightEnded}).Draw(t, "end")
	_, moves, err := w.h.CloseRight(r.ID, r.Holder, r.Epoch, end, w.now)
	w.took(t, moves, err)
}

func (w *rightsWorld) undo(t *rapid.T) {
	if len(w.spent) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.spent)-1).Draw(t, "undo")
	s := w.spent[i]
	w.spent = slices.Delete(w.spent, i, i+1)
	total := s.Within + s.Beyond
	w.h.Regrow(s.right, s.holder, 1, s.OnRight(0, total))
	moves, err := w.h.Restore(s.Part(0, total), BookStore, w.now)
	w.took(t, moves, err)
}

func (w *rightsWorld) pass(t *rapid.T) {
	w.now += rapid.Int64Range(1, 60).Draw(t, "wait")
	moves, err := w.h.Vest(w.now)
	w.took(t, moves, err)
}

// Whatever terminals and HQ do to rights, in any order, every term stays at least
// zero, lots are free + allowance, and debts are paid before rights are covered.
func TestG2_RightsAddUpWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &rightsWorld{now: 1000, books: map[Book]int64{}}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			switch rapid.IntRange(0, 8).Draw(t, "kind") {
			case 0, 1:
				w.earn(t)
			case 2:
				w.grant(t, 200) // more than is free, too
			case 3:
				w.spend(t, false)
			case 4:
				w.lend(t)
			case 5:
				w.closeRight(t)
			case 6:
				w.undo(t)
			case 7:
				w.pass(t)
			case 8:
				_, moves, err := w.h.Redeem(rapid.Int64Range(1, 80).Draw(t, "stand-in"), BookStore)
				w.took(t, moves, err)
				if len(w.lots) > 0 && rapid.Bool().Draw(t, "void") {
					lot := w.lots[0]
					w.lots = w.lots[1:]
					moves, _, err := w.h.Unearn(lot, BookIssue)
					w.took(t, moves, err)
				}
			}
		}
	})
}

// While HQ grants only what is free and holders spend only what they hold, nothing is
// ever overdrawn: loans, voids, expiry and take-backs in between change nothing of that.
func TestG2_SpendingARightNeverOverdraws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &rightsWorld{now: 1000, books: map[Book]int64{}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 7).Draw(t, "kind") {
			case 0, 1:
				w.earn(t)
			case 2:
				w.grant(t, w.h.Free)
			case 3, 4:
				w.spend(t, true)
			case 5:
				w.lend(t)
			case 6:
				w.closeRight(t)
			case 7:
				w.undo(t)
				w.pass(t)
			}
			if w.shorts != 0 || w.h.Overdraft != 0 || w.h.Uncovered() != 0 {
				t.Fatalf("overdrawn by %d: %+v", w.shorts, w.h)
			}
		}
	})
}

// A release is final and a use may come first, whatever comes when.
func TestRightsInAnyOrder(t *testing.T) {
	a, b := id('t', 1), id('t', 2)
	steps := map[string]func(h *Holding) ([]Move, error){
		"grant": func(h *Holding) ([]Move, error) {
			return h.MakeRight(HeldRight{ID: id('r', 1), Holder: a, Epoch: 1, Kind: RightGranted, Amount: 60})
		},
		"spend": func(h *Holding) ([]Move, error) {
			f := h.Fence(id('r', 1), a, 1, 20)
			_, moves, err := h.Spend(id('r', 1), a, 1, f, 0, BookStore)
			return moves, err
		},
		"lend": func(h *Holding) ([]Move, error) {
			child := HeldRight{ID: id('r', 2), Holder: b, Epoch: 1, Amount: 30}
			return h.Lend(id('r', 1), a, 1, child, h.Fence(id('r', 1), a, 1, 30))
		},
		"spend the loan": func(h *Holding) ([]Move, error) {
			f := h.Fence(id('r', 2), b, 1, 30)
			_, moves, err := h.Spend(id('r', 2), b, 1, f, 0, BookStore)
			return moves, err
		},
	}
	orders := [][]string{
		{"grant", "spend", "lend", "spend the loan"},
		{"spend the loan", "lend", "spend", "grant"},
		{"lend", "grant", "spend the loan", "spend"},
		{"spend", "spend the loan", "grant", "lend"},
	}
	for _, order := range orders {
		h := Holding{Unit: "points"}
		if _, err := h.Earn(Lot{ID: id('l', 1), Amount: 100}, BookIssue, 0); err != nil {
			t.Fatal(err)
		}
		for _, step := range order {
			if _, err := steps[step](&h); err != nil {
				t.Fatalf("%v: %s: %v", order, step, err)
			}
		}
		if h.Free != 40 || h.Allowance != 10 || h.Overdraft != 0 || h.Right(id('r', 1)).Left() != 10 || h.Right(id('r', 2)).Left() != 0 {
			t.Errorf("%v: %+v", order, h)
		}
	}
	h := Holding{Unit: "points", Free: 100, Lots: []Lot{{ID: id('l', 1), Amount: 100, Left: 100}}}
	if _, _, err := h.CloseRight(id('r', 1), a, 1, RightReleased, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := steps["grant"](&h); err != nil || h.Free != 100 || h.Right(id('r', 1)).End != RightReleased {
		t.Errorf("a grant after its release: %v, %+v", err, h)
	}
}

func TestFenceNamesTheCause(t *testing.T) {
	a, b := id('t', 1), id('t', 2)
	h := Holding{Rights: []HeldRight{
		{ID: id('r', 1), Holder: a, Epoch: 1, Kind: RightGranted, Amount: 60},
		{ID: id('r', 2), Holder: a, Epoch: 1, Kind: RightGranted, Amount: 60, End: RightGrace},
		{ID: id('r', 3), Holder: a, Epoch: 1, Kind: RightGranted, Amount: 60, End: RightReleased},
		{ID: id('r', 4), Holder: a, Epoch: 1, Kind: RightLent, Amount: 10, Fault: LossRecall},
	}}
	for _, c := range []struct {
		right  byte
		user   ID
		epoch  uint32
		amount int64
		within int64
		cause  LossCause
	}{
		{1, a, 1, 60, 60, LossPolicy},
		{1, a, 1, 70, 60, LossClone},
		{1, b, 1, 10, 0, LossClone},
		{1, a, 2, 10, 0, LossClone},
		{2, a, 1, 10, 0, LossRecall},
		{3, a, 1, 10, 0, LossClone},
		{4, a, 1, 20, 10, LossRecall},
		{9, a, 1, 20, 20, LossLane},
	} {
		f := h.Fence(id('r', c.right), c.user, c.epoch, c.amount)
		if f.Within != c.within || f.Cause() != c.cause {
			t.Errorf("%+v: within %d, cause %s", c, f.Within, f.Cause())
		}
	}
}
