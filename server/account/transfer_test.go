package account_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/sync/entry"
)

func TestGiftGoesThroughClearingAndKeepsItsExpiry(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 0), r.member(t, "bob", 0)
	const later, sooner int64 = books2027, books2027 - 1000
	for _, expires := range []int64{later, sooner} {
		err := r.Ledger.Adjust(ctx, entry.HQAdjustment{Account: r.accountOf(t, ann), Unit: "points", Amount: 100, Reason: 1, ExpiresAt: expires})
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err := r.accounts.Give(ctx, uuid.Nil, account.Gift{From: ann, To: bob, Unit: "points", Amount: 130, Reason: 2})
	if err != nil {
		t.Fatal(err)
	}
	if r.points(t, ann).Free != 70 || r.points(t, bob).Free != 0 || r.clearing(t) != 130 || r.woken != 1 {
		t.Errorf("on the way: %+v, %+v, clearing %d", r.points(t, ann), r.points(t, bob), r.clearing(t))
	}
	r.Verify(t)
	r.settle(t)
	h := r.points(t, bob)
	if h.Free != 130 || r.clearing(t) != 0 || len(h.Lots) != 2 || h.Lots[0].ExpiresAt != sooner || h.Lots[0].Left != 100 || h.Lots[1].ExpiresAt != later {
		t.Errorf("arrived: %+v", h)
	}
	if m, err = r.accounts.Move(ctx, m.Leg.ID); err != nil || !m.Arrived {
		t.Errorf("%+v, %v", m, err)
	}
	r.Verify(t)
}

const books2027 = 1_800_000_000_000

func TestGiftsThatAreRefusedLeaveNoTrace(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 100), r.member(t, "bob", 0)
	full := r.member(t, "full", loyalty.MaxAmount)
	nobody := uuid.NewSHA1(r.ID, []byte("nobody"))
	good := account.Gift{From: ann, To: bob, Unit: "points", Amount: 10, Reason: 2}
	for name, tt := range map[string]struct {
		change func(*account.Gift)
		code   problem.Code
	}{
		"to oneself":      {func(g *account.Gift) { g.To = ann }, problem.AccountSame},
		"more than free":  {func(g *account.Gift) { g.Amount = 101 }, problem.PointsInsufficient},
		"zero":            {func(g *account.Gift) { g.Amount = 0 }, problem.InvalidField},
		"negative":        {func(g *account.Gift) { g.Amount = -5 }, problem.InvalidField},
		"overflow":        {func(g *account.Gift) { g.Amount = 1 << 62 }, problem.InvalidField},
		"fills the other": {func(g *account.Gift) { g.To = full }, problem.AmountOverflow},
		"unknown unit":    {func(g *account.Gift) { g.Unit = "stars" }, problem.UnitUnknown},
		"unknown giver":   {func(g *account.Gift) { g.From = nobody }, problem.NotFound},
		"unknown taker":   {func(g *account.Gift) { g.To = nobody }, problem.InvalidField},
		"no reason":       {func(g *account.Gift) { g.Reason = 0 }, problem.InvalidField},
		"other unit":      {func(g *account.Gift) { g.Unit = "cups" }, problem.PointsInsufficient},
	} {
		t.Run(name, func(t *testing.T) {
			g := good
			tt.change(&g)
			_, err := r.accounts.Give(ctx, uuid.Nil, g)
			wantCode(t, err, tt.code)
		})
	}
	if r.points(t, ann).Free != 100 || r.clearing(t) != 0 {
		t.Errorf("%+v, clearing %d", r.points(t, ann), r.clearing(t))
	}
	r.Verify(t)
}

// A crash between the legs leaves the points in clearing, visible, and the next
// Settle makes them arrive once.
func TestG7_ACrashBetweenTheLegsLosesNothing(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 100), r.member(t, "bob", 50)
	if _, err := r.accounts.Merge(ctx, uuid.Nil, ann, bob, 3); err != nil {
		t.Fatal(err)
	}
	crash := errors.New("power cut")
	r.accounts.Between(func() error { return crash })
	if _, err := r.accounts.Settle(ctx); !errors.Is(err, crash) {
		t.Fatalf("settled through a crash: %v", err)
	}
	if r.clearing(t) != 100 || r.points(t, bob).Free != 50 {
		t.Errorf("clearing %d, %+v", r.clearing(t), r.points(t, bob))
	}
	r.Verify(t)
	r.accounts.Between(nil)
	r.settle(t)
	r.settle(t)
	if r.clearing(t) != 0 || r.points(t, bob).Free != 150 {
		t.Errorf("clearing %d, %+v", r.clearing(t), r.points(t, bob))
	}
	r.Verify(t)
}
