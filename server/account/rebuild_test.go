package account_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/store"
)

// What members share comes out of the journals again, row for row: gifts, a merge
// with facts that arrived late, a list and its undo.
func TestG7_SharedAccountsAreRebuiltFromTheJournals(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob, dup := r.member(t, "ann", 100), r.member(t, "bob", 50), r.member(t, "dup", 30)
	own := r.accountOf(t, dup)
	r.tick()
	if _, err := r.accounts.Give(ctx, uuid.Nil, account.Gift{From: ann, To: bob, Unit: "points", Amount: 40, Reason: 2}); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	link, err := r.accounts.Merge(ctx, uuid.Nil, dup, ann, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.till.Skip(2 * hour)
	r.Clock.Advance(2 * hour)
	sale := r.sell(t, dup, own, 5000, 20) // a till that has not heard of the merge
	r.sync(t)
	r.tick()
	b, err := r.accounts.Preview(ctx, uuid.Nil, 3, []account.Wanted{{Member: bob, Unit: "points", Amount: -60}})
	if err == nil {
		_, err = r.accounts.Commit(ctx, uuid.Nil, b.ID, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.tick()
	if _, err := r.accounts.Undo(ctx, uuid.Nil, b.ID); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.till.Skip(hour)
	r.Clock.Advance(hour)
	r.till.Void(t, sale, own)
	r.sync(t)
	r.tick()
	if _, err := r.accounts.End(ctx, uuid.Nil, link.ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.Verify(t)

	again := books.On(t, "sqlite:"+filepath.Join(t.TempDir(), "again.db"), 0)
	if err := r.DB.CopyLog(ctx, again.DB); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Ledger.Replay(ctx, r.DB); err != nil {
		t.Fatal(err)
	}
	_, err = r.DB.Compare(ctx, again.DB, true, func(d store.Difference) error {
		t.Errorf("%+v", d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
