package hqjournal_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

func fact(shard int, name string) hqjournal.Fact {
	id := uuid.NewSHA1(uuid.Nil, []byte(name))
	return hqjournal.Fact{
		Shard: shard, Kind: entry.KindHQStore, Body: entry.HQRecord{ID: id, Version: 1, Record: []byte{0xa0}},
		Publish: []feed.Change{{Item: wire.Item{Kind: wire.ItemStore, ID: id, Version: 1, Body: []byte{0xa0}}}},
	}
}

func TestFactsAreChainedPerShardAndPublishedTogether(t *testing.T) {
	hq := books.New(t)
	ctx := context.Background()
	if err := hq.Journal.Append(ctx, fact(3, "a"), fact(9, "b"), fact(3, "c")); err != nil {
		t.Fatal(err)
	}
	hq.Clock.Set(books.Start.AddDate(0, 0, -1)) // stamps go on although the clock went back
	written, err := hq.Journal.Write(ctx, fact(3, "d"))
	if err != nil || written[0].Head.Seq != 3 {
		t.Fatalf("written %+v, %v", written, err)
	}
	rows, err := hq.DB.AuditHQEntries(ctx, 3, 1, 0, 10)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d entries, %v", len(rows), err)
	}
	prev, last := journal.Genesis, entry.Entry{}
	for _, r := range rows {
		if got := journal.HashEntry(hqjournal.WriterOf(hq.ID, 3, 1), r.Seq, prev, r.Raw); got != r.Hash {
			t.Errorf("entry %d: hash %s, want %s", r.Seq, r.Hash, got)
		}
		env, err := entry.Decode(r.Raw)
		if err != nil || env.HLC <= last.HLC {
			t.Errorf("entry %d: stamp %d after %d, %v", r.Seq, env.HLC, last.HLC, err)
		}
		prev, last = r.Hash, env
	}
	page, err := hq.Feed.Page(ctx, uuid.Nil, "", 10)
	if err != nil || len(page.Items) != 4 {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
}

func TestAFactThatIsUndoneLeavesNothing(t *testing.T) {
	hq := books.New(t)
	undone := errors.New("undone")
	err := hq.DB.InTx(context.Background(), func(ctx context.Context) error {
		if err := hq.Journal.Append(ctx, fact(3, "a")); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	page, err := hq.Feed.Page(context.Background(), uuid.Nil, "", 10)
	if err != nil || len(page.Items) != 0 {
		t.Errorf("%d items, %v", len(page.Items), err)
	}
	if err := hq.Journal.Append(context.Background(), fact(256, "b")); err == nil {
		t.Error("a fact in no shard was written")
	}
}

func TestCheckpointSignsWhatGrew(t *testing.T) {
	hq := books.New(t)
	ctx := context.Background()
	if err := hq.Journal.Append(ctx, fact(3, "a"), fact(9, "b")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 0} {
		if n, err := hq.Journal.Checkpoint(ctx); err != nil || n != want {
			t.Errorf("signed %d, want %d, %v", n, want, err)
		}
	}
	if err := hq.Journal.Append(ctx, fact(9, "c")); err != nil {
		t.Fatal(err)
	}
	if n, err := hq.Journal.Checkpoint(ctx); err != nil || n != 1 {
		t.Errorf("signed %d, %v", n, err)
	}
	hq.Verify(t)
}
