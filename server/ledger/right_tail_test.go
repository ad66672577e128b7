package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// atOnce writes at the moment of the entry before.
func atOnce(till *books.Till) { till.Skip(-time.Second) }

// keepEarned writes a sale that keeps what it earns as a right, and returns that.
func keepEarned(t *testing.T, till *books.Till, account uuid.UUID) uuid.UUID {
	t.Helper()
	sale := till.Sale(t, account, 10_000, 0)
	sale.Kept = []entry.Kept{{Unit: "points", Amount: 1000, EndsAt: till.Now().Add(24 * time.Hour).UnixMilli()}}
	till.Write(t, entry.KindSale, sale)
	return sale.ID
}

// An account is folded again from a snapshot of any moment, and has the rights that
// its facts give: also those that began and ended at the moment of the snapshot, and
// those that were named before they were made.
func TestRightsOfAnAccountFoldedAgainFromASnapshot(t *testing.T) {
	for _, c := range []struct {
		name  string
		story func(t *testing.T, hq *books.HQ, account uuid.UUID, a, b *books.Till)
	}{
		{"released at the moment of the sale that kept it", func(t *testing.T, _ *books.HQ, account uuid.UUID, a, _ *books.Till) {
			right := keepEarned(t, a, account)
			atOnce(a)
			release(t, a, account, right)
		}},
		{"never made, released at the moment of a sale", func(t *testing.T, _ *books.HQ, account uuid.UUID, a, _ *books.Till) {
			a.Sell(t, account, 10_000, 0)
			for _, name := range []string{"1", "2", "3", "4"} {
				atOnce(a)
				release(t, a, account, rightID(name))
			}
		}},
		{"released by another before it was made", func(t *testing.T, hq *books.HQ, account uuid.UUID, a, b *books.Till) {
			a.Sell(t, account, 10_000, 0)
			deliver(t, hq, a)
			release(t, b, account, rightID("1"))
			deliver(t, hq, b)
			hq.Clock.Advance(10 * time.Minute)
			if !give(t, hq, account, a, rightID("1"), 100) {
				t.Fatal("nothing is free")
			}
			a.Skip(20 * time.Minute)
			release(t, a, account, rightID("1"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			hq := books.New(t)
			hq.Ledger.SnapshotEvery(1)
			account := hq.Member(t, "ann", 0)
			a, b, late := hq.Till(t, "1"), hq.Till(t, "2"), hq.Till(t, "3")
			late.Skip(2 * time.Minute)
			c.story(t, hq, account, a, b)
			hq.Clock.Set(later(hq.Clock.Now(), a.Now()))
			a.Sync(t, 1)
			hq.Apply(t)
			hq.Verify(t)
			a.Skip(30 * time.Minute)
			a.Sell(t, account, 1000, 0)
			hq.Clock.Set(later(hq.Clock.Now(), a.Now()))
			a.Sync(t, 1)
			hq.Apply(t)
			hq.Verify(t)
			late.Sell(t, account, 500, 0)
			deliver(t, hq, late)
			hq.Verify(t)
		})
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// A right takes effect when its grant is recorded, which a process of HQ whose clock is
// behind dates back. A snapshot from between does not have it, also when it ended since.
func TestARightIsMadeWhenItsGrantIsRecorded(t *testing.T) {
	hq := books.New(t)
	hq.Ledger.SnapshotEvery(1)
	account := hq.Member(t, "ann", 500)
	a, late := hq.Till(t, "1"), hq.Till(t, "2")
	dated := hq.Clock.Now()
	a.Skip(time.Minute)
	a.Sell(t, account, 1000, 0)
	deliver(t, hq, a)
	late.Skip(2 * time.Minute)
	late.Sell(t, account, 500, 0)
	hq.Clock.Advance(5 * time.Minute)
	err := hq.Ledger.DecideRight(t.Context(), account, "points", rightID("1"), func(context.Context, ledger.Held) (ledger.RightStep, error) {
		return ledger.RightStep{Grant: &entry.HQGrant{
			Right: rightID("1"), Account: account, Unit: "points", Amount: 300, Store: a.Store, Terminal: a.ID, Epoch: 1,
			GrantedAt: dated.UnixMilli(), EndsAt: dated.Add(time.Hour).UnixMilli(),
		}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.Skip(10 * time.Minute)
	redeemOn(t, a, account, rightID("1"), 100)
	release(t, a, account, rightID("1"))
	deliver(t, hq, a)
	deliver(t, hq, late)
	if list := hq.Exceptions(t, ""); len(list) > 0 {
		t.Errorf("exceptions: %+v", list)
	}
}
