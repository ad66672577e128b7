package till

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
)

// quoted is a quote with what it was made of.
type quoted struct {
	quote      Quote
	request    Request
	codes      []presented
	account    uuid.UUID
	superseded bool // a later quote of the account took over the hold
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
	codes, err := t.present(cat, req)
	if err != nil {
		return Quote{}, err
	}
	q := quoted{request: req, codes: codes, quote: Quote{ID: t.cfg.NewID(), Basket: req.Basket}}
	err = t.look(ctx, func(l look) error {
		f, err := t.gather(l, cat, codes, req)
		if err != nil {
			return err
		}
		points, uses := t.caps.total(cat.policy.Unit)
		q.quote.Decision, err = f.decide(map[string]int64{cat.policy.Unit: points}, uses)
		if err != nil {
			return err
		}
		q.account = f.party.account
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

// agrees refuses a decision that gives or takes anything else than the quote said.
func agrees(quote, now loyalty.Decision) error {
	same := quote.Discount == now.Discount && quote.ToPay == now.ToPay &&
		len(quote.Redeemed) == len(now.Redeemed) && len(quote.Earned) == len(now.Earned)
	for i := 0; same && i < len(now.Redeemed); i++ {
		same = quote.Redeemed[i] == now.Redeemed[i]
	}
	for i := 0; same && i < len(now.Earned); i++ {
		a, b := quote.Earned[i], now.Earned[i]
		same = a.Unit == b.Unit && a.Amount == b.Amount && a.Line == b.Line
	}
	if !same {
		return problem.New(problem.QuoteChanged, "")
	}
	return nil
}
