package ledger

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

// Correct books one row of a list in the caller's transaction and returns which
// lots it touched: the one it gave, or those it took from. Taking more than is free
// is problem.PointsInsufficient.
func (l *Ledger) Correct(ctx context.Context, c entry.HQCorrection) ([]entry.HQTake, error) {
	if c.Amount == 0 || c.Amount > loyalty.MaxAmount || c.Amount < -loyalty.MaxAmount || c.Unit == "" {
		return nil, problem.New(problem.AmountInvalid, "a correction has a unit and an amount that is not zero")
	}
	made := func(a *account) (hqjournal.Fact, error) {
		if c.Amount < 0 {
			h := a.holding(c.Unit).Clone()
			if _, err := h.Vest(l.o.Clock.Now().UnixMilli()); err != nil {
				return hqjournal.Fact{}, err
			}
			if h.Free < -c.Amount {
				return hqjournal.Fact{}, problem.Newf(problem.PointsInsufficient, "%d are free, %d are to be taken", h.Free, -c.Amount)
			}
			c.Takes = takesOf(h.Choose(-c.Amount))
		}
		return hqjournal.Fact{Kind: entry.KindHQCorrection, Body: c}, nil
	}
	var touched []entry.HQTake
	err := l.hqFact(ctx, c.Account, made, func(s *set, f *fact, a *account) error {
		if touched = c.Takes; c.Amount > 0 {
			touched = []entry.HQTake{{Lot: onlyLot(f), Amount: c.Amount}}
		}
		return foldCorrection(c)(s, f, a)
	})
	return touched, asAmount(err)
}

// UndoCorrection undoes a correction that touched u.Takes, in the caller's
// transaction, and returns by how much the holding changed: lots get back what was
// taken, with their own dates; of points given what is left goes, and gave says
// that points had been given. Zero means that nothing was left, and nothing is
// written.
func (l *Ledger) UndoCorrection(ctx context.Context, u entry.HQCorrectionUndo, gave bool) (int64, error) {
	made := func(a *account) (hqjournal.Fact, error) {
		h := a.holding(u.Unit).Clone()
		if _, err := h.Vest(l.o.Clock.Now().UnixMilli()); err != nil {
			return hqjournal.Fact{}, err
		}
		if gave {
			u.Takes = leftOf(h, u.Takes)
		}
		u.Amount = 0
		for _, t := range u.Takes {
			u.Amount += t.Amount
		}
		if u.Amount == 0 {
			return hqjournal.Fact{}, errNothing
		}
		if gave {
			u.Amount = -u.Amount
		}
		return hqjournal.Fact{Kind: entry.KindHQCorrectionUndo, Body: u}, nil
	}
	err := l.hqFact(ctx, u.Account, made, func(s *set, f *fact, a *account) error {
		return foldCorrectionUndo(u)(s, f, a)
	})
	if errors.Is(err, errNothing) {
		return 0, nil
	}
	return u.Amount, asAmount(err)
}

// leftOf cuts takes down to what is left of their lots and free.
func leftOf(h loyalty.Holding, takes []entry.HQTake) []entry.HQTake {
	free := h.Free
	var out []entry.HQTake
	for _, t := range takes {
		lot := h.Lot(t.Lot)
		if lot == nil || lot.Voided || lot.Pending {
			continue
		}
		if n := min(t.Amount, lot.Left, free); n > 0 {
			free -= n
			out = append(out, entry.HQTake{Lot: t.Lot, Amount: n})
		}
	}
	return out
}

func takesOf(takes []loyalty.Take) []entry.HQTake {
	out := make([]entry.HQTake, len(takes))
	for i, t := range takes {
		out[i] = entry.HQTake{Lot: t.Lot, Amount: t.Amount}
	}
	return out
}

func lotTakes(takes []entry.HQTake) []loyalty.Take {
	out := make([]loyalty.Take, len(takes))
	for i, t := range takes {
		out[i] = loyalty.Take{Lot: t.Lot, Amount: t.Amount}
	}
	return out
}
