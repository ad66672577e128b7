package ledger

import (
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// Who has to answer for an exception.
const (
	liableProgramme = "programme"
	liableStore     = "store"
)

// effect is one thing a sale did, kept so that a void or a return undoes that.
type effect struct {
	unit      string
	amount    int64
	category  string              // of the lines it was earned on, empty is all
	lot       loyalty.ID          // earned into this lot
	redeemed  *loyalty.Redemption // redeemed from these lots
	suspended bool                // moved through suspense: earned, or redeemed if spent
	spent     bool
	undone    int64
	right     uuid.UUID        // redeemed on this right
	spending  loyalty.Spending // then
}

// soldSale is a sale that has been folded, and what has come back of it.
type soldSale struct {
	fact     *fact
	effects  []effect
	returned *loyalty.Returned
	voided   bool
}

// earnLine is an earning with the line of the entry it stands in.
type earnLine struct {
	entry.Earning
	n        int
	category string
	rollDays int32
}

// foldSale posts a sale. A sale id of a terminal counts once; a sale without an
// account is only stored.
func (s *set) foldSale(f *fact) error {
	sale := f.sale
	if f.account == uuid.Nil {
		return nil
	}
	key := f.saleKey()
	if s.sold[key] != nil {
		s.raise(f, 0, Exception{Kind: SaleRepeated, Liable: liableStore, Member: sale.Member, Cause: "one sale id in two entries; the first one counts"})
		return nil
	}
	if cause := implausible(sale); cause != "" {
		s.raise(f, 0, Exception{Kind: InvalidEntry, Liable: liableStore, Member: sale.Member, Cause: cause})
		return nil
	}
	effects, err := s.saleEffects(f)
	if err != nil {
		return err
	}
	s.sold[key] = &soldSale{fact: f, effects: effects, returned: loyalty.NewReturned(soldOf(sale))}
	return s.undoWaiting(f)
}

func (s *set) saleEffects(f *fact) ([]effect, error) {
	a := s.accounts[f.account]
	waits, rejected := s.unproven(f)
	switch {
	case rejected:
		return nil, nil
	case waits:
		return s.suspend(f, Unproven, liableStore, "delivered after the terminal was revoked or quarantined"), nil
	case a == nil:
		return s.suspend(f, UnknownMember, liableProgramme, "head office does not know the account"), nil
	}
	if err := s.touch(f, a, f.sale.RuleSet); err != nil {
		return nil, err
	}
	var effects []effect
	for i, r := range f.sale.Redeemed {
		if unit := redeemedUnit(r); !s.knowsUnit(f, a, unit) {
			effects = append(effects, s.suspendUnit(f, unit, r.Amount, r.Discount, true, i)...)
			continue
		}
		e, err := s.redeem(f, a, i, r)
		if err != nil {
			return nil, err
		}
		effects = append(effects, e)
	}
	good, excess := s.recheck(f)
	for _, e := range good {
		eff, err := s.earn(f, a, e)
		if err != nil {
			return nil, err
		}
		effects = append(effects, eff)
	}
	if err := s.keep(f, a, good); err != nil {
		return nil, err
	}
	for i, e := range excess {
		eff, err := s.exceeding(f, a, e, len(good)+i)
		if err != nil {
			return nil, err
		}
		effects = append(effects, eff...)
	}
	return effects, nil
}

// redeem posts one redemption; what the account does not have is an overdraw.
func (s *set) redeem(f *fact, a *account, n int, r entry.Redemption) (effect, error) {
	if r.Right != uuid.Nil {
		return s.spend(f, a, n, r)
	}
	unit := redeemedUnit(r)
	e := effect{unit: unit, amount: r.Amount, spent: true}
	err := s.on(f, a, unit, f.sale.RuleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		done, moves, err := h.Redeem(r.Amount, loyalty.BookStore)
		e.redeemed = &done
		return moves, err
	})
	if errors.Is(err, loyalty.ErrOverflow) {
		return s.suspendOne(f, unit, r.Amount, true, n), nil
	}
	if err != nil || e.redeemed.Short == 0 {
		return e, err
	}
	kind, cause := Overdraw, "more was redeemed than the account had"
	if r.Voucher != uuid.Nil {
		kind, cause = VoucherOveruse, "the voucher was used more often than it may be"
	}
	s.raise(f, n, Exception{
		Kind: kind, loss: lossOf(f, loyalty.Circumstances{}), Cause: cause, Member: f.sale.Member, Unit: unit, Amount: e.redeemed.Short,
		Currency: f.sale.Total.Currency, Money: loyalty.Prorate(r.Discount, e.redeemed.Short, r.Amount),
	})
	return e, nil
}

// earn posts one earning as a lot of its own.
func (s *set) earn(f *fact, a *account, e earnLine) (effect, error) {
	lot := loyalty.Lot{
		ID: loyalty.ID(derivedID(f.Hash, "lot/"+itoa(e.n))), Amount: e.Amount,
		EarnedAt: f.EffectiveAt, VestsAt: e.VestsAt, ExpiresAt: e.ExpiresAt, RollDays: e.rollDays,
	}
	err := s.on(f, a, e.Unit, f.sale.RuleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		return h.Earn(lot, loyalty.BookIssue, f.EffectiveAt)
	})
	if errors.Is(err, loyalty.ErrOverflow) {
		return s.suspendOne(f, e.Unit, e.Amount, false, len(f.sale.Redeemed)+e.n), nil
	}
	a.lotSource[lot.ID] = f.Hash
	return effect{unit: e.Unit, amount: e.Amount, category: e.category, lot: lot.ID}, err
}

// suspend posts everything a sale says into suspense, under one exception for
// each unit or, when the sale moves nothing, one for the sale.
func (s *set) suspend(f *fact, kind ExceptionKind, liable, cause string) []effect {
	sale := f.sale
	var effects []effect
	n := 0
	raise := func(unit string, amount, money int64) {
		s.raise(f, n, Exception{
			Kind: kind, Liable: liable, Cause: cause, Member: sale.Member, Unit: unit, Amount: amount,
			Currency: sale.Total.Currency, Money: money,
		})
		n++
	}
	for _, r := range sale.Redeemed {
		unit := redeemedUnit(r)
		effects = append(effects, s.suspendAmount(f, unit, r.Amount, true))
		raise(unit, r.Amount, r.Discount)
	}
	for _, e := range sale.Earned {
		effects = append(effects, s.suspendAmount(f, e.Unit, e.Amount, false))
		raise(e.Unit, e.Amount, 0)
	}
	if n == 0 {
		raise("", 0, 0)
	}
	return effects
}

// suspendAmount posts an earning into suspense, or a redemption out of it.
func (s *set) suspendAmount(f *fact, unit string, amount int64, spent bool) effect {
	move := loyalty.Move{From: loyalty.BookIssue, To: loyalty.BookSuspense, Amount: amount}
	if spent {
		move = loyalty.Move{From: loyalty.BookSuspense, To: loyalty.BookStore, Amount: amount}
	}
	s.post(f, unit, f.sale.RuleSet, f.EffectiveAt, move)
	return effect{unit: unit, amount: amount, suspended: true, spent: spent}
}

// suspendOne sets aside an amount that the holding cannot count.
func (s *set) suspendOne(f *fact, unit string, amount int64, spent bool, n int) effect {
	s.raise(f, n+1, Exception{
		Kind: InvalidEntry, Liable: liableStore, Member: f.sale.Member, Unit: unit, Amount: amount,
		Cause: "the amount does not fit the holding",
	})
	return s.suspendAmount(f, unit, amount, spent)
}

func redeemedUnit(r entry.Redemption) string {
	if r.Voucher != uuid.Nil {
		return loyalty.UseUnit(r.Voucher.String())
	}
	return r.Unit
}
