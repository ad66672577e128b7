package account_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/sync/wire"
)

// told is what the feed says of a member last.
func (r *rig) told(t *testing.T, member uuid.UUID) wire.Member {
	t.Helper()
	var out wire.Member
	var version uint64
	for cursor := ""; ; {
		page, err := r.Feed.Page(context.Background(), r.till.Store, cursor, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if item.Kind != wire.ItemMember || item.ID != member || item.Version < version {
				continue
			}
			if out, err = wire.Unmarshal[wire.Member](item.Body); err != nil {
				t.Fatal(err)
			}
			version = item.Version
		}
		if cursor = page.Next; !page.More {
			return out
		}
	}
}

func TestMergeSharesOneAccountAndIsReversible(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, dup := r.member(t, "ann", 100), r.member(t, "dup", 60)
	own := r.accountOf(t, dup)
	for range 20 { // the duplicate's account has the higher version
		if err := r.Adjust(own, 1); err != nil {
			t.Fatal(err)
		}
	}
	link, err := r.accounts.Merge(ctx, uuid.Nil, dup, ann, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	shared := r.accountOf(t, ann)
	if r.accountOf(t, dup) != shared || r.points(t, dup).Free != 180 || r.Holding(t, own, "points").Free != 0 {
		t.Errorf("shared %+v, own %+v", r.points(t, dup), r.Holding(t, own, "points"))
	}
	if m := r.told(t, dup); m.Account != shared || len(m.Holdings) != 1 || m.Holdings[0].Free != 180 {
		t.Errorf("tills know %+v", m)
	}
	r.tick()
	r.sell(t, ann, shared, 100, 100) // takes of both, first expiry first, then the older
	r.sell(t, dup, shared, 1000, 0)  // the duplicate earns 10
	r.sync(t)
	r.tick()
	if _, err := r.accounts.End(ctx, uuid.Nil, link.ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	a, d := r.points(t, ann), r.points(t, dup)
	if r.accountOf(t, dup) != own || a.Free+d.Free != 90 || d.Free < 10 || a.Overdraft+d.Overdraft != 0 {
		t.Errorf("apart: %+v and %+v", a, d)
	}
	if m := r.told(t, dup); m.Account != own {
		t.Errorf("tills know %+v", m)
	}
	if l, err := r.accounts.Link(ctx, link.ID); err != nil || l.State != account.LinkEnded || l.Until == 0 {
		t.Errorf("%+v, %v", l, err)
	}
	r.Verify(t)
}

func TestMergeRefusals(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob, eve := r.member(t, "ann", 1), r.member(t, "bob", 1), r.member(t, "eve", 1)
	_, err := r.accounts.Merge(ctx, uuid.Nil, ann, ann, 3)
	wantCode(t, err, problem.AccountSame)
	link, err := r.accounts.Merge(ctx, uuid.Nil, ann, bob, 3)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.accounts.End(ctx, uuid.Nil, link.ID, 3)
	wantCode(t, err, problem.StateConflict)
	r.settle(t)
	_, err = r.accounts.Merge(ctx, uuid.Nil, bob, ann, 3) // a circle
	wantCode(t, err, problem.AccountSame)
	_, err = r.accounts.Merge(ctx, uuid.Nil, eve, uuid.Nil, 3)
	wantCode(t, err, problem.InvalidField)
	_, err = r.accounts.Merge(ctx, uuid.Nil, uuid.Nil, eve, 3)
	wantCode(t, err, problem.NotFound)
	_, err = r.accounts.End(ctx, uuid.Nil, uuid.Nil, 3)
	wantCode(t, err, problem.NotFound)
	_, err = r.accounts.JoinHousehold(ctx, uuid.Nil, r.accountOf(t, bob), eve, 3)
	wantCode(t, err, problem.NotFound)
	r.Verify(t)
}

// A till that did not know of the merge goes on under the old account. What took
// effect before the merge is posted there and sent on; what took effect after it is
// posted to the shared account; voids find their sale; nothing is an overdraw that
// the shared account can pay.
func TestLateFactsFollowTheLinkInForceWhenTheyTookEffect(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, dup := r.member(t, "ann", 100), r.member(t, "dup", 50)
	own, shared := r.accountOf(t, dup), r.accountOf(t, ann)
	early := r.sell(t, dup, own, 2000, 0) // offline, an hour before the merge: earns 20
	link, err := r.accounts.Merge(ctx, uuid.Nil, dup, ann, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.sync(t)
	if r.Holding(t, own, "points").Free != 20 {
		t.Errorf("before the merge: %+v", r.Holding(t, own, "points"))
	}
	r.settle(t)
	if r.Holding(t, own, "points").Free != 0 || r.Holding(t, shared, "points").Free != 170 {
		t.Errorf("sent on: %+v", r.Holding(t, shared, "points"))
	}
	r.till.Skip(2 * hour) // now after the merge
	r.Clock.Advance(2 * hour)
	late := r.sell(t, dup, own, 160, 160)
	r.till.Void(t, early, own)
	r.sync(t)
	r.settle(t)
	// 170 − 160 redeemed − 20 taken back is a debt of ten, and that is an overdraw.
	if h := r.Holding(t, shared, "points"); h.Free != 0 || h.Overdraft != 10 {
		t.Errorf("shared: %+v", h)
	}
	r.till.Void(t, late, own)
	r.sync(t)
	r.settle(t)
	if h := r.Holding(t, shared, "points"); h.Free != 150 || h.Overdraft != 0 {
		t.Errorf("shared after the void: %+v", h)
	}
	// A fact of the time of the merge counts for the shared account for ever.
	sale := r.till.Sale(t, own, 700, 0)
	sale.Member = dup
	r.till.Write(t, 2, sale)
	r.Clock.Advance(hour)
	if _, err := r.accounts.End(ctx, uuid.Nil, link.ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	before := r.Holding(t, shared, "points").Free
	r.sync(t)
	if got := r.Holding(t, shared, "points").Free - before; got != 7 {
		t.Errorf("a late fact of the merged time gave %d to the shared account", got)
	}
	r.Verify(t)
}

// What a terminal redeems on a right counts where the right is, so that the accounts are
// linked when no right is out.
func TestAccountsWithRightsOutAreNotLinked(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, dup := r.member(t, "ann", 100), r.member(t, "dup", 60)
	r.rights = map[uuid.UUID]int{r.accountOf(t, dup): 2}
	if _, err := r.accounts.Merge(ctx, uuid.Nil, dup, ann, 3); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("merged: %v", err)
	}
	if _, _, err := r.accounts.OpenHousehold(ctx, uuid.Nil, []uuid.UUID{ann, dup}, 3); problem.CodeOf(err) != problem.StateConflict {
		t.Errorf("in a household: %v", err)
	}
	r.rights = nil
	if _, err := r.accounts.Merge(ctx, uuid.Nil, dup, ann, 3); err != nil {
		t.Error(err)
	}
}
