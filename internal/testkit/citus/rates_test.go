package citus_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/citus"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/store"
)

// How much is measured.
const (
	tills   = 4
	each    = 1500
	members = 400
)

// Sales of four tills, taken in side by side and then applied, and read as a new
// terminal reads them: on each engine, and on the cluster with one shard a transaction
// and with as many as there are. What it prints is for docs/scaling.md; it fails when
// something is lost.
func TestSoakRatesOfEachEngine(t *testing.T) {
	if os.Getenv("TALLYSTICK_SOAK") == "" {
		t.Skip("SKIPPED ALOUD: a measurement (TALLYSTICK_SOAK=1 runs it)")
	}
	t.Run("sqlite", func(t *testing.T) { measure(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"), 0) })
	for _, shardsPerTx := range []int{1, 0} {
		t.Run(fmt.Sprintf("postgres, shards a transaction %d", shardsPerTx), func(t *testing.T) {
			measure(t, pg.Start(t).Database(t), shardsPerTx)
		})
		t.Run(fmt.Sprintf("citus, shards a transaction %d", shardsPerTx), func(t *testing.T) {
			cluster := citus.Need(t)
			dsn := cluster.Schema(t)
			spread(t, dsn)
			var nodes int
			err := cluster.DB.QueryRow("SELECT COUNT(*) FROM pg_dist_node WHERE groupid > 0 AND shouldhaveshards").Scan(&nodes)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("workers: %d", nodes)
			measure(t, dsn, shardsPerTx)
		})
	}
}

func spread(t *testing.T, dsn string) {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, store.Options{})
	if err == nil {
		err = errors.Join(db.Migrate(t.Context()), db.Distribute(t.Context()), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func measure(t *testing.T, dsn string, shardsPerTx int) {
	hq := books.On(t, dsn, shardsPerTx)
	accounts := make([]uuid.UUID, members)
	for i := range accounts {
		accounts[i] = hq.Member(t, fmt.Sprint(i), 0)
	}
	var all []*books.Till
	for n := range tills {
		till := hq.Till(t, fmt.Sprint(n))
		for i := range each {
			till.Sell(t, accounts[(n*each+i)%members], 1234, 0)
		}
		all = append(all, till)
	}
	began := time.Now()
	var pushing sync.WaitGroup
	for _, till := range all {
		pushing.Go(func() { till.Sync(t, 1) })
	}
	pushing.Wait()
	pushed := time.Since(began)
	began = time.Now()
	hq.Apply(t)
	applied := time.Since(began)
	t.Logf("taken in %.0f entries/s, applied %.0f entries/s", tills*each/pushed.Seconds(), tills*each/applied.Seconds())
	began = time.Now()
	items, cursor := 0, ""
	for more := true; more; {
		page, err := hq.Feed.Page(t.Context(), uuid.Nil, cursor, 0)
		if err != nil {
			t.Fatal(err)
		}
		items, cursor, more = items+len(page.Items), page.Next, page.More
	}
	t.Logf("snapshot of %d items read at %.0f items/s", items, float64(items)/time.Since(began).Seconds())
	if items < members {
		t.Errorf("the snapshot has %d items of %d members", items, members)
	}
	if status, err := hq.Ledger.Status(t.Context()); err != nil || status.Entries != tills*(each+1) || status.Accepted != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
	hq.Verify(t)
}
