package account_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
)

func TestHouseholdBreaksDownByMember(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 100), r.member(t, "bob", 50)
	pool, links, err := r.accounts.OpenHousehold(ctx, uuid.Nil, []uuid.UUID{ann, bob}, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.till.Skip(2 * hour)
	r.Clock.Advance(2 * hour)
	r.sell(t, ann, pool, 3000, 0)  // earns 30
	r.sell(t, bob, pool, 120, 120) // spends 120, more than he brought
	r.sync(t)
	if h := r.points(t, ann); h.Free != 60 || r.accountOf(t, bob) != pool {
		t.Errorf("pool: %+v", h)
	}
	shares, err := r.accounts.Shares(ctx, pool)
	if err != nil {
		t.Fatal(err)
	}
	got := map[uuid.UUID]account.Share{}
	for _, s := range shares {
		if s.Unit == "points" {
			got[s.Member] = s
		}
	}
	want := map[uuid.UUID]account.Share{
		ann: {Member: ann, Unit: "points", Earned: 30, Brought: 100},
		bob: {Member: bob, Unit: "points", Spent: 120, Brought: 50},
	}
	for m, w := range want {
		if got[m] != w {
			t.Errorf("got %+v, want %+v", got[m], w)
		}
	}
	_, err = r.accounts.Merge(ctx, uuid.Nil, ann, r.member(t, "new", 0), 3)
	wantCode(t, err, problem.StateConflict) // would take the whole household along
	r.tick()
	if _, err := r.accounts.End(ctx, uuid.Nil, links[0].ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	if a, b := r.points(t, ann), r.points(t, bob); a.Free+b.Free != 60 || r.accountOf(t, ann) == pool || a.Free == 0 {
		t.Errorf("ann left with %+v, %+v stayed", a, b)
	}
	if _, err := r.accounts.JoinHousehold(ctx, uuid.Nil, pool, ann, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	if h := r.points(t, ann); h.Free != 60 {
		t.Errorf("joined again: %+v", h)
	}
	r.Verify(t)
}
