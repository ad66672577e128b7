package ledger

import (
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// foldVoid undoes what is left of a sale, once. A void whose sale has not come
// waits for it; a void that is not proven changes nothing until a person decides.
func (s *set) foldVoid(f *fact) error {
	if f.account == uuid.Nil {
		return nil
	}
	if waits, rejected := s.unproven(f); rejected {
		return nil
	} else if waits {
		s.raise(f, 0, Exception{
			Kind: Unproven, Liable: liableStore, Member: f.void.Member,
			Cause: "a void delivered after the terminal was revoked or quarantined; it was not carried out",
		})
		return nil
	}
	return s.undo(f, f)
}

// foldReturn undoes the part of a sale that came back.
func (s *set) foldReturn(f *fact) error {
	waits, rejected := s.unproven(f)
	switch {
	case f.account == uuid.Nil:
		return nil // its sale is looked for
	case rejected:
		return nil
	case waits:
		s.raise(f, 0, Exception{
			Kind: Unproven, Liable: liableStore, Member: f.ret.Member,
			Cause: "a return delivered after the terminal was revoked or quarantined; it was not carried out",
		})
		return nil
	}
	return s.undo(f, f)
}

func unmatched(f *fact) Exception {
	return Exception{
		Kind: ReturnUnmatched, State: ExceptionAwaiting, Liable: liableStore, Member: f.ret.Member,
		Currency: currency(f.ret.Refund), Money: f.ret.Refund.Minor, Cause: "the sale that came back has not arrived",
	}
}

func currency(m entry.Money) string {
	if !printable(m.Currency, 8) {
		return ""
	}
	return m.Currency
}

// undo carries out a void or a return, or lets it wait for its sale. What it moves
// is posted as done by the fact at, which is the sale when that came after, and as
// recorded when both were: nobody knew of it before.
func (s *set) undo(f, at *fact) error {
	sale := s.saleOf(f)
	if sale != nil {
		at = s.known(at, f, sale.fact)
	}
	switch {
	case sale == nil:
		s.waiting = append(s.waiting, f)
		return nil
	case f.void != nil && sale.voided:
		return nil
	case f.void != nil:
		sale.voided = true
		sale.returned.TakeAll()
	case sale.returned.Take(backOf(f.ret)):
		s.raise(f, 0, Exception{
			Kind: ReturnExceedsSale, Liable: liableStore, Member: f.ret.Member,
			Currency: currency(f.ret.Refund), Money: f.ret.Refund.Minor, Cause: "more came back than was left of the sale",
		})
	}
	return s.reverse(f, at, sale)
}

// known is the fact at as recorded when what undoes and its sale are recorded too.
func (s *set) known(at, undoes, sale *fact) *fact {
	with := *at
	with.RecordedAt = max(at.RecordedAt, undoes.RecordedAt, sale.RecordedAt)
	s.knownAt[undoes.Hash] = with.RecordedAt
	return &with
}

// saleOf finds the sale that a fact undoes: by its id and terminal, by its id, or
// by where its entry stands.
func (s *set) saleOf(f *fact) *soldSale {
	key := f.saleKey()
	if sale := s.sold[key]; sale != nil || f.ret == nil {
		return sale
	}
	var found *soldSale
	for k, sale := range s.sold {
		r := f.ret
		byID := key.Sale != uuid.Nil && k.Sale == key.Sale && r.Origin == uuid.Nil
		byPlace := key.Sale == uuid.Nil && r.Origin == k.Terminal && r.OriginSeq != 0 && r.OriginSeq == sale.fact.Seq && r.OriginEpoch == sale.fact.Epoch
		// Of several, the one that stands first, whatever the order of the map.
		if (byID || byPlace) && sale.fact.account == f.account && (found == nil || byEffect(*sale.fact, *found.fact) < 0) {
			found = sale
		}
	}
	return found
}

// undoWaiting carries out what waited for the sale of a fact.
func (s *set) undoWaiting(f *fact) error {
	waiting := s.waiting
	s.waiting = nil
	for _, w := range waiting {
		if err := s.undo(w, f); err != nil {
			return err
		}
	}
	return nil
}

// unmet are the exceptions of what still waits when all is folded.
func (s *set) unmet() []Exception {
	r := newSet()
	for _, f := range s.waiting {
		r.raise(f, 0, unmet(f))
	}
	return r.exceptions
}

// reverse brings what a sale did down to what has not come back of it: first it
// gives back what was redeemed, then it takes back what was earned.
func (s *set) reverse(f, at *fact, sale *soldSale) error {
	a := s.accounts[sale.fact.account]
	var units []string
	for i := range sale.effects {
		e := &sale.effects[i]
		if e.lot != (loyalty.ID{}) {
			if !slices.Contains(units, e.unit) {
				units = append(units, e.unit)
			}
			continue
		}
		from := e.undone
		e.undone = max(from, sale.returned.Portion(e.amount, e.category))
		if e.undone == from {
			continue
		}
		if err := s.giveBack(f, at, a, *e, from); err != nil {
			return err
		}
	}
	for n, unit := range units {
		if err := s.takeBack(f, at, a, n, unit, sale); err != nil {
			return err
		}
	}
	return nil
}

// giveBack undoes a redemption, or what went through suspense, from what had been
// undone before.
func (s *set) giveBack(f, at *fact, a *account, e effect, from int64) error {
	amount := e.undone - from
	switch {
	case e.suspended && e.spent:
		s.post(at, e.unit, 0, at.EffectiveAt, loyalty.Move{From: loyalty.BookStore, To: loyalty.BookSuspense, Amount: amount})
	case e.suspended:
		s.post(at, e.unit, 0, at.EffectiveAt, loyalty.Move{From: loyalty.BookSuspense, To: loyalty.BookIssue, Amount: amount})
	default:
		return s.on(at, a, e.unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			if e.right != uuid.Nil {
				regrow(f, h, e, from)
			}
			return h.Restore(e.redeemed.Part(from, e.undone), loyalty.BookStore, at.EffectiveAt)
		})
	}
	return nil
}

// takeBack takes back what a sale earned of a unit, from its lots that have not
// vested first; what was spent of them meanwhile is owed.
func (s *set) takeBack(f, at *fact, a *account, n int, unit string, sale *soldSale) error {
	var amount int64
	for i := range sale.effects {
		e := &sale.effects[i]
		if e.unit == unit && e.lot != (loyalty.ID{}) {
			undone := max(e.undone, sale.returned.Portion(e.amount, e.category))
			amount += undone - e.undone
			e.undone = undone
		}
	}
	if amount == 0 {
		return nil
	}
	var short int64
	err := s.on(at, a, unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		var moves []loyalty.Move
		for _, pending := range []bool{true, false} {
			for _, e := range sale.effects {
				if e.unit != unit || e.lot == (loyalty.ID{}) || h.Lot(e.lot) == nil || h.Lot(e.lot).Pending != pending {
					continue
				}
				part := min(amount, h.Lot(e.lot).Amount-h.Lot(e.lot).Back)
				if part == 0 {
					continue
				}
				h.Wither(sale.fact.sale.ID, part)
				took, owes, err := h.TakeBack(e.lot, part, loyalty.BookIssue)
				if err != nil {
					return nil, err
				}
				moves, short, amount = append(moves, took...), short+owes, amount-part
			}
		}
		return moves, nil
	})
	if err != nil || short == 0 {
		return err
	}
	cause := "the voided sale's points had been spent"
	if f.ret != nil {
		cause = "the points of the sale that came back had been spent"
	}
	s.raise(f, n, Exception{Kind: Overdraw, Liable: liableProgramme, Unit: unit, Amount: short, Cause: cause})
	return nil
}

// soldOf is a sale as a return looks at it. Lines that cannot have been are left
// out: then only money says how much came back.
func soldOf(sale *entry.Sale) loyalty.Sold {
	sold := loyalty.Sold{Total: sale.Total.Minor, Paid: sale.Total.Minor}
	for _, r := range sale.Redeemed {
		sold.Paid = max(0, sold.Paid-r.Discount)
	}
	var sum int64
	for _, l := range sale.Lines {
		if l.Amount <= 0 || l.Amount > loyalty.MaxAmount || l.Quantity < 0 || l.Quantity > loyalty.MaxAmount || len(sale.Lines) > loyalty.MaxLines {
			return loyalty.Sold{Total: sold.Total, Paid: sold.Paid}
		}
		sum += l.Amount
		sold.Lines = append(sold.Lines, loyalty.Line{No: l.No, SKU: l.SKU, Quantity: l.Quantity, Amount: l.Amount, Category: l.Category})
	}
	if sum != sold.Total {
		sold.Lines = nil
	}
	return sold
}

func backOf(r *entry.Return) loyalty.Back {
	back := loyalty.Back{Refund: r.Refund.Minor, Whole: r.Whole && r.Matched}
	for _, l := range r.Lines {
		back.Lines = append(back.Lines, loyalty.Line{No: l.No, Quantity: l.Quantity, Amount: l.Amount})
	}
	return back
}
