package pass_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
)

// voucher gives a member a voucher for a cake.
func (r *rig) voucher(m programme.Member, until time.Time) programme.Voucher {
	r.t.Helper()
	ctx := context.Background()
	reward, err := r.programme.AddReward(ctx, uuid.Nil, loyalty.Reward{Name: "Cake", Unit: "points", Discount: 400, Currency: "EUR", Active: true})
	r.must(err)
	v, err := r.programme.IssueVoucher(ctx, uuid.Nil, programme.Voucher{Member: m.ID, Reward: uuid.UUID(reward.ID), Uses: 2, ValidTo: until})
	r.must(err)
	return v
}

// coupon is a voucher's own pass.
func (r *rig) coupon(v programme.Voucher, ch pass.Channel) pass.Pass {
	r.t.Helper()
	p, err := r.IssueVoucher(context.Background(), v.Member, v.ID, ch)
	r.must(err)
	return p
}

// accounts merges cards; settle carries out what it decided.
func (r *rig) accounts() (all *account.Accounts, settle func()) {
	all = account.New(account.Env{Store: r.hq.DB, Ledger: r.hq.Ledger, Journal: r.hq.Journal, Units: r.programme, Clock: r.hq.Clock, NewID: newID})
	return all, func() {
		r.t.Helper()
		for n := 1; n > 0; {
			var err error
			n, err = all.Settle(context.Background())
			r.must(err)
		}
	}
}

// A voucher that was given away stays good on the phone of who has it when the giver's
// card becomes one with another and is blocked, and it follows what becomes of the
// voucher then. Both members' shards differ for some of the names.
func TestACouponOutlivesTheCardItCameFrom(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		r := newRigOn(t, dsn, pass.Settings{})
		ctx := context.Background()
		accounts, settle := r.accounts()
		owner, giver := r.member("Ada"), r.member("Ada again")
		v := r.voucher(giver, time.Time{})
		h := r.install(r.coupon(v, pass.Apple), "a friend's")
		card := r.install(r.issue(giver, pass.Apple), "the giver's")
		r.rounds()
		h.update()
		card.update()
		code := h.face.Code
		_, err := r.programme.Block(ctx, uuid.Nil, giver.ID)
		r.must(err)
		r.must(r.hq.DB.InTx(ctx, func(ctx context.Context) error { return r.Replaced(ctx, uuid.Nil, giver.ID) }))
		_, err = accounts.Merge(ctx, uuid.Nil, giver.ID, owner.ID, 1)
		r.must(err)
		r.rounds()
		if n := h.update(); n != 0 {
			t.Errorf("while the voucher is on its way the phone got %d passes, the last %+v", n, h.face)
		}
		settle()
		r.rounds()
		if h.update(); h.face.Voided || h.face.Code != code {
			t.Errorf("the friend's coupon says %+v", h.face)
		}
		if card.update(); !card.face.Voided {
			t.Error("the card that was replaced is good")
		}
		if p := r.coupon(must(r.programme.Voucher(ctx, v.ID)), pass.Apple); p.Serial() != h.caller.Serial {
			t.Error("the gift has a second coupon now")
		}
		all, err := r.Of(ctx, owner.ID)
		r.must(err)
		if len(all) != 1 || all[0].Voucher != v.ID {
			t.Errorf("the owner has %+v", all)
		}
		// What happens to the voucher and to who answers for it reaches the phone.
		r.must(r.hq.Ledger.BlockVoucher(ctx, must(r.programme.Member(ctx, owner.ID)).Account, v.ID, true, uuid.Nil))
		r.rounds()
		if h.update(); !h.face.Voided {
			t.Error("the coupon of a blocked voucher is good")
		}
		r.must(r.hq.Ledger.BlockVoucher(ctx, must(r.programme.Member(ctx, owner.ID)).Account, v.ID, false, uuid.Nil))
		r.rounds()
		_, err = r.programme.Block(ctx, uuid.Nil, owner.ID)
		r.must(err)
		r.rounds()
		if h.update(); !h.face.Voided {
			t.Error("the coupon of a blocked member is good")
		}
		r.must(r.Left(ctx, owner.ID))
		r.hq.Clock.Advance(31 * 24 * time.Hour)
		r.rounds()
		if all, err := r.Of(ctx, owner.ID); err != nil || len(all) != 0 {
			t.Errorf("%d passes are left of who left (%v)", len(all), err)
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
