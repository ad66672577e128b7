package webshop

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Request is a basket of a shopper.
type Request struct {
	Store uuid.UUID
	Shopper
	Basket loyalty.Basket
	Wishes []loyalty.Wish
}

// Quote is what a sale would do. It reserves nothing: a sale that would do anything
// else is refused as problem.QuoteChanged.
type Quote struct {
	ID        uuid.UUID
	Request   Request
	Decision  loyalty.Decision
	ExpiresAt time.Time
}

// Order is a sale to be made: of a quote, or of a request. Key is the caller's
// idempotency key and KeyHash the SHA-256 of its request.
type Order struct {
	Quote   uuid.UUID
	Request Request
	Receipt string
	Key     string
	KeyHash [32]byte
}

// Sale is a sale of the web shop as journalled.
type Sale struct {
	Place
	OccurredAt time.Time
	Body       entry.Sale
}

// Quote decides about a basket and keeps the decision for a while.
func (s *Shop) Quote(ctx context.Context, r Request) (Quote, error) {
	q := Quote{ID: s.env.NewID(), Request: r, ExpiresAt: s.now().Add(quoteLife)}
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		_, err := s.decided(ctx, r, func(_ context.Context, d decided) error {
			q.Decision = d.decision
			return nil
		})
		if err != nil {
			return err
		}
		body, err := wire.Marshal(q)
		if err != nil {
			return err
		}
		return s.env.Store.AddQuote(ctx, q.ID, body, q.ExpiresAt)
	})
	if err != nil {
		return Quote{}, fmt.Errorf("quote: %w", err)
	}
	return q, nil
}

// Sell makes a sale. When it returns without error the sale is journalled and
// posted.
func (s *Shop) Sell(ctx context.Context, o Order) (Sale, error) {
	var out Sale
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		r, quoted, err := s.ordered(ctx, o)
		if err != nil {
			return err
		}
		_, err = s.decided(ctx, r, func(ctx context.Context, d decided) error {
			if quoted != nil && !same(*quoted, d.decision) {
				return problem.New(problem.QuoteChanged, "")
			}
			out.Body = d.sale(s.env.NewID(), o)
			l, err := s.lane(ctx, r.Store, s.laneName(out.Body.Account, out.Body.ID))
			if err != nil {
				return err
			}
			seq, err := s.write(ctx, l, entry.KindSale, out.Body)
			if err != nil {
				return err
			}
			out.Place = Place{Sale: out.Body.ID, Terminal: l.terminal.ID, Epoch: l.terminal.Epoch, Seq: seq}
			out.OccurredAt = s.now()
			return s.env.Store.AddWebSale(ctx, out.Place)
		})
		return err
	})
	if err != nil {
		return Sale{}, fmt.Errorf("sell: %w", err)
	}
	return out, nil
}

// ordered is the request to be sold and, of a quote, what it promised.
func (s *Shop) ordered(ctx context.Context, o Order) (Request, *loyalty.Decision, error) {
	if o.Quote == uuid.Nil {
		return o.Request, nil, nil
	}
	body, expires, err := s.env.Store.Quote(ctx, o.Quote)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return Request{}, nil, problem.New(problem.QuoteUnknown, "")
	case err != nil:
		return Request{}, nil, err
	case !s.now().Before(expires):
		return Request{}, nil, problem.New(problem.QuoteExpired, "")
	}
	q, err := wire.Unmarshal[Quote](body)
	return q.Request, &q.Decision, err
}

// same compares what two decisions give and take; dates may have moved on.
func same(a, b loyalty.Decision) bool {
	for _, d := range []*loyalty.Decision{&a, &b} {
		d.Earned = append([]loyalty.Earned(nil), d.Earned...)
		d.Redeemed = append([]loyalty.Redeemed(nil), d.Redeemed...)
		for i := range d.Earned {
			d.Earned[i].VestsAt, d.Earned[i].ExpiresAt = 0, 0
		}
	}
	return reflect.DeepEqual(a, b)
}

// decided is a decision with what it was made of.
type decided struct {
	request  loyalty.Request
	decision loyalty.Decision
	who      identified
}

// decided decides under the lock of the member's account and calls then while it
// is held.
func (s *Shop) decided(ctx context.Context, r Request, then func(ctx context.Context, d decided) error) (decided, error) {
	d := decided{request: loyalty.Request{
		Now: s.now().UnixMilli(), Basket: r.Basket, Wishes: r.Wishes, Authorised: true,
		Rewards: map[loyalty.ID]loyalty.Reward{}, Vouchers: map[loyalty.ID]loyalty.Voucher{},
	}}
	var err error
	if d.request.Rules, err = s.env.Programme.CurrentRuleSet(ctx); err != nil {
		return d, err
	}
	// Only its version is kept with the sale; there may be none yet.
	if d.request.Policy, err = s.env.Programme.CurrentPolicy(ctx); err != nil && problem.CodeOf(err) != problem.NotFound {
		return d, err
	}
	if d.who, err = s.identify(ctx, r.Shopper); err != nil {
		return d, err
	}
	if !d.who.known {
		return d, s.conclude(ctx, &d, then)
	}
	m := d.who.member
	return d, s.env.Ledger.Locked(ctx, m.Account, func(ctx context.Context, a ledger.Account) error {
		d.request.Member = &loyalty.Member{ID: m.ID, Account: m.Account, Blocked: m.Blocked, Free: map[string]int64{}}
		for _, h := range a.Holdings {
			d.request.Member.Free[h.Unit] = h.Free
		}
		if err := s.gather(ctx, &d, m.Account); err != nil {
			return err
		}
		return s.conclude(ctx, &d, then)
	})
}

// gather reads the vouchers and rewards that the wishes name.
func (s *Shop) gather(ctx context.Context, d *decided, account uuid.UUID) error {
	rewards := map[loyalty.ID]bool{}
	vouchers, err := s.env.Ledger.Vouchers(ctx, account)
	if err != nil {
		return err
	}
	for _, v := range vouchers {
		d.request.Vouchers[v.ID] = v
	}
	for _, w := range d.request.Wishes {
		rewards[w.Reward] = w.Voucher == loyalty.ID{}
		if v, ok := d.request.Vouchers[w.Voucher]; ok {
			rewards[v.Reward] = true
		}
	}
	for id, asked := range rewards {
		if !asked {
			continue
		}
		reward, err := s.env.Programme.Reward(ctx, id)
		if problem.CodeOf(err) == problem.NotFound {
			continue // loyalty refuses the wish
		}
		if err != nil {
			return err
		}
		d.request.Rewards[id] = reward.Reward
	}
	return nil
}

func (s *Shop) conclude(ctx context.Context, d *decided, then func(ctx context.Context, d decided) error) error {
	decision, refusal := loyalty.Decide(d.request)
	if refusal != nil {
		return problem.New(problem.Code(refusal.Reason), refusal.Detail)
	}
	d.decision = decision
	return then(ctx, *d)
}

// sale is the body of the entry.
func (d decided) sale(id uuid.UUID, o Order) entry.Sale {
	b := d.request.Basket
	sale := entry.Sale{
		ID: id, Total: entry.Money{Currency: b.Currency, Minor: b.Total}, Receipt: o.Receipt, RuleSet: d.request.Rules.Version,
		Policy: d.request.Policy.Version, Key: o.Key, KeyHash: o.KeyHash[:], Online: true,
		Freshness: d.who.freshness, Code: d.who.code,
	}
	if m := d.request.Member; m != nil {
		sale.Member, sale.Account = m.ID, m.Account
	}
	for _, l := range b.Lines {
		sale.Lines = append(sale.Lines, entry.Line(l))
	}
	for _, e := range d.decision.Earned {
		sale.Earned = append(sale.Earned, entry.Earning(e))
	}
	for _, r := range d.decision.Redeemed {
		sale.Redeemed = append(sale.Redeemed, entry.Redemption{
			Reward: r.Reward, Voucher: r.Voucher, Unit: r.Unit, Amount: r.Amount, Discount: r.Discount, Basis: entry.BasisHQAuthorised,
		})
	}
	return sale
}

// Sale returns a sale of the web shop.
func (s *Shop) Sale(ctx context.Context, id uuid.UUID) (Sale, error) {
	p, err := s.env.Store.WebSale(ctx, id)
	if problem.CodeOf(err) == problem.NotFound {
		return Sale{}, problem.New(problem.SaleUnknown, "")
	}
	if err != nil {
		return Sale{}, err
	}
	rows, err := s.env.Ledger.EntriesAt(ctx, p.Terminal, p.Epoch, p.Seq)
	if err != nil {
		return Sale{}, err
	}
	e, err := entry.Decode(rows[0].Raw)
	if err != nil {
		return Sale{}, err
	}
	out := Sale{Place: p, OccurredAt: e.At()}
	out.Body, err = entry.DecodeBody[entry.Sale](e)
	return out, err
}

// Void undoes a sale of the web shop, whole. One that was voided before is
// problem.SaleVoided, one of which something came back problem.SaleHasReturns.
func (s *Shop) Void(ctx context.Context, id uuid.UUID, key string, keyHash [32]byte) (Sale, error) {
	var out Sale
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if out, err = s.Sale(ctx, id); err != nil {
			return err
		}
		l, err := s.laneOf(ctx, out.Place)
		if err != nil {
			return err
		}
		first, err := s.env.Store.SetVoided(ctx, id)
		if err != nil {
			return err
		}
		if !first {
			return s.notVoidable(ctx, id)
		}
		out.Voided = true
		_, err = s.write(ctx, l, entry.KindVoid, entry.Void{
			ID: s.env.NewID(), Sale: id, Member: out.Body.Member, Account: out.Body.Account, Reason: entry.VoidCashier,
			Key: key, KeyHash: keyHash[:],
		})
		return err
	})
	if err != nil {
		return Sale{}, fmt.Errorf("void: %w", err)
	}
	return out, nil
}

// notVoidable says why a sale cannot be voided.
func (s *Shop) notVoidable(ctx context.Context, sale uuid.UUID) error {
	p, err := s.env.Store.WebSale(ctx, sale)
	switch {
	case err != nil:
		return err
	case p.Voided:
		return problem.New(problem.SaleVoided, "")
	}
	return problem.New(problem.SaleHasReturns, "")
}
