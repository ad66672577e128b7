package till

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Commit makes the sale. When it returns without error, the sale is durable.
func (t *Till) Commit(ctx context.Context, c Commit) (Sale, error) {
	end, err := t.begin()
	if err != nil {
		return Sale{}, err
	}
	defer end()
	if err := errors.Join(checkKey(c.Key), checkText("receipt", c.Receipt, MaxText),
		checkText("cashier", c.Cashier, MaxText)); err != nil {
		return Sale{}, err
	}
	unlock, err := t.locks.lock(ctx, lockKey(c.Key))
	if err != nil {
		return Sale{}, fmt.Errorf("commit sale: %w", err)
	}
	defer unlock()
	if sale, found, err := t.practice.again(c.Key, c.KeyHash); err != nil || found {
		return sale, err
	}
	if before, found, err := t.madeBy(ctx, c.Key, entry.KindSale, c.KeyHash); err != nil || found {
		return t.sameSale(ctx, before, err)
	}
	who, err := t.act(c.Caller)
	if err != nil {
		return Sale{}, err
	}
	if c.Receipt == "" && t.catalogue.Load().tillRules.ReceiptNeeded {
		return Sale{}, problem.New(problem.ReceiptNeeded, "")
	}
	if err := t.room(t.cfg.Limits.MinFreeSale); err != nil {
		return Sale{}, err
	}
	if err := t.observeClock(ctx); err != nil {
		return Sale{}, err
	}
	cat := t.catalogue.Load()
	q, err := t.wanted(ctx, cat, c)
	if err != nil {
		return Sale{}, err
	}
	switch {
	case c.Quote != uuid.Nil && q.quote.Training != who.session.Training:
		return Sale{}, problem.New(problem.TrainingMixed, "the quote")
	case who.session.Training:
		return t.practise(ctx, cat, c, q, who)
	}
	return t.commit(ctx, cat, c, q, who)
}

// wanted returns what is to be committed: a quote, or the request itself.
func (t *Till) wanted(ctx context.Context, cat *catalogue, c Commit) (quoted, error) {
	if c.Quote != uuid.Nil {
		return t.desk.quote(c.Quote)
	}
	if err := c.Request.check(cat); err != nil {
		return quoted{}, err
	}
	codes, err := t.present(ctx, cat, c.Request)
	return quoted{request: c.Request, codes: codes}, err
}

// commit decides, reserves and journals while it holds all that the decision is
// about, so that nobody else decides about the same from a stale look.
func (t *Till) commit(ctx context.Context, cat *catalogue, c Commit, q quoted, who acting) (Sale, error) {
	unlock, err := t.lockSubjects(ctx, q)
	if err != nil {
		return Sale{}, err
	}
	defer unlock()
	var f facts
	err = t.look(ctx, func(l look) (err error) {
		if len(q.request.Wishes) == 0 {
			// A sale that redeems nothing does not ask what there is.
			f, err = t.gatherParty(l, cat, q.codes, q.request)
			return err
		}
		f, err = t.gather(l, cat, q.codes, q.request)
		return err
	})
	if err != nil {
		return Sale{}, err
	}
	if len(q.request.Wishes) == 0 {
		return t.sell(ctx, c, q, f, who, nil)
	}
	if err := t.mayRedeem(); err != nil {
		return Sale{}, err
	}
	if who.caller.Approval == uuid.Nil {
		who.caller.Approval = q.request.Caller.Approval
	}
	done, err := t.approveTyped(&who, &f)
	if err != nil {
		return Sale{}, err
	}
	sale, err := t.redeem(ctx, c, q, f, who)
	done(err)
	return sale, err
}

// redeem asks for what the rights held here do not cover, and sells.
func (t *Till) redeem(ctx context.Context, c Commit, q quoted, f facts, who acting) (Sale, error) {
	asked, err := t.ask(ctx, &f)
	if err != nil {
		return Sale{}, errors.Join(err, asked.giveBack(ctx))
	}
	sale, err := t.sell(ctx, c, q, f, who, asked)
	if err != nil {
		return Sale{}, errors.Join(err, asked.giveBack(ctx))
	}
	return sale, nil
}

// sell decides about gathered facts, reserves and journals.
func (t *Till) sell(ctx context.Context, c Commit, q quoted, f facts, who acting, asked *asking) (Sale, error) {
	t.deciding.RLock()
	defer t.deciding.RUnlock()
	cat := t.catalogue.Load() // there may be a newer one than when the facts were gathered
	f.request.Policy, f.request.StandIn.Share = cat.policy, cat.shareGiven()
	var decision loyalty.Decision
	room, err := t.caps.reserve(func(total tally) (_ spend, err error) {
		if decision, err = f.decide(total); err != nil {
			return spend{}, err
		}
		if c.Quote != uuid.Nil {
			if err := agrees(q.quote.Decision, decision); err != nil {
				return spend{}, err
			}
		}
		return spendOf(decision), nil
	})
	if err != nil {
		return Sale{}, err
	}
	defer room.release()
	if asked != nil {
		if err := asked.receive(ctx, decision); err != nil {
			return Sale{}, err
		}
	}
	body := t.saleBody(c, f, decision, who)
	at, err := t.record(ctx, f.now, entry.KindSale, body)
	if err != nil {
		return Sale{}, err
	}
	room.keep(at.At.Seq)
	t.desk.committed(c.Quote)
	return t.withClaim(Sale{Entry: at, Body: body}), nil
}

// lockSubjects locks whatever the sale may use up. The account is that of the
// member at this moment; when HQ moves the member meanwhile, it is tried again.
func (t *Till) lockSubjects(ctx context.Context, q quoted) (func(), error) {
	for {
		names, err := t.subjects(ctx, q)
		if err != nil {
			return nil, err
		}
		unlock, err := t.locks.lock(ctx, names...)
		if err != nil {
			return nil, fmt.Errorf("commit sale: %w", err)
		}
		again, err := t.subjects(ctx, q)
		if err == nil && slices.Equal(names, again) {
			return unlock, nil
		}
		unlock()
		if err != nil {
			return nil, err
		}
	}
}

func (t *Till) subjects(ctx context.Context, q quoted) ([]string, error) {
	var names []string
	err := t.look(ctx, func(l look) error {
		p, err := t.meet(l, t.catalogue.Load(), q.codes)
		if err != nil {
			return err
		}
		names = append(names, lockSubject(p.id), lockSubject(p.account))
		return nil
	})
	for _, c := range q.codes {
		names = append(names, lockSubject(c.pass.Subject))
	}
	for _, w := range q.request.Wishes {
		if w.Voucher != (loyalty.ID{}) {
			names = append(names, lockSubject(w.Voucher))
		}
	}
	if len(q.codes) == 0 {
		names = nil // nothing is used up
	}
	return names, err
}

func (t *Till) saleBody(c Commit, f facts, d loyalty.Decision, who acting) entry.Sale {
	b := f.request.Basket
	code, freshness := f.party.entryCode()
	sale := entry.Sale{
		ID: t.cfg.NewID(), Member: f.party.id, Account: f.party.account,
		Total: entry.Money{Currency: b.Currency, Minor: b.Total}, Receipt: c.Receipt, Cashier: who.cashierText(c.Cashier),
		RuleSet: f.request.Rules.Version, Policy: f.request.Policy.Version, Freshness: freshness, Code: code,
		Key: c.Key, KeyHash: c.KeyHash[:], Online: t.online.Load(), Hands: who.hands,
	}
	for _, l := range b.Lines {
		sale.Lines = append(sale.Lines, entry.Line(l))
	}
	for _, e := range d.Earned {
		sale.Earned = append(sale.Earned, entry.Earning(e))
	}
	for _, r := range d.Redeemed {
		sale.Redeemed = append(sale.Redeemed, entry.Redemption{
			Reward: r.Reward, Voucher: r.Voucher, Unit: r.Unit, Amount: r.Amount, Discount: r.Discount,
			Basis: entry.Basis(r.Basis), Right: r.Right,
		})
	}
	for _, k := range d.Kept {
		sale.Kept = append(sale.Kept, entry.Kept(k))
	}
	sale.Claim = t.claimOf(sale, f.request.Policy)
	return sale
}

// spendOf is what a decision counts against the caps of the terminal.
func spendOf(d loyalty.Decision) spend {
	var s spend
	for _, r := range d.Redeemed {
		s.add(r.Unit, r.Unit == "", r.Amount, r.Basis != loyalty.ByStandIn)
	}
	return s
}

// madeBy finds what an idempotency key made. The same key with another request, or
// for another kind of thing, is refused.
func (t *Till) madeBy(ctx context.Context, key string, kind entry.Kind, hash [32]byte) (made, bool, error) {
	var m made
	var found bool
	err := t.look(ctx, func(l look) (err error) {
		m, found, err = get[made](l, TableKey, textKey(key))
		return err
	})
	if err == nil && found && (m.Kind != kind || subtle.ConstantTimeCompare(m.Hash, hash[:]) != 1) {
		return made{}, false, problem.New(problem.IdempotencyReused, "")
	}
	return m, found, err
}

// sameSale answers a repeated call from the journal.
func (t *Till) sameSale(ctx context.Context, m made, err error) (Sale, error) {
	if err != nil {
		return Sale{}, err
	}
	body, at, err := readBody[entry.Sale](ctx, t.cfg.Journal, m.Seq)
	return t.withClaim(Sale{Entry: at, Body: body, Replayed: true}), err
}

// room refuses what needs disk space while less than least bytes are free.
func (t *Till) room(least int64) error {
	if t.cfg.FreeDisk == nil || least < 0 {
		return nil
	}
	free, err := t.cfg.FreeDisk()
	if err != nil {
		return fmt.Errorf("measure free disk space: %w", err)
	}
	if free < least {
		return problem.Newf(problem.DiskFull, "%d MB free, %d MB needed", free>>20, least>>20)
	}
	return nil
}

func lockKey(key string) string { return "key " + key }

func lockSubject(id uuid.UUID) string { return "subject " + string(id[:]) }
