package ledger

import (
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// posts reports whether a fact of HQ of this kind changes an account.
func posts(kind entry.Kind) bool {
	switch kind {
	case entry.KindHQGrant, entry.KindHQTakeBack, entry.KindHQAdjustment, entry.KindHQVoucher, entry.KindHQExpiry, entry.KindHQTransferOut, entry.KindHQTransferIn,
		entry.KindHQCorrection, entry.KindHQCorrectionUndo, entry.KindHQExceptionDecision, entry.KindHQClaimed:
		return true
	}
	return false
}

// foldOf reads what a fact of HQ does. It happened; where the account has not what
// it took, other lots pay, and what is not there is owed.
func foldOf(kind entry.Kind, raw []byte) (hqFold, error) {
	env, err := entry.Decode(raw)
	if err != nil {
		return nil, err
	}
	switch kind {
	case entry.KindHQAdjustment:
		body, err := entry.DecodeBody[entry.HQAdjustment](env)
		return foldAdjustment(body), err
	case entry.KindHQVoucher:
		body, err := entry.DecodeBody[entry.HQRecord](env)
		if err != nil || body.Kept {
			return foldNothing, err
		}
		v, err := wire.Unmarshal[loyalty.Voucher](body.Record)
		return foldIssue(v), err
	case entry.KindHQGrant:
		body, err := entry.DecodeBody[entry.HQGrant](env)
		return foldGrant(body), err
	case entry.KindHQTakeBack:
		body, err := entry.DecodeBody[entry.HQTakeBack](env)
		return foldTakeBack(body), err
	case entry.KindHQExpiry:
		return foldExpiry, nil
	case entry.KindHQClaimed:
		body, err := entry.DecodeBody[entry.HQClaimed](env)
		return foldClaimed(body), err
	case entry.KindHQTransferOut:
		body, err := entry.DecodeBody[entry.HQTransfer](env)
		return foldDeparture(body), err
	case entry.KindHQTransferIn:
		body, err := entry.DecodeBody[entry.HQTransfer](env)
		return foldArrival(body), err
	case entry.KindHQCorrection:
		body, err := entry.DecodeBody[entry.HQCorrection](env)
		return foldCorrection(body), err
	case entry.KindHQCorrectionUndo:
		body, err := entry.DecodeBody[entry.HQCorrectionUndo](env)
		return foldCorrectionUndo(body), err
	}
	if kind == entry.KindHQExceptionDecision {
		body, err := entry.DecodeBody[entry.HQDecision](env)
		return foldDecision(body), err
	}
	return nil, errors.New("a kind that posts nothing: " + kind.String())
}

// tolerant is a fold of a fact that has been booked before: what does not fit any
// more moves nothing and is an exception.
func tolerant(fold hqFold) hqFold {
	return func(s *set, f *fact, a *account) error {
		err := fold(s, f, a)
		if errors.Is(err, loyalty.ErrOverflow) || errors.Is(err, loyalty.ErrLots) {
			s.raise(f, 1, Exception{Kind: InvalidEntry, Liable: liableProgramme, Cause: "what head office booked does not fit the account any more"})
			return nil
		}
		return err
	}
}

func foldNothing(*set, *fact, *account) error { return nil }

// foldExpiry only lets time pass. No fact from before it is on its way any more, or it
// came too late: what has lapsed is breakage.
func foldExpiry(s *set, f *fact, a *account) error {
	a.broken = max(a.broken, f.EffectiveAt)
	for _, unit := range sortedKeys(a.holdings) {
		err := s.on(f, a, unit, 0, func(*loyalty.Holding) ([]loyalty.Move, error) { return nil, nil })
		if err != nil {
			return err
		}
	}
	return nil
}

func foldAdjustment(body entry.HQAdjustment) hqFold {
	return func(s *set, f *fact, a *account) error {
		var short int64
		err := s.on(f, a, body.Unit, 0, func(h *loyalty.Holding) (moves []loyalty.Move, err error) {
			if body.Amount > 0 {
				return h.Earn(newLot(f, a, body.Amount, body.ExpiresAt), loyalty.BookIssue, f.EffectiveAt)
			}
			short, moves, err = h.Remove(-body.Amount, loyalty.BookIssue)
			return moves, err
		})
		return s.owed(f, body.Unit, short, err)
	}
}

func foldIssue(v loyalty.Voucher) hqFold {
	return func(s *set, f *fact, a *account) error {
		unit := loyalty.UseUnit(uuid.UUID(v.ID).String())
		return s.on(f, a, unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			return h.Earn(newLot(f, a, v.Uses, v.ValidTo), loyalty.BookIssue, f.EffectiveAt)
		})
	}
}

func foldDeparture(body entry.HQTransfer) hqFold {
	return func(s *set, f *fact, a *account) error {
		for n, u := range body.Units {
			takes := make([]loyalty.Take, len(u.Lots))
			for i, lot := range u.Lots {
				takes[i] = loyalty.Take{Lot: lot.Lot, Amount: lot.Amount}
			}
			var sent loyalty.Redemption
			err := s.on(f, a, u.Unit, 0, func(h *loyalty.Holding) (moves []loyalty.Move, err error) {
				sent, moves, err = h.SendOrOwe(takes, loyalty.BookClearing)
				if err != nil || u.Debt == 0 {
					return moves, err
				}
				// What repays the debt is a lot, so that undoing what made the debt finds it.
				repaid, err := h.Earn(lotOf(f, a, n, entry.MovedLot{Amount: u.Debt, EarnedAt: f.EffectiveAt}), loyalty.BookClearing, f.EffectiveAt)
				return append(moves, repaid...), err
			})
			if err := s.owed(f, u.Unit, sent.Short, err); err != nil {
				return err
			}
		}
		return nil
	}
}

func foldArrival(body entry.HQTransfer) hqFold {
	return func(s *set, f *fact, a *account) error {
		n := 0
		for _, u := range body.Units {
			if err := s.arrive(f, a, &n, u); err != nil {
				return err
			}
		}
		return nil
	}
}

func foldCorrection(body entry.HQCorrection) hqFold {
	return func(s *set, f *fact, a *account) error {
		var took loyalty.Redemption
		err := s.on(f, a, body.Unit, 0, func(h *loyalty.Holding) (moves []loyalty.Move, err error) {
			if body.Amount > 0 {
				return h.Earn(newLot(f, a, body.Amount, body.ExpiresAt), loyalty.BookIssue, f.EffectiveAt)
			}
			took, moves, err = h.SendOrOwe(lotTakes(body.Takes), loyalty.BookIssue)
			return moves, err
		})
		if err == nil && body.Amount < 0 {
			s.corrected[body.ID] = took
		}
		return s.owed(f, body.Unit, took.Short, err)
	}
}

// foldCorrectionUndo undoes what the correction took in this fold, which is not what it
// says that it took when a late fact took the same lots before it.
func foldCorrectionUndo(body entry.HQCorrectionUndo) hqFold {
	return func(s *set, f *fact, a *account) error {
		var sent loyalty.Redemption
		err := s.on(f, a, body.Unit, 0, func(h *loyalty.Holding) (moves []loyalty.Move, err error) {
			if body.Amount < 0 {
				sent, moves, err = h.SendOrOwe(lotTakes(body.Takes), loyalty.BookIssue)
				return moves, err
			}
			took := s.corrected[body.Of]
			delete(s.corrected, body.Of)
			return h.Restore(took, loyalty.BookIssue, f.EffectiveAt)
		})
		return s.owed(f, body.Unit, sent.Short, err)
	}
}

// owed raises an exception for what a fact of HQ took that was not there.
func (s *set) owed(f *fact, unit string, short int64, err error) error {
	if err == nil && short > 0 {
		s.raise(f, 0, Exception{
			Kind: Overdraw, Liable: liableProgramme, Unit: unit, Amount: short, Cause: "what head office took was not there after all",
		})
	}
	return err
}
