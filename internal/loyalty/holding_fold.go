package loyalty

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
)

// ErrLots means that the lots handed in do not bear out the holding: stored rows
// were changed by something else than these functions.
var ErrLots = errors.New("lots do not match the holding")

// Redemption is what a redemption did to a holding: what it took from which lot,
// and Short, what the holding did not have. Restore undoes it.
type Redemption struct {
	Takes []Take `cbor:"1,keyasint,omitempty"`
	Short int64  `cbor:"2,keyasint,omitempty"`
}

// Clone returns a copy that shares nothing.
func (h Holding) Clone() Holding {
	h.Lots = slices.Clone(h.Lots)
	return h
}

// SortLots brings the lots into the order in which they are spent: first expiry
// first, never last; then the older, then by id. All functions keep this order.
func (h *Holding) SortLots() { slices.SortFunc(h.Lots, lotOrder) }

func lotOrder(a, b Lot) int {
	never := func(at int64) int64 {
		if at == 0 {
			return 1<<63 - 1
		}
		return at
	}
	return cmp.Or(
		cmp.Compare(never(a.ExpiresAt), never(b.ExpiresAt)),
		cmp.Compare(a.EarnedAt, b.EarnedAt),
		bytes.Compare(a.ID[:], b.ID[:]),
	)
}

// Lot returns the lot with this id, or nil.
func (h *Holding) Lot(id ID) *Lot {
	for i := range h.Lots {
		if h.Lots[i].ID == id {
			return &h.Lots[i]
		}
	}
	return nil
}

// Earn adds a lot of lot.Amount that comes out of the book from. A lot that vests
// after now is pending. What has vested repays the overdraft first.
func (h *Holding) Earn(lot Lot, from Book, now int64) ([]Move, error) {
	sum, err := Add(h.Free+h.Allowance, h.Pending)
	if err != nil || lot.Amount <= 0 {
		return nil, ErrOverflow
	}
	if _, err := Add(sum, lot.Amount); err != nil {
		return nil, err
	}
	lot.Left, lot.Spent, lot.Covered, lot.Gone, lot.Voided = lot.Amount, 0, 0, 0, false
	lot.Pending = lot.VestsAt > now
	at, _ := slices.BinarySearchFunc(h.Lots, lot, lotOrder)
	h.Lots = slices.Insert(h.Lots, at, lot)
	if lot.Pending {
		h.Pending += lot.Amount
		return []Move{{from, BookPending, lot.Amount, lot.ID}}, nil
	}
	h.Free += lot.Amount
	return h.cover([]Move{{from, BookFree, lot.Amount, lot.ID}})
}

// Vest turns the pending lots that are due into free ones.
func (h *Holding) Vest(now int64) ([]Move, error) {
	var moves []Move
	for i := range h.Lots {
		l := &h.Lots[i]
		if !l.Pending || l.VestsAt > now {
			continue
		}
		l.Pending = false
		if l.Left > 0 {
			h.Pending -= l.Left
			h.Free += l.Left
			moves = append(moves, Move{BookPending, BookFree, l.Left, l.ID})
		}
	}
	if len(moves) == 0 {
		return nil, nil
	}
	return h.cover(moves)
}

// Redeem takes amount from the free lots, first expiry first, into the book to.
// What is not there goes to the overdraft.
func (h *Holding) Redeem(amount int64, to Book) (Redemption, []Move, error) {
	if amount <= 0 {
		return Redemption{}, nil, ErrOverflow
	}
	if _, err := Add(h.Overdraft, amount); err != nil {
		return Redemption{}, nil, err
	}
	takes, moves, err := h.take(min(amount, h.Free), to, func(l *Lot, n int64) { l.Spent += n })
	if err != nil {
		return Redemption{}, nil, err
	}
	short := amount
	for _, t := range takes {
		short -= t.Amount
	}
	if short > 0 {
		h.Overdraft += short
		moves = append(moves, Move{From: BookOverdraft, To: to, Amount: short})
	}
	return Redemption{takes, short}, moves, nil
}

// Remove takes amount out of the free lots for good, into the book to. It takes no
// more than is free; the caller decides what is missing.
func (h *Holding) Remove(amount int64, to Book) ([]Move, error) {
	if amount <= 0 || amount > h.Free {
		return nil, ErrOverflow
	}
	_, moves, err := h.take(amount, to, func(l *Lot, n int64) { l.Gone += n })
	return moves, err
}

// Restore undoes a redemption: each lot gets back what was taken from it, with its
// own expiry, out of the book from; what had gone to the overdraft is taken off
// it. Where the overdraft was repaid meanwhile, the lots that repaid it get it
// back. The lots named must be among the holding's.
func (h *Holding) Restore(r Redemption, from Book) ([]Move, error) {
	debt := r.Short
	var moves []Move
	for _, t := range r.Takes {
		l := h.Lot(t.Lot)
		if l == nil || l.Spent < t.Amount {
			return nil, ErrLots
		}
		l.Spent -= t.Amount
		if l.Voided { // its earning was undone, and what was spent of it is owed
			l.Gone += t.Amount
			debt += t.Amount
			continue
		}
		l.Left += t.Amount
		h.Free += t.Amount
		moves = append(moves, Move{from, BookFree, t.Amount, l.ID})
	}
	moves, err := h.forgive(debt, from, moves)
	if err != nil {
		return nil, err
	}
	return h.cover(moves)
}

// Unearn undoes the earning of a lot into the book to. What is left of it goes;
// what was spent of it, or covered an overdraft, becomes owed, and other free lots
// pay it at once. short is how much more the account owes than before.
func (h *Holding) Unearn(id ID, to Book) (moves []Move, short int64, err error) {
	l := h.Lot(id)
	if l == nil || l.Voided {
		return nil, 0, ErrLots
	}
	owed := h.Overdraft
	l.Voided = true
	if l.Pending {
		h.Pending -= l.Left
		moves = appendMove(moves, Move{BookPending, to, l.Left, id})
		l.Gone, l.Left = l.Gone+l.Left, 0
	} else {
		// What a terminal holds as allowance stays in the lot and becomes owed.
		gone := min(l.Left, h.Free)
		h.Free -= gone
		moves = appendMove(moves, Move{BookFree, to, gone, id})
		l.Gone, l.Left = l.Gone+gone, l.Left-gone
	}
	debt := l.Left + l.Covered + l.Spent
	l.Gone, l.Covered = l.Gone+l.Covered, 0
	h.Overdraft += debt
	moves, err = h.cover(appendMove(moves, Move{BookOverdraft, to, debt, id}))
	return moves, max(0, h.Overdraft-owed), err
}

// forgive takes debt off what is owed, out of the book from.
func (h *Holding) forgive(debt int64, from Book, moves []Move) ([]Move, error) {
	if debt == 0 {
		return moves, nil
	}
	moves = append(moves, Move{From: from, To: BookOverdraft, Amount: debt})
	paid := debt - min(debt, h.Overdraft)
	h.Overdraft -= debt - paid
	for i := len(h.Lots) - 1; i >= 0 && paid > 0; i-- {
		l := &h.Lots[i]
		n := min(paid, l.Covered)
		if n == 0 {
			continue
		}
		l.Covered -= n
		l.Left += n
		h.Free += n
		paid -= n
		moves = append(moves, Move{BookOverdraft, BookFree, n, l.ID})
	}
	if paid > 0 {
		return nil, ErrLots
	}
	return moves, nil
}

// cover repays the overdraft from what is free.
func (h *Holding) cover(moves []Move) ([]Move, error) {
	n := min(h.Overdraft, h.Free)
	if n == 0 {
		return moves, nil
	}
	_, paid, err := h.take(n, BookOverdraft, func(l *Lot, n int64) { l.Covered += n })
	h.Overdraft -= n
	return append(moves, paid...), err
}

// take moves amount, which is free, out of vested lots in their order.
func (h *Holding) take(amount int64, to Book, use func(l *Lot, n int64)) ([]Take, []Move, error) {
	var takes []Take
	var moves []Move
	h.Free -= amount
	for i := range h.Lots {
		l := &h.Lots[i]
		if amount == 0 {
			break
		}
		if l.Pending || l.Voided || l.Left == 0 {
			continue
		}
		n := min(l.Left, amount)
		l.Left -= n
		use(l, n)
		amount -= n
		takes = append(takes, Take{l.ID, n})
		moves = append(moves, Move{BookFree, to, n, l.ID})
	}
	if amount > 0 {
		return nil, nil, ErrLots
	}
	return takes, moves, nil
}

func appendMove(moves []Move, m Move) []Move {
	if m.Amount == 0 {
		return moves
	}
	return append(moves, m)
}

// Check returns ErrLots or ErrOverflow when the holding and its lots (all of them)
// do not bear each other out.
func (h Holding) Check() error {
	var free, pending int64
	for _, l := range h.Lots {
		if l.Amount != l.Left+l.Spent+l.Covered+l.Gone || min(l.Left, l.Spent, l.Covered, l.Gone) < 0 {
			return ErrLots
		}
		if l.Pending {
			pending += l.Left
		} else {
			free += l.Left
		}
	}
	switch {
	case min(h.Free, h.Allowance, h.Pending, h.Overdraft) < 0:
		return ErrOverflow
	case free != h.Free+h.Allowance || pending != h.Pending:
		return ErrLots
	}
	return nil
}
