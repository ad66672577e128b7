package loyalty

// Part is the part of a redemption from the first from points that are undone to the
// first to: what is undone first is what it took last, and before that what it did
// not have. All parts of a redemption together are the redemption.
func (r Redemption) Part(from, to int64) Redemption {
	var out Redemption
	cut := func(n int64) int64 { // of the next n points
		got := max(0, min(n, to)-max(0, from))
		from, to = from-n, to-n
		return got
	}
	out.Short = cut(r.Short)
	for i := len(r.Takes) - 1; i >= 0; i-- {
		if n := cut(r.Takes[i].Amount); n > 0 {
			out.Takes = append(out.Takes, Take{r.Takes[i].Lot, n})
		}
	}
	return out
}

// Restore undoes a redemption: each lot gets back what was taken from it, with its
// own expiry, out of the book from; what had gone to the overdraft is taken off
// it. Where the overdraft was repaid meanwhile, the lots that repaid it get it
// back. The lots named must be among the holding's. What comes back to a lot whose
// expiry has passed pays no debt; Advance expires it.
func (h *Holding) Restore(r Redemption, from Book, now int64) ([]Move, error) {
	debt := r.Short
	var moves []Move
	for _, t := range r.Takes {
		l := h.Lot(t.Lot)
		if l == nil || l.Spent < t.Amount {
			return nil, ErrLots
		}
		l.Spent -= t.Amount
		// What was owed for it because its earning was undone is owed no more.
		owed := min(t.Amount, l.Owed)
		l.Owed -= owed
		l.Gone += owed
		debt += owed
		back := t.Amount - owed
		l.Left += back
		if l.Pending {
			h.Pending += back
			moves = appendMove(moves, Move{from, BookPending, back, l.ID})
			continue
		}
		h.Free += back
		moves = appendMove(moves, Move{from, BookFree, back, l.ID})
	}
	moves, err := h.forgive(debt, from, moves)
	if err != nil {
		return nil, err
	}
	if h.Overdraft == 0 {
		moves = h.reserve(moves) // what comes back to a right does not expire
	}
	expired, err := h.Advance(now)
	if err != nil {
		return nil, err
	}
	for _, due := range expired {
		moves = append(moves, due.Moves...)
	}
	return h.cover(moves)
}

// Unearn undoes the earning of a lot, as far as it has not been taken back.
func (h *Holding) Unearn(id ID, to Book) (moves []Move, short int64, err error) {
	l := h.Lot(id)
	if l == nil || l.Voided {
		return nil, 0, ErrLots
	}
	return h.TakeBack(id, l.Amount-l.Back, to)
}

// TakeBack takes amount of what a lot was earned with back into the book to: first
// what is left of it, then what covered an overdraft or was spent, which becomes
// owed, and other free lots pay it at once. What has expired is taken back without
// a move. short is how much more the account owes than before.
func (h *Holding) TakeBack(id ID, amount int64, to Book) (moves []Move, short int64, err error) {
	l := h.Lot(id)
	if l == nil || amount < 0 || amount > l.Amount-l.Back {
		return nil, 0, ErrLots
	}
	owed := h.Overdraft
	l.Back += amount
	l.Voided = l.Back == l.Amount
	gone := min(amount, l.Left)
	if l.Pending {
		h.Pending -= gone
		moves = appendMove(moves, Move{BookPending, to, gone, id})
	} else {
		free := min(gone, h.Free)
		h.Free -= free
		h.Allowance -= gone - free // a right on it is uncovered now
		moves = appendMove(appendMove(moves, Move{BookFree, to, free, id}), Move{BookAllowance, to, gone - free, id})
	}
	l.Left, l.Gone = l.Left-gone, l.Gone+gone
	amount -= gone
	covered := min(amount, l.Covered)
	l.Covered, l.Gone = l.Covered-covered, l.Gone+covered
	amount -= covered
	spent := min(amount, l.Spent-l.Owed)
	l.Owed += spent
	amount -= spent
	debt := covered + spent
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

// SendOrOwe sends what the lots named still have; what is missing comes from other
// free lots, and what is not there either is owed. It is for a move that has happened
// and cannot be refused any more. Restore undoes it.
func (h *Holding) SendOrOwe(takes []Take, to Book) (Redemption, []Move, error) {
	var done Redemption
	var moves []Move
	var missing int64
	for _, t := range takes {
		var n int64
		if l := h.Lot(t.Lot); l != nil && !l.Voided {
			if n = min(t.Amount, l.Left); !l.Pending {
				n = min(n, h.Free)
			}
		}
		missing += t.Amount - n
		if n == 0 {
			continue
		}
		sent, err := h.Send([]Take{{t.Lot, n}}, to)
		if err != nil {
			return Redemption{}, nil, err
		}
		done.Takes, moves = append(done.Takes, Take{t.Lot, n}), append(moves, sent...)
	}
	if missing == 0 {
		return done, moves, nil
	}
	r, more, err := h.Redeem(missing, to)
	return Redemption{append(done.Takes, r.Takes...), r.Short}, append(moves, more...), err
}
