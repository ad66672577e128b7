package allowance_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// rig is HQ's books with the service of rights, and tills that are in the roster.
type rig struct {
	*books.HQ
	*allowance.Service
	policy loyalty.Policy
	fleet  *fleet.Fleet
}

func (r *rig) CurrentPolicy(context.Context) (loyalty.Policy, error) { return r.policy, nil }

// caps is a policy that gives half of what is free, up to 200 points, for a day.
var caps = loyalty.Policy{
	Version: 1, Unit: "points", PerSale: 100, PerMemberDay: 200, PerTerminal: 150, PerStore: 250,
	Rights: loyalty.Rights{SharePercent: 50, Cap: 200, Min: 10, LifeSeconds: 24 * 3600, OneOffSeconds: 3600, GraceSeconds: 7200, Clones: 1},
}

func newRig(t testing.TB, dsn string, hqEpoch uint32) *rig {
	t.Helper()
	r := &rig{policy: caps}
	if dsn == "" {
		r.HQ = books.New(t)
	} else {
		r.HQ = books.On(t, dsn, 0)
	}
	r.serve(hqEpoch)
	return r
}

func (r *rig) serve(hqEpoch uint32) {
	r.Service = allowance.New(allowance.Options{
		Store: r.DB, Ledger: r.Ledger, Journal: r.Journal, Feed: r.Feed, Policies: r, Clock: r.Clock,
		NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }, HQ: r.ID, HQEpoch: hqEpoch, Signer: r.Signer, Keys: r.Keys,
	})
	r.fleet = fleet.New(fleet.Env{
		Keeper: r.DB, Journal: r.Journal, Clock: r.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }, HQ: r.ID, Keys: r.Keys, HQEpoch: hqEpoch,
		Bound: r.Bound,
	})
}

// till is a new till in the roster of a store of its own.
func (r *rig) till(t books.Failer, name string) *books.Till { return r.tillOf(t, name, uuid.Nil) }

func (r *rig) tillOf(t books.Failer, name string, store uuid.UUID) *books.Till {
	till := r.HQ.Till(t, name)
	if store != uuid.Nil {
		till.Store = store
	}
	err := r.DB.AddTerminal(context.Background(), fleet.Terminal{
		ID: till.ID, Store: till.Store, Name: name, State: fleet.StateEnrolled, Epoch: 1, Version: 1, CreatedAt: r.Clock.Now(),
	})
	if err != nil {
		t.Fatalf("add terminal: %v", err)
	}
	return till
}

// lose has two people declare a till lost, and HQ take its rights back. It returns what
// they were told that can cost in points.
func (r *rig) lose(t books.Failer, till *books.Till) (bound int64) {
	ctx := context.Background()
	if _, err := r.fleet.DeclareLost(ctx, rightID("one"), till.ID, "it burnt"); err != nil {
		t.Fatalf("declare lost: %v", err)
	}
	d, err := r.fleet.ConfirmLost(ctx, rightID("another"), till.ID)
	if err != nil {
		t.Fatalf("confirm: %v", err)
	}
	till.ShutOut()
	r.round(t)
	for _, b := range d.Gap.Bound {
		if b.Unit == "points" {
			bound = b.Rights + b.StandIn
		}
	}
	return bound
}

// release lets everything count that waits because it is not proven.
func (r *rig) release(t books.Failer) {
	for {
		open, _, err := r.Ledger.Exceptions(context.Background(), ledger.ExceptionFilter{Kind: ledger.Unproven, State: ledger.ExceptionOpen}, "", 0)
		if err != nil {
			t.Fatalf("list exceptions: %v", err)
		}
		if len(open) == 0 {
			return
		}
		for _, e := range open {
			// One decision is about all of an entry.
			if _, err := r.Ledger.Decide(context.Background(), rightID("one"), e, entry.VerdictRelease); err != nil && problem.CodeOf(err) != problem.StateConflict {
				t.Fatalf("release: %v", err)
			}
		}
	}
}

func (r *rig) round(t books.Failer) {
	if err := r.Round(context.Background()); err != nil {
		t.Fatalf("round: %v", err)
	}
}

// rounds go over all shards.
func (r *rig) rounds(t books.Failer) {
	for range 9 {
		r.round(t)
	}
}

// deliver brings everything of a till to HQ, and HQ's time after the till's.
func (r *rig) deliver(t books.Failer, tills ...*books.Till) {
	for _, till := range tills {
		if behind := till.Now().Sub(r.Clock.Now()); behind > 0 {
			r.Clock.Advance(behind)
		}
		till.Sync(t, 1)
	}
	r.Apply(t)
}

func lane(till *books.Till) allowance.Lane {
	return allowance.Lane{ID: till.ID, Epoch: 1, Store: till.Store}
}

func (r *rig) ask(t books.Failer, till *books.Till, account, right uuid.UUID, amount int64, budget time.Duration) wire.AuthoriseAnswer {
	answer, err := r.Authorise(context.Background(), lane(till), wire.AuthoriseRequest{
		V: wire.Version, Right: right, Account: account, Unit: "points", Amount: amount, Budget: int32(budget.Milliseconds()),
	})
	if err != nil {
		t.Fatalf("authorise: %v", err)
	}
	return answer
}

// opened is what a till is told of a right.
func (r *rig) opened(t books.Failer, signed wire.Signed) wire.Grant {
	raw, err := wire.Marshal(signed)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	g, err := wire.Open[wire.Grant](raw, wire.DomainGrant, r.Keys, r.Clock.Now())
	if err != nil {
		t.Fatalf("open grant: %v", err)
	}
	return g
}

// told is the state of the feed's items of one kind for a store.
func (r *rig) told(t books.Failer, store uuid.UUID, kind wire.ItemKind) (map[uuid.UUID]wire.Item, string) {
	out := map[uuid.UUID]wire.Item{}
	for cursor := ""; ; {
		page, err := r.Feed.Page(context.Background(), store, cursor, 0)
		if err != nil {
			t.Fatalf("read feed: %v", err)
		}
		for _, item := range page.Items {
			if item.Kind == kind {
				out[item.ID] = item
			}
		}
		if cursor = page.Next; !page.More {
			return out, cursor
		}
	}
}

// grants are the allowances that a store was told of.
func (r *rig) grants(t books.Failer, store uuid.UUID) map[uuid.UUID]wire.Allowance {
	items, _ := r.told(t, store, wire.ItemAllowance)
	out := map[uuid.UUID]wire.Allowance{}
	for id, item := range items {
		a, err := wire.Unmarshal[wire.Allowance](item.Body)
		if err != nil {
			t.Fatalf("read item: %v", err)
		}
		out[id] = a
	}
	return out
}

// spend writes a sale that redeems on a right.
func spend(t books.Failer, till *books.Till, account, right uuid.UUID, amount int64) {
	sale := till.Sale(t, account, amount, amount)
	sale.Redeemed[0].Right, sale.Redeemed[0].Basis = right, entry.BasisAllowance
	till.Write(t, entry.KindSale, sale)
}

func release(t books.Failer, till *books.Till, account, right uuid.UUID) {
	till.Write(t, entry.KindAllowanceChange, entry.AllowanceChange{
		Op: entry.AllowanceReleased, Right: right, Account: account, Unit: "points", Reason: entry.ReleaseRecalled,
	})
}

func (r *rig) holds(t *testing.T, account uuid.UUID, free, allowance, overdraft int64) {
	t.Helper()
	h := r.Holding(t, account, "points")
	if h.Free != free || h.Allowance != allowance || h.Overdraft != overdraft {
		t.Errorf("free %d, allowance %d, overdraft %d; want %d, %d, %d", h.Free, h.Allowance, h.Overdraft, free, allowance, overdraft)
	}
}

// on runs a test on both engines.
func on(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, pg.Start(t).Database(t)) })
}

const problemWithheld = problem.RightsWithheld

// presents shows HQ grants, and that no more follow; it returns how many were taken.
func presents(t books.Failer, r *rig, till *books.Till, grants ...wire.Signed) int {
	answer, err := r.Present(context.Background(), lane(till), wire.PresentRequest{V: wire.Version, Epoch: 2, Grants: grants, Last: true})
	if err != nil {
		t.Fatalf("present: %v", err)
	}
	return answer.Taken
}
