package ledger

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// Exceptions about rights. More than there was is Overdraw or VoucherOveruse, with an
// attribution.
const (
	RightUnknown ExceptionKind = "right_unknown" // a redemption on a right that is not made yet
	RightMisused ExceptionKind = "right_misused" // a redemption beyond its right, which the account could pay
)

// foldChange posts what a terminal did to a right.
func (s *set) foldChange(f *fact) error {
	a, c := s.accounts[f.account], f.change
	if a == nil || c.Op == entry.AllowanceReceived || !f.Proven && c.Op == entry.AllowanceReleased {
		return nil
	}
	if c.Amount > loyalty.MaxAmount || !printable(c.Unit, maxUnit) || c.Unit == "" {
		return s.changeInvalid(f)
	}
	err := s.on(f, a, c.Unit, 0, func(h *loyalty.Holding) (moves []loyalty.Move, err error) {
		h.Forget(forgotten(f))
		if c.Op == entry.AllowanceReleased {
			_, moves, err = h.CloseRight(c.Right, f.Terminal, f.Epoch, loyalty.RightReleased, f.EffectiveAt)
			return moves, err
		}
		fence := h.Fence(c.Parent, f.Terminal, f.Epoch, c.Amount)
		if !f.Proven { // head office frees the rights of a terminal that it shuts out
			fence.Within, fence.End = 0, loyalty.RightReplaced
		}
		return h.Lend(c.Parent, f.Terminal, f.Epoch, loyalty.HeldRight{
			ID: c.Right, Holder: c.To, Epoch: c.ToEpoch, Store: f.Store, Amount: c.Amount, MadeAt: f.EffectiveAt, EndsAt: c.EndsAt,
		}, fence)
	})
	if errors.Is(err, loyalty.ErrOverflow) {
		return s.changeInvalid(f)
	}
	if c.Op == entry.AllowanceLent {
		s.explain(RightKey{UnitKey{a.AccountKey, c.Unit}, c.Right})
	}
	return err
}

func (s *set) changeInvalid(f *fact) error {
	s.raise(f, 0, Exception{
		Kind: InvalidEntry, Liable: liableStore, Member: f.change.Member, Cause: "a step of a right with an amount or a unit that cannot be",
	})
	return nil
}

// forgotten is before when a right must have been over to be unknown to a fact.
func forgotten(f *fact) int64 { return f.EffectiveAt - rightKept.Milliseconds() }

// spend posts one redemption on a right.
func (s *set) spend(f *fact, a *account, n int, r entry.Redemption) (effect, error) {
	unit := redeemedUnit(r)
	e := effect{unit: unit, amount: r.Amount, spent: true, right: r.Right}
	var fence loyalty.Fence
	err := s.on(f, a, unit, f.sale.RuleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		h.Forget(forgotten(f))
		fence = h.Fence(r.Right, f.Terminal, f.Epoch, r.Amount)
		done, moves, err := h.Spend(r.Right, f.Terminal, f.Epoch, fence, f.EffectiveAt, loyalty.BookStore)
		e.redeemed, e.spending = &done.Redemption, done
		return moves, err
	})
	if errors.Is(err, loyalty.ErrOverflow) {
		return s.suspendOne(f, unit, r.Amount, true, n), nil
	}
	if err != nil {
		return e, err
	}
	x := Exception{
		Member: f.sale.Member, Unit: unit, Amount: e.redeemed.Short, loss: lossOf(f, loyalty.Circumstances{OnRight: true, Fence: fence}), Cause: lossSaid[fence.Cause()],
		Currency: f.sale.Total.Currency, Money: loyalty.Prorate(r.Discount, e.redeemed.Short, r.Amount),
	}
	switch {
	case fence.Unmade && !fence.Foreign && fence.End == loyalty.RightOpen:
		x.Kind, x.State, x.Cause = RightUnknown, ExceptionAwaiting, "it was redeemed on a right that no entry has made yet"
		s.raise(f, n, x)
		key := RightKey{UnitKey{a.AccountKey, unit}, r.Right}
		s.unknown[key] = append(s.unknown[key], s.exceptions[len(s.exceptions)-1].ID)
	case e.redeemed.Short > 0:
		x.Kind = shortKind(r)
		s.raise(f, n, x)
	case e.spending.Beyond > 0:
		x.Kind, x.Amount = RightMisused, e.spending.Beyond
		s.raise(f, n, x)
	}
	return e, nil
}

func shortKind(r entry.Redemption) ExceptionKind {
	if r.Voucher != uuid.Nil {
		return VoucherOveruse
	}
	return Overdraw
}

// explain withdraws what this fold raised about a right before it was made.
func (s *set) explain(key RightKey) {
	ids := s.unknown[key]
	if len(ids) == 0 {
		return
	}
	s.exceptions = slices.DeleteFunc(s.exceptions, func(e Exception) bool { return slices.Contains(ids, e.ID) })
	delete(s.unknown, key)
}

// keep makes the rights that the terminal kept of what its sale earned. It keeps no
// more than that.
func (s *set) keep(f *fact, a *account, earned []earnLine) error {
	for _, k := range f.sale.Kept {
		var most int64
		for _, e := range earned {
			if e.Unit == k.Unit {
				most = min(most+e.Amount, loyalty.MaxAmount)
			}
		}
		if most == 0 || k.Amount <= 0 {
			continue
		}
		err := s.on(f, a, k.Unit, f.sale.RuleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			h.Forget(forgotten(f))
			return h.MakeRight(loyalty.HeldRight{
				ID: f.sale.ID, Holder: f.Terminal, Epoch: f.Epoch, Store: f.Store, Kind: loyalty.RightEarned,
				Amount: min(k.Amount, most), MadeAt: f.EffectiveAt, EndsAt: k.EndsAt,
			})
		})
		if err != nil {
			return err
		}
		s.explain(RightKey{UnitKey{a.AccountKey, k.Unit}, f.sale.ID})
	}
	return nil
}

// regrow gives a right back what its holder undoes of a redemption on it by a void. What
// a return brings back is free: the terminal does not count on it.
func regrow(f *fact, h *loyalty.Holding, e effect, from int64) {
	if f.ret != nil {
		return
	}
	if n := e.spending.OnRight(from, e.undone); n > 0 {
		h.Regrow(e.right, f.Terminal, f.Epoch, n)
	}
}

// foldGrant makes a right that HQ gave.
func foldGrant(g entry.HQGrant) hqFold {
	return func(s *set, f *fact, a *account) error {
		kind := loyalty.RightGranted
		if g.Asked {
			kind = loyalty.RightAuthorised
		}
		err := s.on(f, a, g.Unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			h.Forget(forgotten(f))
			return h.MakeRight(loyalty.HeldRight{
				ID: g.Right, Holder: g.Terminal, Epoch: g.Epoch, Store: g.Store, Kind: kind, Amount: g.Amount, MadeAt: f.EffectiveAt, EndsAt: g.EndsAt,
			})
		})
		s.explain(RightKey{UnitKey{a.AccountKey, g.Unit}, g.Right})
		return err
	}
}

// foldTakeBack ends a right.
func foldTakeBack(b entry.HQTakeBack) hqFold {
	return func(s *set, f *fact, a *account) error {
		return s.on(f, a, b.Unit, 0, func(h *loyalty.Holding) ([]loyalty.Move, error) {
			h.Forget(forgotten(f))
			_, moves, err := h.CloseRight(b.Right, uuid.Nil, 0, EndOf(b.Cause), f.EffectiveAt)
			return moves, err
		})
	}
}

// EndOf is how a right ends that HQ takes back for a cause.
func EndOf(c entry.TakeBackCause) loyalty.RightEnd {
	return loyalty.RightReleased + loyalty.RightEnd(min(c, entry.TakeBackReplaced))
}
