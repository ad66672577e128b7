package ingest_test

import (
	"context"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/wire"
)

// FuzzPush sends whatever decodes as a batch. Nothing panics, and what is refused
// leaves nothing behind.
func FuzzPush(f *testing.F) {
	hq := books.New(f)
	till := hq.Till(f, "1")
	till.Sell(f, hq.Member(f, "ann", 100), 1000, 50)
	for _, run := range [][2]int{{1, 1}, {1, 2}, {2, 2}} {
		raw, err := wire.Marshal(till.Batch(run[0], run[1]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := wire.Unmarshal[wire.Batch](raw)
		if err != nil {
			return
		}
		before := stored(t, hq)
		if _, err := hq.Ingest.Push(context.Background(), till.Terminal(), b, books.Start); err != nil && stored(t, hq) != before {
			t.Errorf("a refused batch left something: %v", err)
		}
	})
}

func stored(t *testing.T, hq *books.HQ) [3]int64 {
	t.Helper()
	s, err := hq.Ledger.Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return [3]int64{s.Entries, s.Batches, s.OpenExceptions}
}
