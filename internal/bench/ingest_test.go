package bench

import (
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

const (
	// ingested is how many sales one round pushes, of so many shoppers.
	ingested = 5_000
	shoppers = 500
)

// ingestSQLite pushes sales in full batches into an HQ on SQLite, and holds that
// against decoding and hashing the same bytes; then it applies them to the ledger.
func ingestSQLite(t *testing.T) []benchtable.Result {
	hq := books.New(t)
	accounts := make([]uuid.UUID, shoppers)
	for i := range accounts {
		accounts[i] = hq.Member(t, strconv.Itoa(i), 0)
	}
	var applied []float64
	round := 0
	var last *books.Till
	push, alone := paired(func() float64 {
		began := time.Now()
		last.Sync(t, 2)
		pushed := ingested / time.Since(began).Seconds()
		began = time.Now()
		hq.Apply(t)
		applied = append(applied, ingested/time.Since(began).Seconds())
		return pushed
	}, func() float64 {
		round++
		last = hq.Till(t, string(rune('a'+round)))
		for n := range ingested {
			last.Sell(t, accounts[n%shoppers], 12_34, 0)
		}
		_, err := last.Push(1, 1)
		must(t, err)
		began := time.Now()
		decodeAndHash(t, last)
		return ingested / time.Since(began).Seconds()
	})
	return []benchtable.Result{
		benchtable.Against("ingest_sqlite", "entries/s", push, alone, benchtable.Target{}),
		benchtable.Alone("apply_sqlite", "entries/s", benchtable.Median(applied), benchtable.Target{}),
	}
}

func decodeAndHash(t *testing.T, till *books.Till) {
	t.Helper()
	prev := journal.Genesis
	w := journal.Writer{ID: till.ID, Epoch: 1}
	for i, raw := range till.Entries {
		e, err := entry.Decode(raw)
		must(t, err)
		if e.Kind == entry.KindSale {
			_, err = entry.DecodeBody[entry.Sale](e)
			must(t, err)
		}
		prev = journal.HashEntry(w, uint64(i+1), prev, raw)
	}
	if prev != till.Hashes[len(till.Hashes)-1] {
		t.Error("the hashes do not agree")
	}
}
