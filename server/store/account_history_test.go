package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
)

const historyLines = 100_000

// fillHistory gives an account postings from line first on, three in every
// millisecond.
func fillHistory(t *testing.T, db *DB, account uuid.UUID, first, n int) {
	t.Helper()
	_, err := db.writer.NewRaw("WITH RECURSIVE line(n) AS (SELECT ? UNION ALL SELECT n + 1 FROM line WHERE n < ?) "+
		"INSERT INTO postings (shard, account, recorded_at, id, source, line, unit, amount, from_book, to_book, store, lot, occurred_at, effective_at, rule_set, corrects) "+
		"SELECT ?, ?, n / 3, randomblob(16), randomblob(32), 1, 'points', 1 + n, 17, 1, x'', x'', n, n, 1, x'' FROM line",
		first, first+n-1, shard.Of(account), account[:]).Exec(context.Background())
	if err != nil {
		t.Fatal(err)
	}
}

// The pages of a history of 100,000 lines are read by its key alone, without
// sorting: the last page costs what the first does. Facts that come meanwhile shift
// no page.
func TestAHistoryOf100000LinesPagesInConstantTime(t *testing.T) {
	ctx := context.Background()
	db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	ann, bo := uuid.NewSHA1(uuid.Nil, []byte("ann")), uuid.NewSHA1(uuid.Nil, []byte("bo"))
	fillHistory(t, db, ann, 0, historyLines)
	fillHistory(t, db, bo, 0, 100)

	var plan []struct {
		ID      int    `bun:"id"`
		Parent  int    `bun:"parent"`
		NotUsed int    `bun:"notused"`
		Detail  string `bun:"detail"`
	}
	at, key := int64(historyLines/6), make([]byte, 16)
	err := db.reader.NewRaw("EXPLAIN QUERY PLAN SELECT * FROM postings WHERE shard = ? AND account = ? AND recorded_at <= ? "+
		"AND (recorded_at < ? OR id < ?) ORDER BY recorded_at DESC, id DESC LIMIT 500", shard.Of(ann), ann[:], at, at, key).Scan(ctx, &plan)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan) != 1 || !strings.Contains(plan[0].Detail, "(shard=? AND account=? AND recorded_at<?)") {
		t.Errorf("plan: %+v", plan)
	}

	const size = 500
	var after *ledger.Place
	var took []time.Duration
	next := int64(historyLines)
	for range historyLines / size {
		began := time.Now()
		rows, err := db.ListPostings(ctx, ledger.AccountKey{Shard: shard.Of(ann), Account: ann}, after, size)
		took = append(took, time.Since(began))
		if err != nil || len(rows) != size {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		seen := map[int64]bool{}
		for _, r := range rows {
			seen[r.Amount] = true
			if r.Account != ann || r.Amount > next+2 || r.Amount < next-size-2 {
				t.Fatalf("line %d on the page that begins at %d", r.Amount, next)
			}
		}
		if len(seen) != size {
			t.Fatalf("%d lines are on a page twice", size-len(seen))
		}
		next -= size
		last := rows[size-1]
		after = &ledger.Place{At: last.RecordedAt, Key: last.ID[:]}
		if len(took)%50 == 0 {
			fillHistory(t, db, ann, historyLines+len(took)*10, 10)
		}
	}
	if next != 0 {
		t.Errorf("%d lines were not shown", next)
	}
	first, last := fastest(took[:20]), fastest(took[len(took)-20:])
	t.Logf("a page of %d lines: %s at the beginning, %s at the end", size, first, last)
	if last > 5*first+time.Millisecond {
		t.Errorf("the first pages take %s, the last %s", first, last)
	}
}

// fastest is the least of some durations: what is left when nobody else was busy.
func fastest(all []time.Duration) time.Duration {
	least := all[0]
	for _, d := range all {
		least = min(least, d)
	}
	return least
}
