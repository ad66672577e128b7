package till

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Void undoes a sale. When it returns without error, the void is durable. Voided by
// the key of a sale whose call is still under way, it waits for that call.
func (t *Till) Void(ctx context.Context, v Void) (Voided, error) {
	end, err := t.begin()
	if err != nil {
		return Voided{}, err
	}
	defer end()
	if err := v.check(); err != nil {
		return Voided{}, err
	}
	names := []string{lockKey(v.Key)}
	if v.SaleKey != "" {
		names = append(names, lockKey(v.SaleKey))
	}
	unlock, err := t.locks.lock(ctx, names...)
	if err != nil {
		return Voided{}, fmt.Errorf("void sale: %w", err)
	}
	defer unlock()
	before, found, err := t.madeBy(ctx, v.Key, entry.KindVoid, v.KeyHash)
	if err != nil {
		return Voided{}, err
	}
	if found {
		body, at, err := readBody[entry.Void](ctx, t.cfg.Journal, before.Seq)
		return Voided{Entry: at, Body: body, Replayed: true}, err
	}
	who, err := t.act(v.Caller)
	if err != nil {
		return Voided{}, err
	}
	if who.session.Training {
		return t.practiseVoid(v, who)
	}
	if err := t.room(t.cfg.Limits.MinFreeSale); err != nil {
		return Voided{}, err
	}
	if err := t.observeClock(ctx); err != nil {
		return Voided{}, err
	}
	sale, soldAt, err := t.saleToVoid(ctx, v)
	if err != nil {
		return Voided{}, err
	}
	done, err := t.approve(&who, t.voidNeeds(v, sale), OpVoid, aboutSale(sale.ID))
	if err != nil {
		return Voided{}, err
	}
	voided, err := t.void(ctx, v, sale, who)
	if done(err); err == nil {
		t.caps.void(soldAt.At.Seq)
	}
	return voided, err
}

func (v *Void) check() error {
	if v.Reason == 0 {
		v.Reason = entry.VoidCashier
	}
	if v.Reason > entry.VoidLostAnswer {
		return problem.New(problem.InvalidField, "the reason is not known")
	}
	if (v.Sale == uuid.Nil) == (v.SaleKey == "") {
		return problem.New(problem.InvalidField, "a sale is named by its id or by its key, one of them")
	}
	return errors.Join(checkKey(v.Key), checkText("cashier", v.Cashier, MaxText), checkText("sale_key", v.SaleKey, MaxKey))
}

// saleToVoid finds the sale by id or by the key that made it.
func (t *Till) saleToVoid(ctx context.Context, v Void) (entry.Sale, Entry, error) {
	if v.SaleKey == "" {
		sale, at, err := t.saleOf(ctx, v.Sale)
		return sale, at, unknownSale(err)
	}
	seq, err := t.madeUnder(ctx, v.SaleKey)
	if err != nil {
		return entry.Sale{}, Entry{}, unknownSale(err)
	}
	sale, at, err := readBody[entry.Sale](ctx, t.cfg.Journal, seq)
	return sale, at, unknownSale(err)
}

// unknownSale gives an absent sale its code.
func unknownSale(err error) error {
	if gone(err) {
		return problem.New(problem.SaleUnknown, "")
	}
	return err
}

func (t *Till) void(ctx context.Context, v Void, sale entry.Sale, who acting) (Voided, error) {
	unlock, err := t.locks.lock(ctx, lockSubject(sale.ID), lockSubject(sale.Account))
	if err != nil {
		return Voided{}, fmt.Errorf("void sale: %w", err)
	}
	defer unlock()
	if err := t.notVoided(ctx, sale.ID); err != nil {
		return Voided{}, err
	}
	if err := t.notReturned(ctx, sale.ID); err != nil {
		return Voided{}, err
	}
	if err := t.releaseKept(ctx, sale); err != nil {
		return Voided{}, err
	}
	now, _ := t.time.now()
	body := t.voidBody(v, sale, who)
	at, err := t.record(ctx, now, entry.KindVoid, body)
	if err != nil {
		return Voided{}, err
	}
	if err := t.releaseOneOff(ctx, sale); err != nil {
		return Voided{}, err
	}
	return Voided{Entry: at, Body: body}, nil
}

// voidNeeds says whether a manager must approve a void. What the till software never saw
// the answer of has given nobody anything.
func (t *Till) voidNeeds(v Void, sale entry.Sale) bool {
	return t.catalogue.Load().tillRules.VoidNeedsApproval(sale.Total.Minor) && (v.Reason != entry.VoidLostAnswer || v.Caller.Page)
}

func (t *Till) voidBody(v Void, sale entry.Sale, who acting) entry.Void {
	return entry.Void{
		ID: t.cfg.NewID(), Sale: sale.ID, Member: sale.Member, Account: sale.Account,
		Reason: v.Reason, Cashier: who.cashierText(v.Cashier), Key: v.Key, KeyHash: v.KeyHash[:],
		Total: sale.Total, Hands: who.hands,
	}
}

// notVoided refuses what a void has undone already.
func (t *Till) notVoided(ctx context.Context, sale uuid.UUID) error {
	seq, voided, err := t.voidOf(ctx, sale)
	if err == nil && voided {
		err = problem.Newf(problem.SaleVoided, "by entry %d", seq)
	}
	return err
}

// notReturned refuses to void what has partly come back: the void would undo that
// part once more.
func (t *Till) notReturned(ctx context.Context, sale uuid.UUID) error {
	before, err := t.returnsOf(ctx, sale, math.MaxUint64)
	if err == nil && len(before) > 0 {
		err = problem.Newf(problem.SaleHasReturns, "%d returns", len(before))
	}
	return err
}

// voidOf returns the number of the entry that voids a sale.
func (t *Till) voidOf(ctx context.Context, sale uuid.UUID) (seq uint64, voided bool, err error) {
	err = t.look(ctx, func(l look) (err error) {
		seq, voided, err = get[uint64](l, TableVoided, sale[:])
		return err
	})
	return seq, voided, err
}

// stamp is a time as an entry keeps it.
func stamp(at time.Time) time.Time { return time.UnixMilli(at.UnixMilli()).UTC() }
