package loyalty

// Send takes parts of lots, pending ones too, into the book to: they leave the
// account and keep their dates where they arrive. A part sent counts as spent, so
// that undoing the lot's earning makes the account owe it. The lots must have what
// is taken, and what is free must cover it, else the error is ErrLots.
func (h *Holding) Send(takes []Take, to Book) ([]Move, error) {
	var moves []Move
	for _, t := range takes {
		l := h.Lot(t.Lot)
		if l == nil || l.Voided || t.Amount <= 0 || l.Left < t.Amount {
			return nil, ErrLots
		}
		from := BookFree
		if l.Pending {
			from = BookPending
			h.Pending -= t.Amount
		} else {
			h.Free -= t.Amount
		}
		if h.Free < 0 || h.Pending < 0 {
			return nil, ErrLots
		}
		l.Left -= t.Amount
		l.Spent += t.Amount
		moves = append(moves, Move{from, to, t.Amount, t.Lot})
	}
	return moves, nil
}

// Choose says which lots a redemption of amount would take: those that have vested,
// first expiry first. It chooses no more than is free.
func (h Holding) Choose(amount int64) []Take {
	amount = min(amount, h.Free)
	var takes []Take
	for _, l := range h.Lots {
		if amount <= 0 {
			break
		}
		if l.Pending || l.Voided || l.Left == 0 {
			continue
		}
		n := min(l.Left, amount)
		amount -= n
		takes = append(takes, Take{l.ID, n})
	}
	return takes
}
