package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/journal"
)

// Time passes for many accounts in one transaction, with one fact of HQ for each; one of
// them that cannot be folded has none, and holds up nobody.
func TestASweepLetsTimePassForManyAccountsTogether(t *testing.T) {
	hq := books.New(t)
	var accounts []uuid.UUID
	till := hq.Till(t, "1")
	for i := range 40 {
		a := hq.Member(t, fmt.Sprint("member ", i), 0)
		till.Sell(t, a, 1000, 0) // a cup that vests after 14 days
		accounts = append(accounts, a)
	}
	till.Sync(t, 1)
	hq.Apply(t)
	broken := accounts[7]
	hq.Ledger.Unfoldable(func(account uuid.UUID, _ journal.Hash) error {
		if account == broken {
			return errors.New("no")
		}
		return nil
	})
	hq.Clock.Advance(30 * 24 * time.Hour)
	if done, err := hq.Ledger.Sweep(t.Context()); !ledger.Broken(err) || done.Accounts != 39 {
		t.Errorf("with one broken account: %+v, %v", done, err)
	}
	hq.Ledger.Unfoldable(nil)
	if done, err := hq.Ledger.Sweep(t.Context()); err != nil || done.Accounts != 1 {
		t.Errorf("when it is not broken any more: %+v, %v", done, err)
	}
	if done, err := hq.Ledger.Sweep(t.Context()); err != nil || done.Accounts != 0 {
		t.Errorf("with nothing due: %+v, %v", done, err)
	}
	for _, a := range accounts {
		if h := hq.Holding(t, a, "cups"); h.Free != 1 || h.Pending != 0 {
			t.Errorf("account %s: %+v", a, h)
		}
		if err := hq.Ledger.Pass(t.Context(), a, hq.Clock.Now().UnixMilli()); err != nil {
			t.Error(err)
		}
	}
	hq.Verify(t)
}

// refusing is a database that takes in nothing of one account.
type refusing struct {
	*store.DB
	of uuid.UUID
}

var errRefused = errors.New("a constraint failed")

func (r refusing) Refused(err error) bool { return errors.Is(err, errRefused) }

func (r refusing) SaveChanges(ctx context.Context, c ledger.Changes) error {
	if slices.ContainsFunc(c.Accounts, func(a ledger.AccountRow) bool { return a.Account == r.of }) {
		return errRefused
	}
	return r.DB.SaveChanges(ctx, c)
}

// An account whose rows the database refuses holds up no other one either.
func TestASweepGoesOnWhereTheDatabaseRefusesRows(t *testing.T) {
	hq := books.New(t)
	var accounts []uuid.UUID
	till := hq.Till(t, "1")
	for i := range 20 {
		a := hq.Member(t, fmt.Sprint("member ", i), 0)
		till.Sell(t, a, 1000, 0)
		accounts = append(accounts, a)
	}
	till.Sync(t, 1)
	hq.Apply(t)
	slices.SortFunc(accounts, func(a, b uuid.UUID) int { return shard.Of(a) - shard.Of(b) })
	hq.Ledger = ledger.New(ledger.Options{
		Store: refusing{hq.DB, accounts[0]}, Journal: hq.Journal, Feed: hq.Feed, Rules: hq, Clock: hq.Clock, HQ: hq.ID,
	})
	hq.Clock.Advance(30 * 24 * time.Hour)
	for range 2 {
		if _, err := hq.Ledger.Sweep(t.Context()); !ledger.Broken(err) || !errors.Is(err, errRefused) {
			t.Errorf("swept: %v", err)
		}
	}
	for _, a := range accounts[1:] {
		if h := hq.Holding(t, a, "cups"); h.Free != 1 {
			t.Errorf("account %s: %+v", a, h)
		}
	}
}

// No transaction of a sweep locks more accounts than it may, nor those of more shards.
func TestASweepSplitsAccountsByShards(t *testing.T) {
	var due []ledger.AccountKey
	for i := range 600 {
		id := uuid.NewSHA1(uuid.Nil, []byte(fmt.Sprint(i)))
		due = append(due, ledger.AccountKey{Shard: shard.Of(id), Account: id})
	}
	for _, most := range []int{1, 3, shard.Count} {
		hq := books.On(t, blank.SQLite(t), most)
		seen := map[uuid.UUID]bool{}
		parts := hq.Ledger.Together(due)
		for _, part := range parts {
			shards := map[int]bool{}
			for _, key := range part {
				seen[key.Account], shards[key.Shard] = true, true
			}
			if len(part) > 100 || len(part) == 0 || len(shards) > most {
				t.Errorf("%d accounts of %d shards, at most %d", len(part), len(shards), most)
			}
		}
		if len(seen) != len(due) || most == shard.Count && len(parts) != 6 {
			t.Errorf("%d accounts in %d parts", len(seen), len(parts))
		}
	}
	if parts := books.New(t).Ledger.Together(nil); len(parts) != 0 {
		t.Errorf("of nothing: %v", parts)
	}
}
