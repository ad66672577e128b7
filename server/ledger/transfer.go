package ledger

import (
	"context"
	"errors"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// MaxMovedLots bounds the lots of one leg, so that its entry stays small.
const MaxMovedLots = 400

// Picked is a locked account as the chooser of what leaves it sees it: holdings
// with open lots that have vested what is due, and from which source a lot came.
type Picked struct {
	Holdings []loyalty.Holding
	Source   func(lot loyalty.ID) journal.Hash
}

// Pick chooses what leaves an account. Nothing chosen is no move.
type Pick func(from Picked) ([]entry.MovedUnit, error)

// errNothing ends a leg that would move nothing.
var errNothing = errors.New("nothing to move")

// Depart is the first leg of a move, in the caller's transaction: it takes what
// pick chooses from t.Account into the clearing book and returns the leg with what
// it took. ok is false when there was nothing. A debt that leaves is repaid out of
// the clearing book.
func (l *Ledger) Depart(ctx context.Context, t entry.HQTransfer, pick Pick) (leg entry.HQTransfer, ok bool, err error) {
	made := func(a *account) (hqjournal.Fact, error) {
		from, err := l.picked(a)
		if err != nil {
			return hqjournal.Fact{}, err
		}
		if t.Units, err = pick(from); err != nil {
			return hqjournal.Fact{}, err
		}
		if len(t.Units) == 0 {
			return hqjournal.Fact{}, errNothing
		}
		return hqjournal.Fact{Kind: entry.KindHQTransferOut, Body: t}, nil
	}
	err = l.hqFact(ctx, t.Account, made, func(s *set, f *fact, a *account) error {
		return foldDeparture(t)(s, f, a)
	})
	if errors.Is(err, errNothing) {
		return t, false, nil
	}
	return t, err == nil, asAmount(err)
}

// Arrive is the second leg: it gives t.Account, out of the clearing book, what the
// first leg took. The lots keep their dates. The caller sees to it that a leg
// arrives once. It returns the units whose debt the account paid from what it had.
func (l *Ledger) Arrive(ctx context.Context, t entry.HQTransfer) (paid []string, err error) {
	made := func(*account) (hqjournal.Fact, error) {
		return hqjournal.Fact{Kind: entry.KindHQTransferIn, Body: t}, nil
	}
	err = l.hqFact(ctx, t.Account, made, func(s *set, f *fact, a *account) error {
		n := 0
		for _, u := range t.Units {
			owed := a.holding(u.Unit).Overdraft
			if err := s.arrive(f, a, &n, u); err != nil {
				return err
			}
			if u.Debt > 0 && a.holding(u.Unit).Overdraft <= owed {
				paid = append(paid, u.Unit)
			}
		}
		return nil
	})
	return paid, asAmount(err)
}

// picked is the account with what is due by now vested, without changing it.
func (l *Ledger) picked(a *account) (Picked, error) {
	from := Picked{Source: func(lot loyalty.ID) journal.Hash { return a.lotSource[lot] }}
	now := l.o.Clock.Now().UnixMilli()
	for _, unit := range sortedKeys(a.holdings) {
		h := a.holdings[unit].Clone()
		if _, err := h.Vest(now); err != nil {
			return Picked{}, err
		}
		from.Holdings = append(from.Holdings, h)
	}
	return from, nil
}

func (s *set) arrive(f *fact, a *account, n *int, u entry.MovedUnit) error {
	return s.on(f, a, u.Unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		var moves []loyalty.Move
		for _, lot := range u.Lots {
			got, err := h.Earn(lotOf(f, a, *n, lot), loyalty.BookClearing, f.RecordedAt)
			if err != nil {
				return nil, err
			}
			*n++
			moves = append(moves, got...)
		}
		if u.Debt == 0 {
			return moves, nil
		}
		_, paid, err := h.Redeem(u.Debt, loyalty.BookClearing)
		return append(moves, paid...), err
	})
}

// lotOf makes the nth lot of a fact with the dates of one that moved.
func lotOf(f *fact, a *account, n int, of entry.MovedLot) loyalty.Lot {
	lot := loyalty.Lot{
		ID: loyalty.ID(derivedID(f.Hash, "lot/"+itoa(n))), Amount: of.Amount,
		EarnedAt: of.EarnedAt, VestsAt: of.VestsAt, ExpiresAt: of.ExpiresAt, RollDays: of.RollDays,
	}
	a.lotSource[lot.ID] = f.Hash
	return lot
}

// asAmount gives an amount that does not fit a holding its code.
func asAmount(err error) error {
	if errors.Is(err, loyalty.ErrOverflow) {
		return problem.Wrap(problem.AmountOverflow, err, "the amount does not fit the account")
	}
	return err
}

// Gift picks amount of a unit from what is free, first expiry first. More than is
// free is problem.PointsInsufficient, and nothing is written.
func Gift(unit string, amount int64) Pick {
	return func(from Picked) ([]entry.MovedUnit, error) {
		if amount <= 0 || amount > loyalty.MaxAmount {
			return nil, problem.New(problem.AmountInvalid, "a transfer has an amount above zero")
		}
		for _, h := range from.Holdings {
			if h.Unit != unit || h.Free < amount {
				continue
			}
			u := entry.MovedUnit{Unit: unit}
			for _, t := range h.Choose(amount) {
				u.Lots = append(u.Lots, movedLot(h, t))
			}
			if len(u.Lots) > MaxMovedLots {
				return nil, problem.Newf(problem.AmountInvalid, "the points come from more than %d lots; move them in parts", MaxMovedLots)
			}
			return []entry.MovedUnit{u}, nil
		}
		return nil, problem.Newf(problem.PointsInsufficient, "fewer than %d %s are free", amount, unit)
	}
}

// Everything picks what an account has, debts too, as far as one leg holds it.
func Everything(from Picked) ([]entry.MovedUnit, error) {
	return Those(true, func(journal.Hash) bool { return true })(from)
}

// Those picks the lots whose source is wanted, and debts if they are wanted too, as
// far as one leg holds them. What a terminal holds as allowance stays.
func Those(debts bool, wanted func(source journal.Hash) bool) Pick {
	return func(from Picked) ([]entry.MovedUnit, error) {
		var units []entry.MovedUnit
		room := MaxMovedLots
		for _, h := range from.Holdings {
			u := entry.MovedUnit{Unit: h.Unit}
			free := h.Free
			for _, lot := range h.Lots {
				amount := lot.Left
				if !lot.Pending {
					amount = min(amount, free)
				}
				if lot.Voided || amount == 0 || room == 0 || !wanted(from.Source(lot.ID)) {
					continue
				}
				if !lot.Pending {
					free -= amount
				}
				u.Lots = append(u.Lots, movedLot(h, loyalty.Take{Lot: lot.ID, Amount: amount}))
				room--
			}
			if debts {
				u.Debt = h.Overdraft
			}
			if len(u.Lots) > 0 || u.Debt > 0 {
				units = append(units, u)
			}
		}
		return units, nil
	}
}

func movedLot(h loyalty.Holding, t loyalty.Take) entry.MovedLot {
	lot := h.Lot(t.Lot)
	return entry.MovedLot{
		Lot: t.Lot, Amount: t.Amount, EarnedAt: lot.EarnedAt, VestsAt: lot.VestsAt, ExpiresAt: lot.ExpiresAt, RollDays: lot.RollDays,
	}
}
