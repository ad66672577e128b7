package pass_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/store"
)

// Points about to expire are noticed once for each lot, the day it comes near.
func TestExpiryIsNoticedOnce(t *testing.T) {
	r := newRigOn(t, blank.SQLite(t), pass.Settings{Notice: 10 * 24 * time.Hour})
	m := r.member("Ada")
	_, err := r.programme.Adjust(context.Background(), uuid.Nil, programme.Adjustment{
		Member: m.ID, Unit: "points", Amount: 30, Reason: programme.ReasonGoodwill, ExpiresAt: books.Start.AddDate(0, 0, 40),
	})
	r.must(err)
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.rounds()
	h.update()
	if len(h.face.Expiring) != 0 {
		t.Fatalf("40 days ahead it says %+v", h.face.Expiring)
	}
	pushed, told := r.phones.count(h.push), 0
	for range 39 {
		r.hq.Clock.Advance(24 * time.Hour)
		r.rounds()
		told += h.update()
	}
	if told != 1 || r.phones.count(h.push) != pushed+1 {
		t.Errorf("told %d times, pushed %d times, want once", told, r.phones.count(h.push)-pushed)
	}
	if len(h.face.Expiring) != 1 || h.face.Expiring[0].Amount != 30 {
		t.Errorf("it says %+v", h.face.Expiring)
	}
}

// Another look, or another reward, reaches all passes, also when the process that began
// to look at them all ends on the way.
func TestWhatAllPassesShow(t *testing.T) {
	r := newRig(t)
	var all []*phone
	for _, m := range r.members("Ada", "Bob", "Eve") {
		h := r.install(r.issue(m, pass.Apple), "phone "+m.Alias)
		all = append(all, h)
	}
	r.rounds()
	for _, h := range all {
		h.update()
	}
	r.look.change()
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := r.Round(ctx); err == nil {
		t.Fatal("a round that was stopped has done its work")
	}
	r.Service = r.another(pass.Settings{})
	r.rounds()
	for _, h := range all {
		if h.update() != 1 {
			t.Error("a phone did not get the new look")
		}
	}
	_, err := r.programme.AddReward(context.Background(), uuid.Nil, loyalty.Reward{Name: "Coffee", Unit: "points", Cost: 50, Discount: 300, Currency: "EUR", Active: true})
	r.must(err)
	r.rounds()
	for _, h := range all {
		if h.update() != 1 || h.face.Next == nil || h.face.Next.Name != "Coffee" || h.face.Next.Cost != 50 {
			t.Errorf("a phone says %+v", h.face.Next)
		}
	}
}

// A feed whose positions began anew, as that of a rebuilt ledger, is followed from where
// it stands; what changed meanwhile is found all the same.
func TestAFeedThatBeganAnew(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.rounds()
	at := map[int]uint64{}
	for in := range 256 {
		at[in] = 1_000_000
	}
	r.must(r.hq.DB.SetPassFeed(context.Background(), at))
	r.give(m, 10)
	r.rounds()
	if h.update() != 1 || h.points() != 10 {
		t.Errorf("what changed before: the phone shows %d points", h.points())
	}
	r.hq.Clock.Advance(time.Hour)
	r.give(m, 5)
	r.rounds()
	if h.update() != 1 || h.points() != 15 {
		t.Errorf("what changed after: the phone shows %d points", h.points())
	}
}

// A voucher that stands for itself is a pass of its own, and is voided when it is used up
// or blocked; the member's card lists it while it is good.
func TestVoucherOfItsOwn(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	reward, err := r.programme.AddReward(ctx, uuid.Nil, loyalty.Reward{Name: "Cake", Unit: "points", Discount: 400, Currency: "EUR", Active: true})
	r.must(err)
	v, err := r.programme.IssueVoucher(ctx, uuid.Nil, programme.Voucher{Member: m.ID, Reward: reward.ID, Uses: 1, ValidTo: books.Start.AddDate(0, 1, 0)})
	r.must(err)
	p, err := r.IssueVoucher(ctx, m.ID, v.ID, pass.Apple)
	r.must(err)
	h := r.install(p, "phone-1")
	if h.face.Voucher == nil || h.face.Voucher.Name != "Cake" || h.face.Subject != v.ID || len(h.face.Code) != 141 || h.face.ExpiresOn.After(books.Start.AddDate(0, 1, 0)) {
		t.Fatalf("the voucher's pass says %+v", h.face)
	}
	card := r.install(r.issue(m, pass.Apple), "phone-2")
	if len(card.face.Vouchers) != 1 {
		t.Errorf("the card lists %+v", card.face.Vouchers)
	}
	r.hq.Clock.Advance(40 * 24 * time.Hour) // it is over
	r.rounds()
	if h.update() != 1 || !h.face.Voided || h.face.Voucher == nil || h.face.Voucher.Name != "Cake" {
		t.Errorf("the pass of a voucher that is over says %+v", h.face)
	}
	if card.update() != 1 || len(card.face.Vouchers) != 0 {
		t.Errorf("the card lists %+v", card.face.Vouchers)
	}
	other := r.member("Bob")
	if _, err := r.IssueVoucher(ctx, other.ID, v.ID, pass.Apple); err == nil {
		t.Error("another member got the voucher's pass")
	}
}

// A till refuses a voucher whose reward has ended, whatever the voucher's own date says.
func TestAVoucherEndsWithItsReward(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	end := books.Start.AddDate(0, 1, 0)
	reward, err := r.programme.AddReward(ctx, uuid.Nil, loyalty.Reward{Name: "Cake", Unit: "points", Discount: 400, Currency: "EUR", Active: true})
	r.must(err)
	_, err = r.programme.IssueVoucher(ctx, uuid.Nil, programme.Voucher{Member: m.ID, Reward: reward.ID, Uses: 1, ValidTo: books.Start.AddDate(0, 2, 0)})
	r.must(err)
	_, err = r.programme.ChangeReward(ctx, uuid.Nil, reward.ID, programme.RewardChange{ValidTo: &end})
	r.must(err)
	for days, want := range map[int]int{0: 1, 40: 0} {
		r.hq.Clock.Set(books.Start.AddDate(0, 0, days))
		f, err := r.FaceOf(ctx, m.ID, pass.Apple)
		if r.must(err); len(f.Vouchers) != want {
			t.Errorf("after %d days the card lists %+v", days, f.Vouchers)
		}
		for _, v := range f.Vouchers {
			if !v.ValidTo.Equal(end) {
				t.Errorf("the voucher ends on %s, its reward on %s", v.ValidTo, end)
			}
		}
	}
}

// A redemption is followed by a new code for who has it on an iPhone: once for several,
// a while later, journalled as any re-issue. Nobody else's code changes.
func TestReissueAfterRedemption(t *testing.T) {
	r := newRigOn(t, blank.SQLite(t), pass.Settings{Reissue: true})
	ctx := context.Background()
	members := r.members("iphone", "web", "iphone and print", "downloaded only")
	h := r.install(r.issue(members[0], pass.Apple), "phone-1")
	r.issue(members[1], pass.Web)
	r.install(r.issue(members[2], pass.Apple), "phone-2")
	r.issue(members[2], pass.Printed)
	r.download(r.issue(members[3], pass.Apple), "phone-3")
	till := r.hq.Till(t, "till")
	till.Skip(time.Minute)
	for _, m := range members {
		r.give(m, 100)
	}
	r.rounds()
	h.update()
	for i := range 2 {
		for _, m := range members {
			till.Sell(t, m.Account, 1000, 30)
		}
		till.Sync(t, 1+i*len(members))
		r.hq.Apply(t)
		r.rounds()
	}
	h.update()
	if h.points() >= 100 || h.face.Issue != 1 {
		t.Fatalf("after the sales the phone shows %d points and issue %d", h.points(), h.face.Issue)
	}
	r.hq.Clock.Advance(2 * time.Minute)
	r.rounds()
	h.update()
	for i, want := range []uint16{2, 1, 1, 1} {
		m, err := r.programme.Member(ctx, members[i].ID)
		r.must(err)
		if m.Issue != want {
			t.Errorf("%s has issue %d, want %d", members[i].Alias, m.Issue, want)
		}
	}
	if h.face.Issue != 2 {
		t.Errorf("the phone has issue %d", h.face.Issue)
	}
	r.hq.Clock.Advance(3 * time.Hour)
	r.rounds()
	if m, err := r.programme.Member(ctx, members[0].ID); err != nil || m.Issue != 2 {
		t.Errorf("without a redemption the issue became %d (%v)", m.Issue, err)
	}
	r.hq.Verify(t)
}

// The lag is from the sale to when the phone has it.
func TestLagFromSaleToPhone(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.rounds()
	h.update()
	till := r.hq.Till(t, "till")
	till.Sell(t, m.Account, 5000, 0)
	till.Sync(t, 1)
	r.hq.Clock.Advance(till.Now().Sub(r.hq.Clock.Now()) + 90*time.Second)
	r.hq.Apply(t)
	r.rounds()
	if h.update() != 1 || h.points() != 50 {
		t.Fatalf("the phone shows %d points", h.points())
	}
	stages := r.figures().Stages
	if len(stages) != 1 || stages[0].LagMedian < 90*time.Second || stages[0].LagMedian > 100*time.Second || stages[0].Current != 1 {
		t.Errorf("the funnel says %+v", stages)
	}
}

// Who leaves is forgotten: at once on the phone, and in a month in the database.
func TestWhoLeavesIsForgotten(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	r.must(r.Joined(ctx, m.ID))
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.rounds()
	h.update()
	_, err := r.programme.Rename(ctx, m.ID, m.ID, "")
	r.must(err)
	_, err = r.programme.Block(ctx, m.ID, m.ID)
	r.must(err)
	r.must(r.Left(ctx, m.ID))
	r.rounds()
	if h.update() != 1 || !h.face.Voided || h.face.Name != "" {
		t.Fatalf("the phone says %+v", h.face)
	}
	r.hq.Clock.Advance(31 * 24 * time.Hour)
	r.rounds()
	all, err := r.Of(ctx, m.ID)
	r.must(err)
	if len(all) != 0 {
		t.Errorf("%d passes are left", len(all))
	}
	if _, err := r.Fetch(ctx, h.caller, time.Time{}); err == nil {
		t.Error("the pass is still there")
	}
}

// unwilling is a store that fails to write passes, once.
type unwilling struct {
	*store.DB
	fails error
}

func (u *unwilling) SavePasses(ctx context.Context, passes []pass.Pass) error {
	if err := u.fails; err != nil {
		u.fails = nil
		return err
	}
	return u.DB.SavePasses(ctx, passes)
}

// A stop between the new code and the note that it was issued issues no second one.
func TestReissueIsOneStep(t *testing.T) {
	settings := pass.Settings{Reissue: true}
	r := newRigOn(t, blank.SQLite(t), settings)
	ctx := context.Background()
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	till := r.hq.Till(t, "till")
	till.Skip(time.Minute)
	r.give(m, 100)
	r.rounds()
	till.Sell(t, m.Account, 1000, 30)
	till.Sync(t, 1)
	r.hq.Apply(t)
	r.rounds()
	r.hq.Clock.Advance(2 * time.Minute)
	db := &unwilling{DB: r.hq.DB, fails: errors.New("the process ends")}
	if _, err := r.anotherOn(db, settings).Round(ctx); err == nil {
		t.Fatal("the round did not end")
	}
	r.rounds()
	if h.update(); h.face.Issue != 2 {
		t.Errorf("after one redemption the issue is %d", h.face.Issue)
	}
}
