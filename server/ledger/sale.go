package ledger

import (
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Who has to answer for an exception.
const (
	liableProgramme = "programme"
	liableStore     = "store"
)

// effect is one thing a sale did, kept so that a void undoes exactly that.
type effect struct {
	Unit      string              `cbor:"1,keyasint"`
	Lot       loyalty.ID          `cbor:"2,keyasint,omitempty"` // earned into this lot
	Redeemed  *loyalty.Redemption `cbor:"3,keyasint,omitempty"`
	Suspended int64               `cbor:"4,keyasint,omitempty"` // earned into suspense, or (negative) redeemed out of it
}

// earnLine is an earning with the line of the entry it stands in.
type earnLine struct {
	entry.Earning
	n int
}

// foldSale posts a sale. A sale id of a terminal counts once; a sale without an
// account is only stored.
func (s *set) foldSale(f *fact) error {
	sale := f.sale
	if f.account == uuid.Nil {
		return nil
	}
	key := f.saleKey()
	prior := s.sales[key]
	if prior != nil && prior.State != VoidWaits {
		if prior.Source != f.Hash {
			s.raise(f, 0, Exception{Kind: SaleRepeated, Liable: liableStore, Member: sale.Member, Cause: "one sale id in two entries; the first one counts"})
		}
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
	raw, err := wire.Marshal(effects)
	if err != nil {
		return err
	}
	row := &SaleRow{SaleKey: key, Account: f.account, Source: f.Hash, State: SalePosted, Effects: raw}
	s.sales[key], s.changed[key] = row, true
	if prior == nil {
		return nil
	}
	// Its void came first: the sale happened and was undone.
	row.VoidSource = prior.VoidSource
	s.explain(f, prior.VoidSource)
	return s.undo(f, row)
}

// explain withdraws the exception of a void whose sale has arrived.
func (s *set) explain(f *fact, void [32]byte) {
	s.explained = append(s.explained, Exception{
		ID: derivedID(void, string(VoidWithoutSale)+"/0"), Shard: f.shard, State: ExceptionExplained,
	})
}

func (s *set) saleEffects(f *fact) ([]effect, error) {
	a := s.accounts[f.account]
	switch {
	case !f.Proven:
		return s.suspend(f, Unproven, liableStore, "delivered after the terminal was revoked or quarantined"), nil
	case a == nil:
		return s.suspend(f, UnknownMember, liableProgramme, "head office does not know the account"), nil
	}
	var effects []effect
	for i, r := range f.sale.Redeemed {
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
	for _, e := range excess {
		s.post(f, e.Unit, f.sale.RuleSet, loyalty.Move{From: loyalty.BookIssue, To: loyalty.BookSuspense, Amount: e.Amount})
		effects = append(effects, effect{Unit: e.Unit, Suspended: e.Amount})
		s.raise(f, e.n, Exception{
			Kind: EarningDiffers, Liable: liableStore, Member: f.sale.Member, Unit: e.Unit, Amount: e.Amount,
			Cause: "the cited rules give less than was earned",
		})
	}
	return effects, nil
}

// redeem posts one redemption; what the account does not have is an overdraw.
func (s *set) redeem(f *fact, a *account, n int, r entry.Redemption) (effect, error) {
	unit := redeemedUnit(r)
	e := effect{Unit: unit}
	err := s.on(f, a, unit, f.sale.RuleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		done, moves, err := h.Redeem(r.Amount, loyalty.BookStore)
		e.Redeemed = &done
		return moves, err
	})
	if errors.Is(err, loyalty.ErrOverflow) {
		return s.suspendOne(f, unit, -r.Amount, n), nil
	}
	if err != nil || e.Redeemed.Short == 0 {
		return e, err
	}
	kind, cause := Overdraw, "more was redeemed than the account had"
	if r.Voucher != uuid.Nil {
		kind, cause = VoucherOveruse, "the voucher was used more often than it may be"
	}
	s.raise(f, n, Exception{
		Kind: kind, Liable: liableProgramme, Cause: cause, Member: f.sale.Member, Unit: unit, Amount: e.Redeemed.Short,
		Currency: f.sale.Total.Currency, Money: loyalty.Prorate(r.Discount, e.Redeemed.Short, r.Amount),
	})
	return e, nil
}

// earn posts one earning as a lot of its own.
func (s *set) earn(f *fact, a *account, e earnLine) (effect, error) {
	lot := loyalty.Lot{
		ID: loyalty.ID(derivedID(f.Hash, "lot/"+itoa(e.n))), Amount: e.Amount,
		EarnedAt: f.EffectiveAt, VestsAt: e.VestsAt, ExpiresAt: e.ExpiresAt,
	}
	err := s.on(f, a, e.Unit, f.sale.RuleSet, func(h *loyalty.Holding) ([]loyalty.Move, error) {
		return h.Earn(lot, loyalty.BookIssue, f.RecordedAt)
	})
	if errors.Is(err, loyalty.ErrOverflow) {
		return s.suspendOne(f, e.Unit, e.Amount, len(f.sale.Redeemed)+e.n), nil
	}
	a.lotSource[lot.ID] = f.Hash
	return effect{Unit: e.Unit, Lot: lot.ID}, err
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
		s.post(f, unit, sale.RuleSet, loyalty.Move{From: loyalty.BookSuspense, To: loyalty.BookStore, Amount: r.Amount})
		effects = append(effects, effect{Unit: unit, Suspended: -r.Amount})
		raise(unit, r.Amount, r.Discount)
	}
	for _, e := range sale.Earned {
		s.post(f, e.Unit, sale.RuleSet, loyalty.Move{From: loyalty.BookIssue, To: loyalty.BookSuspense, Amount: e.Amount})
		effects = append(effects, effect{Unit: e.Unit, Suspended: e.Amount})
		raise(e.Unit, e.Amount, 0)
	}
	if n == 0 {
		raise("", 0, 0)
	}
	return effects
}

// suspendOne sets aside an amount that the holding cannot count.
func (s *set) suspendOne(f *fact, unit string, amount int64, n int) effect {
	move := loyalty.Move{From: loyalty.BookIssue, To: loyalty.BookSuspense, Amount: amount}
	if amount < 0 {
		move = loyalty.Move{From: loyalty.BookSuspense, To: loyalty.BookStore, Amount: -amount}
	}
	s.post(f, unit, f.sale.RuleSet, move)
	s.raise(f, n+1, Exception{
		Kind: InvalidEntry, Liable: liableStore, Member: f.sale.Member, Unit: unit, Amount: move.Amount,
		Cause: "the amount does not fit the holding",
	})
	return effect{Unit: unit, Suspended: amount}
}

func redeemedUnit(r entry.Redemption) string {
	if r.Voucher != uuid.Nil {
		return loyalty.UseUnit(r.Voucher.String())
	}
	return r.Unit
}
