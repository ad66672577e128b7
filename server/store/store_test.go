package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/citus"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/wire"
)

// engines runs a test on SQLite, on PostgreSQL, on PostgreSQL with one shard a
// transaction, as a database spread by shard needs it, and on a Citus cluster when
// one is named.
func engines(t *testing.T, test func(t *testing.T, dsn string, shardsPerTx int)) {
	t.Run("sqlite", func(t *testing.T) { test(t, blank.SQLite(t), 0) })
	t.Run("postgres", func(t *testing.T) {
		t.Run("one", func(t *testing.T) { test(t, blank.PostgreSQL(t), 0) })
		t.Run("spread", func(t *testing.T) { test(t, blank.PostgreSQL(t), 1) })
	})
	// A guarantee is held by the engines above; that there is no cluster for it here is
	// said aloud by the tests of storage, and must not look like a guarantee left out.
	if strings.HasPrefix(t.Name(), "TestG") && os.Getenv(citus.Variable) == "" {
		return
	}
	t.Run("citus", func(t *testing.T) {
		cluster := citus.Need(t)
		for name, shardsPerTx := range map[string]int{"one": 1, "many": 0} {
			t.Run(name, func(t *testing.T) {
				dsn := cluster.Schema(t)
				db := open(t, dsn)
				if err := db.Migrate(context.Background()); err != nil {
					t.Fatal(err)
				}
				if err := db.Distribute(context.Background()); err != nil {
					t.Fatal(err)
				}
				test(t, dsn, shardsPerTx)
			})
		}
	})
}

func open(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// The whole path on each engine: sales of two terminals, an overdraw, a void, a
// fork, lists, and verification of everything stored.
func TestTheLedgerIsTheSameOnEveryEngine(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		hq := books.On(t, dsn, shardsPerTx)
		ann, bob := hq.Member(t, "ann", 500), hq.Member(t, "bob", 0)
		one, two := hq.Till(t, "1"), hq.Till(t, "2")
		for range 20 {
			one.Sell(t, ann, 1000, 20)
			two.Sell(t, bob, 1000, 0)
		}
		one.Void(t, one.Sell(t, ann, 5000, 100), ann)
		two.Sell(t, bob, 1000, 500)
		clone := two.Clone()
		clone.Sell(t, bob, 1000, 0)
		two.Sell(t, ann, 1000, 0)
		for range 2 {
			one.Sync(t, 1)
			two.Sync(t, 1)
			clone.Sync(t, 1)
			hq.Apply(t)
		}
		if h := hq.Holding(t, ann, "points"); h.Free != 500-20*20+20*9+10 {
			t.Errorf("ann: %+v", h)
		}
		if h := hq.Holding(t, bob, "points"); h.Free != 0 || h.Overdraft != 500-20*10-5-10 {
			t.Errorf("bob: %+v", h)
		}
		for _, kind := range []ledger.ExceptionKind{ledger.Overdraw, ledger.Fork} {
			if list := hq.Exceptions(t, kind); len(list) != 1 {
				t.Errorf("%s: %+v", kind, list)
			}
		}
		if _, err := hq.Journal.Checkpoint(context.Background()); err != nil {
			t.Error(err)
		}
		hq.Verify(t)
	})
}

func TestMigrateMayBeStartedByManyAtOnce(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, _ int) { migrateByMany(t, dsn) })
	t.Run("empty sqlite", func(t *testing.T) { migrateByMany(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db")) })
	t.Run("empty postgres", func(t *testing.T) { migrateByMany(t, pg.Shared(t).Database(t)) })
}

func migrateByMany(t *testing.T, dsn string) {
	t.Helper()
	var starting sync.WaitGroup
	for range 4 {
		db := open(t, dsn)
		starting.Go(func() {
			if err := db.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	if err := open(t, dsn).Migrate(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestTransactionsJoinRollBackAndTellAfterCommit(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, _ int) {
		db := open(t, dsn)
		ctx := context.Background()
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		undone := errors.New("undone")
		told := 0
		for _, want := range []error{undone, nil} {
			err := db.InTx(ctx, func(ctx context.Context) error {
				db.AfterCommit(ctx, func() { told++ })
				if _, err := db.AdvanceFeed(ctx, map[int]int{7: 3}); err != nil {
					return err
				}
				return db.InTx(ctx, func(ctx context.Context) error {
					if _, err := db.AdvanceFeed(ctx, map[int]int{7: 2}); err != nil {
						return err
					}
					return want
				})
			})
			if !errors.Is(err, want) {
				t.Fatal(err)
			}
		}
		heads, err := db.FeedHeads(ctx)
		if err != nil || heads[7] != 5 || told != 1 {
			t.Errorf("head %d, told %d times, %v", heads[7], told, err)
		}
	})
}

// Writers of one counter at once: every position is given once.
func TestConcurrentWritersWaitForEachOther(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, _ int) {
		hq := books.On(t, dsn, 0)
		var writing sync.WaitGroup
		for w := range 12 {
			writing.Go(func() {
				for i := range 10 {
					id := uuid.NewSHA1(uuid.Nil, []byte{byte(w), byte(i)})
					c := feed.Change{Shard: i % 3, Item: wire.Item{Kind: wire.ItemMember, ID: id, Version: 1}}
					if err := hq.Feed.Publish(context.Background(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writing.Wait()
		page, err := hq.Feed.Page(context.Background(), uuid.Nil, "", 1000)
		if err != nil || len(page.Items) != 120 {
			t.Errorf("%d items, %v", len(page.Items), err)
		}
	})
}

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	if _, err := store.Open(context.Background(), "mysql://x", store.Options{}); err == nil || !strings.Contains(err.Error(), "sqlite:") {
		t.Errorf("got %v", err)
	}
}
