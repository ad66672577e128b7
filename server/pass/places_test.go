package pass_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/pass"
)

// A pass knows the ten stores that matter for its member: where the member was last seen,
// then what is near these, and the first ones of who was seen nowhere. Another visit to the
// same stores is no change of the pass.
func TestAPassKnowsTheStoresThatMatterForItsMember(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		r := newRigOn(t, dsn, pass.Settings{})
		ctx := context.Background()
		stores := make([]uuid.UUID, 40) // a degree apart, from west to east over the 180th meridian
		for i := range stores {
			stores[i] = newID()
			longitude := float64(160 + i)
			if longitude > 180 {
				longitude -= 360
			}
			r.must(r.hq.DB.AddStore(ctx, fleet.Store{
				ID: stores[i], Code: strconv.Itoa(i), Name: strconv.Itoa(i), TimeZone: "UTC", Currency: "EUR", Version: 1,
			}))
			r.must(r.hq.DB.PlaceStore(ctx, stores[i], &fleet.Place{Latitude: 10, Longitude: longitude}))
		}
		ada, bob, m := r.member("Ada"), r.member("Bob"), r.member("Eve")
		visit := func(store int, after time.Duration) {
			key := ledger.TieKey{Shard: pass.KeyOf(m.Account, uuid.Nil).Shard, Member: m.ID, Store: stores[store]}
			r.must(r.hq.DB.PutTies(ctx, []ledger.Tie{{TieKey: key, VisitedAt: r.hq.Clock.Now().Add(after).UnixMilli()}}))
		}
		visit(2, 0)
		visit(21, time.Hour)
		visit(30, 2*time.Hour)
		h, first := r.install(r.issue(m, pass.Apple), "Eve's"), r.install(r.issue(ada, pass.Apple), "Ada's")
		names := func(h *phone) (out []string) {
			for _, s := range h.face.Stores {
				out = append(out, s.Name)
			}
			return out
		}
		if got := names(h); !slices.Equal(got, []string{"0", "1", "2", "3", "20", "21", "22", "29", "30", "31"}) {
			t.Errorf("who was at 2, 21 and 30 has %v", got)
		}
		if got := names(first); !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}) {
			t.Errorf("who was nowhere has %v", got)
		}
		r.rounds()
		h.update()
		visit(2, 3*time.Hour)
		r.must(r.TouchAll(ctx))
		r.rounds()
		if h.update() != 0 {
			t.Error("another visit to a store changed the pass")
		}
		// Who was at more than ten has the last ten.
		m = bob
		for i := range 12 {
			visit(39-i, time.Duration(i)*time.Hour)
		}
		if got := names(r.install(r.issue(bob, pass.Apple), "Bob's")); !slices.Equal(got, []string{"28", "29", "30", "31", "32", "33", "34", "35", "36", "37"}) {
			t.Errorf("who was at twelve has %v", got)
		}
	})
}
