package till

import (
	"context"
	"crypto/subtle"
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// mostPractised is how many training sales are kept in memory; the oldest makes room.
const mostPractised = 200

// practice is what was done in training. Nothing of it is journalled, and nothing real
// knows of it: sales of training are found here only, and only training undoes them.
type practice struct {
	mu    sync.Mutex
	sales map[uuid.UUID]*practised
	order []uuid.UUID
}

// practised is one training sale. key and hash are those of the call that made it.
type practised struct {
	sale    Sale
	hash    [32]byte
	remains *remains
	void    *Voided
}

func newPractice() *practice { return &practice{sales: map[uuid.UUID]*practised{}} }

// again answers a repeated call.
func (p *practice) again(key string, hash [32]byte) (Sale, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.sales {
		if one.sale.Body.Key != key {
			continue
		}
		if subtle.ConstantTimeCompare(one.hash[:], hash[:]) != 1 {
			return Sale{}, true, problem.New(problem.IdempotencyReused, "")
		}
		out := one.sale
		out.Replayed = true
		return out, true, nil
	}
	return Sale{}, false, nil
}

func (p *practice) keep(sale Sale, hash [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.order) >= mostPractised {
		delete(p.sales, p.order[0])
		p.order = p.order[1:]
	}
	p.sales[sale.Body.ID] = &practised{sale: sale, hash: hash, remains: newRemains(sale.Body)}
	p.order = append(p.order, sale.Body.ID)
}

// find returns a training sale as it stands.
func (p *practice) find(id uuid.UUID) (Found, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := p.sales[id]
	if one == nil {
		return Found{}, false
	}
	out := Found{Sale: one.sale, Void: one.void, Returned: one.remains.broughtBack()}
	if one.void == nil {
		out.Left = one.remains.left()
	}
	return out, true
}

// change runs fn on a training sale that is named by its id, its key or its receipt. What
// is not one does not mix with training.
func (p *practice) change(is func(Sale) bool, fn func(*practised) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.order) - 1; i >= 0; i-- {
		if one := p.sales[p.order[i]]; is(one.sale) {
			return fn(one)
		}
	}
	return problem.New(problem.TrainingMixed, "this is no sale of training")
}

// practise answers a commit as if: it decides like one, and uses up, reserves, asks for
// and writes nothing.
func (t *Till) practise(ctx context.Context, cat *catalogue, c Commit, q quoted, who acting) (Sale, error) {
	var sale Sale
	err := t.look(ctx, func(l look) error {
		f, err := t.gather(l, cat, q.codes, q.request)
		if err != nil {
			return err
		}
		if who.caller.Approval == uuid.Nil {
			who.caller.Approval = q.request.Caller.Approval
		}
		done, err := t.approveTyped(&who, &f)
		if err != nil {
			return err
		}
		f.hope()
		decision, err := f.decide(t.caps.sums(cat.policy.Unit))
		if err == nil && c.Quote != uuid.Nil {
			err = agrees(q.quote.Decision, decision)
		}
		if done(err); err != nil {
			return err
		}
		sale = t.practisedSale(c, f, decision, who)
		return nil
	})
	if err != nil {
		return Sale{}, err
	}
	t.desk.committed(c.Quote)
	t.practice.keep(sale, c.KeyHash)
	return sale, nil
}

func (t *Till) practisedSale(c Commit, f facts, d loyalty.Decision, who acting) Sale {
	body := t.saleBody(c, f, d, who)
	body.Claim, body.Kept = uuid.Nil, nil // neither is worth anything
	return Sale{Entry: Entry{OccurredAt: stamp(f.now), BusinessDate: f.date}, Body: body, Training: true}
}

// practiseVoid answers a void as if.
func (t *Till) practiseVoid(v Void, who acting) (out Voided, err error) {
	is := func(s Sale) bool {
		return v.Sale != uuid.Nil && s.Body.ID == v.Sale || v.SaleKey != "" && s.Body.Key == v.SaleKey
	}
	err = t.practice.change(is, func(p *practised) error {
		switch {
		case p.void != nil && p.void.Body.Key == v.Key:
			out = *p.void
			out.Replayed = true
			return nil
		case p.void != nil:
			return problem.New(problem.SaleVoided, "in training")
		case len(p.remains.returns) > 0:
			return problem.New(problem.SaleHasReturns, "in training")
		}
		if _, err := t.approve(&who, t.voidNeeds(v, p.sale.Body), OpVoid, aboutSale(p.sale.Body.ID)); err != nil {
			return err
		}
		now, _ := t.time.now()
		out = Voided{
			Entry: Entry{OccurredAt: stamp(now), BusinessDate: t.dateOf(now)}, Body: t.voidBody(v, p.sale.Body, who), Training: true,
		}
		kept := out
		p.void = &kept
		return nil
	})
	return out, err
}

// practiseReturn answers a return as if.
func (t *Till) practiseReturn(r Return, who acting) (out Returned, err error) {
	is := func(s Sale) bool {
		return r.Sale != uuid.Nil && s.Body.ID == r.Sale || r.Sale == uuid.Nil && r.SaleReceipt != "" && s.Body.Receipt == r.SaleReceipt
	}
	err = t.practice.change(is, func(p *practised) error {
		if p.void != nil {
			return problem.New(problem.SaleVoided, "in training")
		}
		r.Sale = p.sale.Body.ID
		back, err := p.remains.take(r)
		if err != nil {
			return err
		}
		if _, err := t.approveReturn(&who, r, p.remains.refunded+back.Refund); err != nil {
			return err
		}
		body := t.returnBody(r, who)
		body.Member, body.Account, body.SaleReceipt = p.sale.Body.Member, p.sale.Body.Account, p.sale.Body.Receipt
		body.Lines, body.Whole, body.Matched = back.Lines, back.Whole, true
		body.Refund = entry.Money{Currency: p.sale.Body.Total.Currency, Minor: back.Refund}
		now, _ := t.time.now()
		back.ID = body.ID
		p.remains.apply(back)
		out = Returned{
			Entry: Entry{OccurredAt: stamp(now), BusinessDate: t.dateOf(now)}, Body: body, Left: p.remains.left(), Training: true,
		}
		return nil
	})
	return out, err
}

// actForReal finds who acts, and refuses somebody in training: what is asked for has no
// as if.
func (t *Till) actForReal(c Caller) (acting, error) {
	a, err := t.act(c)
	if err == nil && a.session.Training {
		err = problem.New(problem.TrainingMixed, "there is nothing to practise here")
	}
	return a, err
}
