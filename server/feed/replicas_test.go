package feed_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/citus"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/store"
)

// Twelve writers with rollbacks on three replicas, while each replica is read: every
// reader sees every committed change once and in the order of positions, without
// a gap, and nothing that was undone.
func TestReadersOfThreeReplicasMissNothingAndSeeNoGap(t *testing.T) {
	t.Run("postgres", func(t *testing.T) { threeReplicas(t, pg.Start(t).Database(t)) })
	t.Run("citus", func(t *testing.T) {
		dsn := citus.Need(t).Schema(t)
		db, err := store.Open(t.Context(), dsn, store.Options{})
		if err == nil {
			err = errors.Join(db.Migrate(t.Context()), db.Distribute(t.Context()), db.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		threeReplicas(t, dsn)
	})
}

const (
	writersInAll = 12
	changesEach  = 60
	shardsUsed   = 3
)

func threeReplicas(t *testing.T, dsn string) {
	t.Helper()
	var replicas []*books.HQ
	for range 3 {
		replicas = append(replicas, books.On(t, dsn, 0))
	}
	var writing, reading sync.WaitGroup
	for w := range writersInAll {
		writing.Go(func() { writeWithRollbacks(t, replicas[w%3], w) })
	}
	written := make(chan struct{})
	for i, hq := range replicas {
		reading.Go(func() { readWithoutGap(t, fmt.Sprintf("replica %d", i), hq, written) })
	}
	writing.Wait()
	close(written)
	reading.Wait()
}

var errUndone = errors.New("undone")

// undone says which transactions of a writer are rolled back.
func undone(i int) bool { return i%5 == 2 }

// writeWithRollbacks publishes two changes a transaction, each of a record of its own, so
// that no change takes another's place.
func writeWithRollbacks(t *testing.T, hq *books.HQ, w int) {
	for i := range changesEach {
		err := hq.DB.InTx(context.Background(), func(ctx context.Context) error {
			var both []feed.Change
			for part := range 2 {
				c := change(uuid.Nil, fmt.Sprintf("%d/%d/%d", w, i, part), 1)
				c.Shard = (w + i + part) % shardsUsed
				both = append(both, c)
			}
			if err := hq.Feed.Publish(ctx, both...); err != nil {
				return err
			}
			if undone(i) {
				return errUndone
			}
			return nil
		})
		if err != nil && !errors.Is(err, errUndone) {
			t.Error(err)
		}
	}
}

// readWithoutGap follows one replica, position by position and page by page, to the end.
func readWithoutGap(t *testing.T, who string, hq *books.HQ, written <-chan struct{}) {
	seen, cursor := map[uuid.UUID]int{}, ""
	var at [shardsUsed]uint64
	for last := false; ; {
		select {
		case <-written:
			last = true
		default:
		}
		changed, next := read(t, hq, storeA, cursor, 7)
		for id := range changed {
			seen[id]++
		}
		cursor = next
		for in := range at {
			rows, err := hq.DB.FeedAfter(t.Context(), in, at[in], storeA, false, 1000)
			if err != nil {
				t.Error(err)
			}
			at[in] = follow(t, who, at[in], rows)
		}
		if last {
			break
		}
	}
	wantAll(t, who, seen)
}

// follow checks that positions go on without a gap.
func follow(t *testing.T, who string, at uint64, rows []feed.Row) uint64 {
	for _, r := range rows {
		if r.Pos != at+1 {
			t.Errorf("%s: position %d follows %d", who, r.Pos, at)
		}
		at = r.Pos
	}
	return at
}

func wantAll(t *testing.T, who string, seen map[uuid.UUID]int) {
	for w := range writersInAll {
		for i := range changesEach {
			for part := range 2 {
				want := 1
				if undone(i) {
					want = 0
				}
				id := change(uuid.Nil, fmt.Sprintf("%d/%d/%d", w, i, part), 0).Item.ID
				if seen[id] != want {
					t.Errorf("%s saw change %d/%d/%d %d times, want %d", who, w, i, part, seen[id], want)
				}
			}
		}
	}
}
