package ledger

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
)

// foldVoid undoes a sale: exactly what it did, once. A void whose sale has not
// arrived waits for it under an exception; a void that is not proven changes
// nothing until a person decides.
func (s *set) foldVoid(f *fact) error {
	if f.account == uuid.Nil {
		return nil
	}
	if !f.Proven {
		s.raise(f, 0, Exception{
			Kind: Unproven, Liable: liableStore, Member: f.void.Member,
			Cause: "a void delivered after the terminal was revoked or quarantined; it was not carried out",
		})
		return nil
	}
	key := f.saleKey()
	row := s.sales[key]
	if row == nil {
		s.sales[key] = &SaleRow{SaleKey: key, Account: f.account, State: VoidWaits, VoidSource: f.Hash}
		s.changed[key] = true
		s.raise(f, 0, Exception{
			Kind: VoidWithoutSale, Liable: liableStore, Member: f.void.Member, Cause: "the sale it voids has not arrived",
		})
		return nil
	}
	if row.State != SalePosted {
		return nil
	}
	if row.Account != f.account {
		s.raise(f, 0, Exception{
			Kind: InvalidEntry, Liable: liableStore, Member: f.void.Member, Cause: "the void names another account than its sale",
		})
		return nil
	}
	row.VoidSource = f.Hash
	s.changed[key] = true
	return s.undo(f, row)
}

// undo reverses the effects of a posted sale, the last one first.
func (s *set) undo(f *fact, row *SaleRow) error {
	effects, err := wire.Unmarshal[[]effect](row.Effects)
	if err != nil {
		return err
	}
	row.State = SaleVoided
	a := s.accounts[row.Account]
	for i := len(effects) - 1; i >= 0; i-- {
		if err := s.undoEffect(f, a, i, effects[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *set) undoEffect(f *fact, a *account, n int, e effect) error {
	switch {
	case e.Suspended > 0:
		s.post(f, e.Unit, 0, loyalty.Move{From: loyalty.BookSuspense, To: loyalty.BookIssue, Amount: e.Suspended})
	case e.Suspended < 0:
		s.post(f, e.Unit, 0, loyalty.Move{From: loyalty.BookStore, To: loyalty.BookSuspense, Amount: -e.Suspended})
	case e.Redeemed != nil:
		return s.on(f, a, e.Unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			return h.Restore(*e.Redeemed, loyalty.BookStore)
		})
	default:
		return s.unearn(f, a, n, e)
	}
	return nil
}

// unearn takes an earning back; what was spent of it meanwhile is owed.
func (s *set) unearn(f *fact, a *account, n int, e effect) error {
	var short int64
	err := s.on(f, a, e.Unit, 0, func(h *loyalty.Holding) (moves []loyalty.Move, err error) {
		moves, short, err = h.Unearn(e.Lot, loyalty.BookIssue)
		return moves, err
	})
	if err != nil || short == 0 {
		return err
	}
	s.raise(f, n, Exception{
		Kind: Overdraw, Liable: liableProgramme, Unit: e.Unit, Amount: short,
		Cause: "the voided sale's points had been spent",
	})
	return nil
}

// lotsOf lists the lots that undoing a sale needs.
func lotsOf(row SaleRow) ([]LotKey, error) {
	if len(row.Effects) == 0 {
		return nil, nil
	}
	effects, err := wire.Unmarshal[[]effect](row.Effects)
	if err != nil {
		return nil, err
	}
	account := AccountKey{row.Shard, row.Account}
	var keys []LotKey
	for _, e := range effects {
		unit := UnitKey{account, e.Unit}
		if e.Lot != (loyalty.ID{}) {
			keys = append(keys, LotKey{unit, uuid.UUID(e.Lot)})
		}
		if e.Redeemed != nil {
			for _, t := range e.Redeemed.Takes {
				keys = append(keys, LotKey{unit, uuid.UUID(t.Lot)})
			}
		}
	}
	return keys, nil
}
