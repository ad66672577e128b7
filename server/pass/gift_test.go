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

// A voucher that is taken back is void on the phones that have it; given again it is
// another pass with another code, and the member's own card shows it all the while.
func TestAVoucherTakenBack(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	v := r.voucher(m, time.Time{})
	card := r.install(r.issue(m, pass.Apple), "Ada's")
	h := r.install(r.coupon(v, pass.Apple), "a friend's")
	r.coupon(v, pass.Google)
	code := h.face.Code
	r.must(r.hq.DB.InTx(ctx, func(ctx context.Context) error {
		back, err := r.programme.TakeBackVoucher(ctx, uuid.Nil, v.ID)
		r.must(err)
		return r.TakenBack(ctx, back)
	}))
	r.rounds()
	if h.update(); !h.face.Voided {
		t.Errorf("the friend's coupon says %+v", h.face)
	}
	if card.update(); len(card.face.Vouchers) != 1 {
		t.Errorf("the card lists %+v", card.face.Vouchers)
	}
	all, err := r.Of(ctx, m.ID)
	r.must(err)
	for _, p := range all {
		if (p.Voucher == v.ID) != (p.State == pass.Voided) {
			t.Errorf("a pass of %s is %s", p.Voucher, p.State)
		}
	}
	again := r.install(r.coupon(v, pass.Apple), "another friend's")
	if again.face.Code == code || again.face.Issue != 2 || again.caller.Serial == h.caller.Serial {
		t.Errorf("given again it says %+v", again.face)
	}
}

// After a loss the coupons of vouchers have other codes too, and so has what was only
// given away by a link; a voucher that nobody else has keeps its code.
func TestALossTakesBackVouchersThatAreOut(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	out, given, kept := r.voucher(m, time.Time{}), r.voucher(m, time.Time{}), r.voucher(m, time.Time{})
	h := r.install(r.coupon(out, pass.Apple), "the lost phone")
	r.must(r.programme.GiveVoucher(ctx, given.ID))
	fresh, err := r.Lost(ctx, m.ID, m.ID)
	r.must(err)
	r.rounds()
	if h.update(); !h.face.Voided {
		t.Error("the lost phone's coupon is good")
	}
	if len(fresh) != 1 || fresh[0].Voucher != out.ID {
		t.Fatalf("new passes: %+v", fresh)
	}
	if h2 := r.install(fresh[0], "a new phone"); h2.face.Issue != 2 || h2.face.Voided {
		t.Errorf("the new coupon says %+v", h2.face)
	}
	for id, want := range map[uuid.UUID]uint16{out.ID: 2, given.ID: 2, kept.ID: 1} {
		if v := must(r.programme.Voucher(ctx, id)); v.Issue != want || !v.GivenAt.IsZero() {
			t.Errorf("a voucher has issue %d and was given at %s, want issue %d", v.Issue, v.GivenAt, want)
		}
	}
}

// Who is blocked, and whose card became one with another, gets nothing new for a lost
// phone; what it has is voided all the same, and its code is refused.
func TestALossOfACardThatIsOverIssuesNothing(t *testing.T) {
	for name, end := range map[string]func(r *rig, m, other programme.Member) error{
		"blocked": func(r *rig, m, _ programme.Member) error {
			_, err := r.programme.Block(context.Background(), uuid.Nil, m.ID)
			return err
		},
		"merged": func(r *rig, m, other programme.Member) error {
			accounts, settle := r.accounts()
			_, err := accounts.Merge(context.Background(), uuid.Nil, m.ID, other.ID, 1)
			settle()
			return err
		},
		"merged in a chain": func(r *rig, m, other programme.Member) error {
			accounts, settle := r.accounts()
			_, err := accounts.Merge(context.Background(), uuid.Nil, m.ID, other.ID, 1)
			r.must(err)
			settle()
			_, err = accounts.Merge(context.Background(), uuid.Nil, other.ID, r.member("Bob").ID, 1)
			settle()
			return err
		},
	} {
		r := newRig(t)
		ctx := context.Background()
		m, other := r.member("Ada"), r.member("Ada again")
		r.install(r.issue(m, pass.Apple), "the lost phone")
		r.must(end(r, m, other))
		fresh, err := r.Lost(ctx, uuid.Nil, m.ID)
		r.must(err)
		all, err := r.Of(ctx, m.ID)
		r.must(err)
		if len(fresh) != 0 || len(all) != 1 || all[0].State != pass.Voided {
			t.Errorf("%s: new passes %v, of all %+v", name, fresh, all)
		}
		if issue := must(r.programme.Member(ctx, m.ID)).Issue; issue != 3 {
			t.Errorf("%s: the code's issue is %d, want 3", name, issue)
		}
		r.issue(other, pass.Apple)
		if fresh, err = r.Lost(ctx, uuid.Nil, other.ID); err != nil || (len(fresh) != 1) != (name == "merged in a chain") {
			t.Errorf("%s: the other card's loss gives %v, %v", name, fresh, err)
		}
	}
}

// A voucher that ends within the day is void on its pass, and gone from the card, at its
// end and not at midnight; the next one at its own.
func TestAVoucherEndsOnPassesAtItsEnd(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		r := newRigOn(t, dsn, pass.Settings{})
		m := r.member("Ada")
		now := r.hq.Clock.Now()
		first, second := r.voucher(m, now.Add(3*time.Hour)), r.voucher(m, now.Add(5*time.Hour))
		h, h2 := r.install(r.coupon(first, pass.Apple), "one"), r.install(r.coupon(second, pass.Apple), "two")
		card := r.install(r.issue(m, pass.Apple), "the card's")
		r.rounds()
		for _, p := range []*phone{h, h2, card} {
			p.update()
		}
		for _, c := range []struct {
			after      time.Duration
			one, two   bool
			cards, all int
		}{{3*time.Hour - time.Second, false, false, 2, 0}, {3 * time.Hour, true, false, 1, 2}, {4 * time.Hour, true, false, 1, 0}, {5 * time.Hour, true, true, 0, 2}} {
			r.hq.Clock.Set(now.Add(c.after))
			r.rounds()
			changed := h.update() + h2.update() + card.update()
			if h.face.Voided != c.one || h2.face.Voided != c.two || len(card.face.Vouchers) != c.cards || changed != c.all {
				t.Errorf("after %s: void %t and %t, the card lists %d, %d passes changed; want %+v", c.after, h.face.Voided, h2.face.Voided, len(card.face.Vouchers), changed, c)
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
