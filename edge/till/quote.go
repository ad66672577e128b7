package till

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// quoted is a quote with what it was made of.
type quoted struct {
	quote      Quote
	request    Request
	codes      []presented
	member     uuid.UUID
	account    uuid.UUID
	superseded bool // a later quote of the member took over the hold
}

// Quote decides about a basket and keeps the decision for a while.
func (t *Till) Quote(ctx context.Context, req Request) (Quote, error) {
	end, err := t.begin()
	if err != nil {
		return Quote{}, err
	}
	defer end()
	cat := t.catalogue.Load()
	if err := req.check(cat); err != nil {
		return Quote{}, err
	}
	who, err := t.act(req.Caller)
	if err != nil {
		return Quote{}, err
	}
	codes, err := t.present(ctx, cat, req)
	if err != nil {
		return Quote{}, err
	}
	var near map[uuid.UUID][]wire.Held
	if len(req.Wishes) > 0 {
		if near, err = t.near(ctx, cat, codes, req); err != nil {
			return Quote{}, err
		}
	}
	q := quoted{request: req, codes: codes, quote: Quote{ID: t.cfg.NewID(), Basket: req.Basket, Training: who.session.Training}}
	err = t.look(ctx, func(l look) error {
		f, err := t.gather(l, cat, codes, req)
		if err != nil {
			return err
		}
		if len(req.Wishes) > 0 {
			if err := t.mayRedeem(); err != nil {
				return err
			}
		}
		f.meetLanes(near)
		total := t.caps.sums(cat.policy.Unit)
		if err := t.peekTyped(who, &f); err != nil {
			return err
		}
		t.desk.holdsFor(f.party.id).apply(&f, &total)
		f.hope()
		if q.quote.Decision, err = f.decide(total); err != nil {
			return err
		}
		q.member, q.account = f.party.id, f.party.account
		q.quote.ExpiresAt = f.now.Add(t.cfg.Limits.QuoteLife)
		q.quote.Member, err = t.describe(l, cat, f)
		return err
	})
	if err != nil {
		return Quote{}, err
	}
	t.desk.keepQuote(q)
	return q.quote, nil
}

// hope takes it that whoever can be asked will give what is not held here, so that a
// shopper is offered what will most likely work. Only the commit asks.
func (f *facts) hope() {
	if f.canBorrow {
		for _, g := range f.elsewhere {
			f.request.Offered = append(f.request.Offered, g.domain())
		}
	}
	if !f.canAuthorise {
		return
	}
	short, _ := loyalty.Missing(f.request) // a refusal comes again when it is decided
	for _, s := range short {
		if s.Amount <= f.free(s.Unit)+f.aside(s.Unit) {
			f.request.Offered = append(f.request.Offered, loyalty.Right{Unit: s.Unit, Left: s.Amount, Basis: loyalty.ByHQ})
		}
	}
}

// free is what HQ said is free of a unit.
func (f *facts) free(unit string) int64 {
	for _, v := range f.request.Vouchers {
		if loyalty.UseUnit(uuid.UUID(v.ID).String()) == unit {
			return v.Left
		}
	}
	return f.request.Member.Free[unit]
}

// aside is what HQ said is set aside of a unit for other terminals, and can call back.
func (f *facts) aside(unit string) int64 {
	var n int64
	if m := f.party.member; m != nil {
		for _, h := range m.Holdings {
			if h.Unit == unit {
				n = h.Allowance
			}
		}
	}
	for _, r := range f.rights {
		if r.Unit == unit && r.Source == fromGrant {
			n -= r.left
		}
	}
	return max(0, n)
}

// agrees refuses a decision that gives or takes anything else than the quote said, on
// whatever basis.
func agrees(quote, now loyalty.Decision) error {
	same := quote.Discount == now.Discount && quote.ToPay == now.ToPay && len(quote.Earned) == len(now.Earned) &&
		slices.Equal(quote.Totals(), now.Totals())
	for i := 0; same && i < len(now.Earned); i++ {
		a, b := quote.Earned[i], now.Earned[i]
		same = a.Unit == b.Unit && a.Amount == b.Amount && a.Line == b.Line
	}
	if !same {
		return problem.New(problem.QuoteChanged, "")
	}
	return nil
}
