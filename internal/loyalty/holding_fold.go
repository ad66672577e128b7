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
	h.Lots, h.Rights = slices.Clone(h.Lots), slices.Clone(h.Rights)
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
	lot.Left, lot.Spent, lot.Covered, lot.Gone, lot.Back, lot.Owed, lot.Lapsed, lot.Voided = lot.Amount, 0, 0, 0, 0, 0, 0, false
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

// Remove takes amount out of the free lots for good, into the book to. What is not
// there goes to the overdraft and is returned as short. A part removed counts as
// spent, so that undoing the lot's earning makes the account owe it.
func (h *Holding) Remove(amount int64, to Book) (short int64, moves []Move, err error) {
	if amount <= 0 {
		return 0, nil, ErrOverflow
	}
	if _, err := Add(h.Overdraft, amount); err != nil {
		return 0, nil, err
	}
	short = amount - min(amount, h.Free)
	_, moves, err = h.take(amount-short, to, func(l *Lot, n int64) { l.Spent += n })
	h.Overdraft += short
	return short, appendMove(moves, Move{From: BookOverdraft, To: to, Amount: short}), err
}

// cover repays the overdraft from what is free, and then covers rights.
func (h *Holding) cover(moves []Move) ([]Move, error) {
	moves = h.unreserve(moves)
	n := min(h.Overdraft, h.Free)
	if n == 0 {
		return h.reserve(moves), nil
	}
	_, paid, err := h.take(n, BookOverdraft, func(l *Lot, n int64) { l.Covered += n })
	h.Overdraft -= n
	return h.reserve(append(moves, paid...)), err
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
		if l.Amount != l.Left+l.Spent+l.Covered+l.Gone || min(l.Left, l.Spent, l.Covered, l.Gone, l.Owed, l.Lapsed) < 0 ||
			l.Owed > l.Spent || l.Owed > l.Back || l.Back > l.Amount || l.Lapsed > l.Gone {
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
	case free != h.Free+h.Allowance || pending != h.Pending || h.Allowance > h.Nominal():
		return ErrLots
	}
	return nil
}
