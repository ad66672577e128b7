package feed_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

var (
	storeA = uuid.NewSHA1(uuid.Nil, []byte("store a"))
	storeB = uuid.NewSHA1(uuid.Nil, []byte("store b"))
)

func change(scope uuid.UUID, name string, version uint64) feed.Change {
	id := uuid.NewSHA1(uuid.Nil, []byte(name))
	return feed.Change{Shard: shard.Of(id), Scope: scope, Item: wire.Item{Kind: wire.ItemMember, ID: id, Version: version, Body: []byte{0xa0}}}
}

func publish(t *testing.T, hq *books.HQ, changes ...feed.Change) {
	t.Helper()
	if err := hq.Feed.Publish(context.Background(), changes...); err != nil {
		t.Fatal(err)
	}
}

// read follows the feed to its end and returns the latest version of each record.
func read(t *testing.T, hq *books.HQ, store uuid.UUID, cursor string, max int) (map[uuid.UUID]uint64, string) {
	t.Helper()
	seen := map[uuid.UUID]uint64{}
	for {
		page, err := hq.Feed.Page(context.Background(), store, cursor, max)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) > max {
			t.Fatalf("a page of %d items, at most %d asked for", len(page.Items), max)
		}
		for _, item := range page.Items {
			seen[item.ID] = item.Version
		}
		cursor = page.Next
		if !page.More {
			return seen, cursor
		}
	}
}

func TestSnapshotAndChangesTakeOnePath(t *testing.T) {
	hq := books.New(t)
	for i := range 50 {
		publish(t, hq, change(uuid.Nil, fmt.Sprint(i), 1))
	}
	publish(t, hq, change(storeA, "only a", 1), change(storeB, "only b", 1))
	seen, cursor := read(t, hq, storeA, "", 7)
	if len(seen) != 51 {
		t.Errorf("the snapshot has %d records, want 51", len(seen))
	}
	if again, same := read(t, hq, storeA, cursor, 7); len(again) != 0 || same != cursor {
		t.Errorf("nothing changed and %d records came", len(again))
	}
	gone := change(uuid.Nil, "3", 2)
	gone.Item.Body = nil
	publish(t, hq, gone, change(uuid.Nil, "4", 2), change(uuid.Nil, "4", 3))
	changed, _ := read(t, hq, storeA, cursor, 7)
	if len(changed) != 2 || changed[change(uuid.Nil, "4", 0).Item.ID] != 3 {
		t.Errorf("changed: %v", changed)
	}
}

func TestCursorIsStrict(t *testing.T) {
	hq := books.New(t)
	publish(t, hq, change(uuid.Nil, "1", 1))
	_, cursor := read(t, hq, storeA, "", 10)
	restored := feed.New(hq.DB, hq.ID, 2)
	for name, c := range map[string]struct {
		feed   *feed.Feed
		store  uuid.UUID
		cursor string
		code   problem.Code
	}{
		"nonsense":      {hq.Feed, storeA, "%%%", problem.CursorInvalid},
		"cut":           {hq.Feed, storeA, cursor[:len(cursor)-2], problem.CursorInvalid},
		"longer":        {hq.Feed, storeA, cursor + "AA", problem.CursorInvalid},
		"other store":   {hq.Feed, storeB, cursor, problem.CursorInvalid},
		"other HQ":      {feed.New(hq.DB, storeA, 1), storeA, cursor, problem.CursorInvalid},
		"HQ's restored": {restored, storeA, cursor, problem.CursorExpired},
	} {
		if _, err := c.feed.Page(context.Background(), c.store, c.cursor, 10); err == nil || problem.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := books.New(t)
	if _, err := other.Feed.Page(context.Background(), storeA, cursor, 10); problem.CodeOf(err) != problem.CursorInvalid {
		t.Errorf("a cursor ahead of the feed: %v", err)
	}
}

func TestWaitIsWokenByACommitAndNotByARollback(t *testing.T) {
	hq := books.New(t)
	_, cursor := read(t, hq, storeA, "", 10)
	got := make(chan wire.FeedPage, 1)
	go func() {
		page, err := hq.Feed.Wait(context.Background(), storeA, cursor, 10, time.Minute)
		if err != nil {
			t.Error(err)
		}
		got <- page
	}()
	undone := errors.New("undone")
	err := hq.DB.InTx(context.Background(), func(ctx context.Context) error {
		if err := hq.Feed.Publish(ctx, change(uuid.Nil, "undone", 1)); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	publish(t, hq, change(storeB, "not ours", 1), change(uuid.Nil, "done", 1))
	page := <-got
	if len(page.Items) != 1 || page.Items[0].ID != change(uuid.Nil, "done", 1).Item.ID {
		t.Errorf("page: %+v", page)
	}
	page, err = hq.Feed.Wait(context.Background(), storeA, page.Next, 10, time.Millisecond)
	if err != nil || len(page.Items) != 0 {
		t.Errorf("an empty wait: %+v, %v", page, err)
	}
}

// Twelve writers, some of whose transactions are undone, while a reader follows:
// it sees the last committed version of every record.
func TestAReaderNeverSkipsAChangeThatCommittedLate(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { neverSkips(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { neverSkips(t, books.On(t, pg.Start(t).Database(t), 0)) })
}

func neverSkips(t *testing.T, hq *books.HQ) {
	t.Helper()
	const writers, rounds, records = 12, 40, 15
	undone := errors.New("undone")
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for i := range rounds {
				err := hq.DB.InTx(context.Background(), func(ctx context.Context) error {
					c := change(uuid.Nil, fmt.Sprintf("%d/%d", w, i%records), uint64(i+1))
					c.Shard = i % records % 4 // many writers on few shards, each record on one
					if err := hq.Feed.Publish(ctx, c); err != nil {
						return err
					}
					if i%7 == 3 && i < rounds-records {
						return undone
					}
					return nil
				})
				if err != nil && !errors.Is(err, undone) {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writing.Wait(); close(done) }()
	seen, cursor := map[uuid.UUID]uint64{}, ""
	for writersDone := false; ; {
		select {
		case <-done:
			writersDone = true
		default:
		}
		changed, next := read(t, hq, storeA, cursor, 5)
		for id, version := range changed {
			seen[id] = max(seen[id], version)
		}
		cursor = next
		if writersDone {
			break
		}
	}
	for w := range writers {
		for r := range records {
			id := change(uuid.Nil, fmt.Sprintf("%d/%d", w, r), 0).Item.ID
			last := uint64(0)
			for i := range rounds {
				if i%records == r && (i%7 != 3 || i >= rounds-records) {
					last = uint64(i + 1)
				}
			}
			if seen[id] != last {
				t.Errorf("record %d/%d: saw version %d, last committed is %d", w, r, seen[id], last)
			}
		}
	}
}

func FuzzCursor(f *testing.F) {
	hq := books.New(f)
	page, err := hq.Feed.Page(context.Background(), storeA, "", 10)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(page.Next)
	f.Add("oWFh")
	f.Fuzz(func(t *testing.T, cursor string) {
		page, err := hq.Feed.Page(context.Background(), storeA, cursor, 10)
		if err == nil && page.Next != cursor && cursor != "" {
			t.Errorf("cursor %q was read as %q", cursor, page.Next)
		}
		if code := problem.CodeOf(err); err != nil && code != problem.CursorInvalid && code != problem.CursorExpired {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	})
}

// One shard in which more happens than a page holds does not starve the others.
func TestABusyShardDoesNotStarveTheOthers(t *testing.T) {
	hq := books.New(t)
	in := func(number int, name string, version uint64) feed.Change {
		c := change(uuid.Nil, name, version)
		c.Shard = number
		return c
	}
	for _, number := range []int{3, 200, 255} {
		publish(t, hq, in(number, fmt.Sprint("rare ", number), 1))
	}
	rare, cursor := map[uuid.UUID]bool{}, ""
	for round := range 8 { // each page finds the busy shard full again
		for i := range 4 {
			publish(t, hq, in(3, fmt.Sprint("busy ", i), uint64(round+1)))
		}
		page, err := hq.Feed.Page(context.Background(), storeA, cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			rare[item.ID] = true
		}
		cursor = page.Next
	}
	for _, number := range []int{3, 200, 255} {
		if !rare[change(uuid.Nil, fmt.Sprint("rare ", number), 0).Item.ID] {
			t.Errorf("the change of shard %d was never told", number)
		}
	}
}
