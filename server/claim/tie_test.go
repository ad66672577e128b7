package claim_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Where members are told to stores with ties only, a claimed receipt is a visit to the
// store that made the sale, wherever it was claimed.
func TestAClaimTiesTheMemberToTheStoreOfTheSale(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		r.Feed.Narrow()
		r.Ledger = ledger.New(ledger.Options{
			Store: r.DB, Journal: r.Journal, Feed: r.Feed, Rules: r.HQ, Clock: r.Clock, HQ: r.ID, ShardsPerTx: 1, Ties: true,
		})
		r = newRig(t, r.HQ)
		a, b := r.lane(t, "a"), r.lane(t, "b")
		ann, annAccount := r.member(t, "ann")
		bob, _ := r.member(t, "bob")
		sale, token := r.receipt(t, a, "a", lines()...)
		a.Write(t, entry.KindSale, sale)
		second, code := r.receipt(t, a, "a", lines()...)
		a.Write(t, entry.KindSale, second)
		a.Sync(t, 1)
		r.Apply(t)
		if told := r.toldOf(t, a.Store); len(told) != 0 {
			t.Fatalf("told of %v before anybody claimed", told)
		}
		b.Write(t, entry.KindClaim, shown(ann, annAccount, token, "1"))
		b.Sync(t, 1)
		r.Apply(t)
		if _, err := r.claims.ByHand(t.Context(), uuid.New(), bob, code.Text()); err != nil {
			t.Fatal(err)
		}
		if told := r.toldOf(t, a.Store); !told[ann] || !told[bob] || len(told) != 2 {
			t.Errorf("the store of the sale was told of %v", told)
		}
		if told := r.toldOf(t, b.Store); len(told) != 0 {
			t.Errorf("the store of the claim was told of %v", told)
		}
		r.Rebuilds(t)
	})
}

// toldOf are the members that a store's feed tells of.
func (r *rig) toldOf(t testing.TB, store uuid.UUID) map[uuid.UUID]bool {
	t.Helper()
	out := map[uuid.UUID]bool{}
	for cursor := ""; ; {
		page, err := r.Feed.Page(context.Background(), store, cursor, 0)
		must(t, err)
		for _, item := range page.Items {
			if item.Kind == wire.ItemMember {
				out[item.ID] = true
			}
		}
		if cursor = page.Next; !page.More {
			return out
		}
	}
}
