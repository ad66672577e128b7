package till

import (
	"context"
	"fmt"
	"math"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Return journals goods that came back. When it returns without error, the return is
// durable. Of a sale that this terminal holds it is checked against what is left; of
// any other it is taken as a fact. Either way it restores nothing spendable here and
// frees no cap: that follows at HQ.
func (t *Till) Return(ctx context.Context, r Return) (Returned, error) {
	end, err := t.begin()
	if err != nil {
		return Returned{}, err
	}
	defer end()
	if err := r.check(); err != nil {
		return Returned{}, err
	}
	unlock, err := t.locks.lock(ctx, lockKey(r.Key))
	if err != nil {
		return Returned{}, fmt.Errorf("return goods: %w", err)
	}
	defer unlock()
	before, found, err := t.madeBy(ctx, r.Key, entry.KindReturn, r.KeyHash)
	if err != nil {
		return Returned{}, err
	}
	if found {
		return t.sameReturn(ctx, before.Seq)
	}
	who, err := t.act(r.Caller)
	if err != nil {
		return Returned{}, err
	}
	if who.session.Training {
		return t.practiseReturn(r, who)
	}
	if err := t.room(t.cfg.Limits.MinFreeSale); err != nil {
		return Returned{}, err
	}
	if err := t.observeClock(ctx); err != nil {
		return Returned{}, err
	}
	if r.Sale, err = t.saleNamed(ctx, r); err != nil {
		return Returned{}, err
	}
	sale, soldAt, err := t.saleOf(ctx, r.Sale)
	if gone(err) {
		return t.returnUnmatched(ctx, r, who)
	}
	if err != nil {
		return Returned{}, err
	}
	return t.returnMatched(ctx, r, sale, soldAt, who)
}

// saleNamed returns the id of the sale: as given, or of this terminal's latest sale
// with the receipt number, unless the sale was made elsewhere. Zero: not known.
func (t *Till) saleNamed(ctx context.Context, r Return) (uuid.UUID, error) {
	elsewhere := r.Origin.Terminal != uuid.Nil && r.Origin.Terminal != t.cfg.Writer.ID ||
		r.Origin.Epoch != 0 && r.Origin.Epoch != t.cfg.Writer.Epoch
	if r.Sale != uuid.Nil || r.SaleReceipt == "" || elsewhere {
		return r.Sale, nil
	}
	sale, err := t.latestWith(ctx, r.SaleReceipt)
	if gone(err) {
		return uuid.Nil, nil
	}
	return sale, err
}

// returnMatched decides while it holds the sale, and the account that its earnings
// come off.
func (t *Till) returnMatched(ctx context.Context, r Return, sale entry.Sale, soldAt Entry, who acting) (Returned, error) {
	unlock, err := t.locks.lock(ctx, lockSubject(sale.ID), lockSubject(sale.Account))
	if err != nil {
		return Returned{}, fmt.Errorf("return goods: %w", err)
	}
	defer unlock()
	if err := t.notVoided(ctx, sale.ID); err != nil {
		return Returned{}, err
	}
	left, err := t.remainsOf(ctx, sale, math.MaxUint64)
	if err != nil {
		return Returned{}, err
	}
	back, err := left.take(r)
	if err != nil {
		return Returned{}, err
	}
	// Several small ones are as good as a large one.
	done, err := t.approveReturn(&who, r, left.refunded+back.Refund)
	if err != nil {
		return Returned{}, err
	}
	out, err := t.journalMatched(ctx, r, sale, soldAt, back, who)
	if done(err); err != nil {
		return Returned{}, err
	}
	left.apply(back)
	out.Left = left.left()
	return out, nil
}

func (t *Till) journalMatched(ctx context.Context, r Return, sale entry.Sale, soldAt Entry, back returned, who acting) (Returned, error) {
	if err := t.releaseKept(ctx, sale); err != nil {
		return Returned{}, err
	}
	body := t.returnBody(r, who)
	body.Origin, body.OriginEpoch, body.OriginSeq = t.cfg.Writer.ID, t.cfg.Writer.Epoch, soldAt.At.Seq
	body.Member, body.Account, body.SaleReceipt = sale.Member, sale.Account, sale.Receipt
	body.Lines, body.Whole, body.Matched = back.Lines, back.Whole, true
	body.Refund = entry.Money{Currency: sale.Total.Currency, Minor: back.Refund}
	return t.journalReturn(ctx, body)
}

// returnUnmatched takes a return of a sale that is not here (any more) as a fact.
func (t *Till) returnUnmatched(ctx context.Context, r Return, who acting) (Returned, error) {
	cat := t.catalogue.Load()
	if err := cat.ready(); err != nil {
		return Returned{}, err
	}
	refund := entry.Money{Currency: cat.store.Currency}
	if r.Refund != nil {
		if refund = *r.Refund; refund.Currency != cat.store.Currency {
			return Returned{}, problem.Newf(problem.CurrencyMismatch, "the store's currency is %s", cat.store.Currency)
		}
	}
	if len(r.Lines) == 0 && refund.Minor == 0 {
		return Returned{}, wrongField("refund", "this terminal does not hold the sale: say which lines came back, or how much money was given back")
	}
	worth := refund.Minor
	for _, line := range r.Lines {
		worth = max(worth, worth+line.Amount)
	}
	done, err := t.approveReturn(&who, r, worth)
	if err != nil {
		return Returned{}, err
	}
	out, err := t.journalUnmatched(ctx, r, refund, who)
	done(err)
	return out, err
}

func (t *Till) journalUnmatched(ctx context.Context, r Return, refund entry.Money, who acting) (Returned, error) {
	body := t.returnBody(r, who)
	body.Refund = refund
	origin, err := t.originOf(ctx, r)
	if err != nil {
		return Returned{}, err
	}
	body.Origin, body.OriginEpoch, body.OriginSeq = origin.Terminal, origin.Epoch, origin.Seq
	for _, line := range r.Lines {
		body.Lines = append(body.Lines, entry.ReturnLine{No: line.No, Quantity: line.Quantity, Amount: line.Amount})
	}
	return t.journalReturn(ctx, body)
}

// originOf returns where the sale stands: as the receipt says, or, of one that was
// made here and pruned since, as remembered. Such a one may still be known as voided.
func (t *Till) originOf(ctx context.Context, r Return) (Origin, error) {
	if r.Sale == uuid.Nil {
		return r.Origin, nil
	}
	if err := t.notVoided(ctx, r.Sale); err != nil {
		return Origin{}, err
	}
	origin := r.Origin
	err := t.look(ctx, func(l look) error {
		seq, found, err := get[uint64](l, TableSale, r.Sale[:])
		if err == nil && found {
			origin = Origin{Terminal: t.cfg.Writer.ID, Epoch: t.cfg.Writer.Epoch, Seq: seq}
		}
		return err
	})
	return origin, err
}

// approveReturn takes the approval of a return that is worth so much.
func (t *Till) approveReturn(who *acting, r Return, worth int64) (func(error), error) {
	needed := t.catalogue.Load().tillRules.ReturnNeedsApproval(worth)
	var refund int64
	if r.Refund != nil {
		refund = r.Refund.Minor
	}
	return t.approve(who, needed, OpReturn, aboutReturn(r, refund)...)
}

func (t *Till) returnBody(r Return, who acting) entry.Return {
	body := entry.Return{
		ID: t.cfg.NewID(), Sale: r.Sale, SaleReceipt: r.SaleReceipt, Receipt: r.Receipt, Cashier: who.cashierText(r.Cashier),
		Key: r.Key, KeyHash: r.KeyHash[:], Hands: who.hands,
	}
	if rules := t.catalogue.Load().rules; rules != nil {
		body.RuleSet = rules.Version
	}
	return body
}

func (t *Till) journalReturn(ctx context.Context, body entry.Return) (Returned, error) {
	now, _ := t.time.now()
	at, err := t.record(ctx, now, entry.KindReturn, body)
	if err != nil {
		return Returned{}, err
	}
	return Returned{Entry: at, Body: body}, nil
}

// sameReturn answers a repeated call from the journal: what was left then, too, as
// long as the sale is kept.
func (t *Till) sameReturn(ctx context.Context, seq uint64) (Returned, error) {
	body, at, err := readBody[entry.Return](ctx, t.cfg.Journal, seq)
	if err != nil {
		return Returned{}, err
	}
	out := Returned{Entry: at, Body: body, Replayed: true}
	if !body.Matched {
		return out, nil
	}
	sale, _, err := t.saleOf(ctx, body.Sale)
	if gone(err) {
		return out, nil
	}
	if err != nil {
		return Returned{}, err
	}
	left, err := t.remainsOf(ctx, sale, seq)
	if err != nil {
		return Returned{}, err
	}
	out.Left = left.left()
	return out, nil
}
