package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/uptrace/bun"
)

// Reading the newest entries or some accounts costs the same however many there are.
func TestStatementsOnGrowingTablesUseTheirIndex(t *testing.T) {
	ctx := context.Background()
	db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	keys := bun.Safe("(shard, account) IN (VALUES " + strings.ReplaceAll(marks(2, 2), "?", "x'01'") + ")")
	for _, c := range []struct {
		query string
		args  []any
		index string
	}{
		{"SELECT e." + entryList + ", " + appliedSeq + " FROM entries AS e ORDER BY e.recorded_at DESC, e.seq DESC, e.hash DESC LIMIT 50", nil, "entries_recorded"},
		{"SELECT * FROM lots WHERE is_open = 1 AND ?", []any{keys}, "lots_open (shard=? AND account=?)"},
		{"SELECT * FROM holdings WHERE ?", []any{keys}, "(shard=? AND account=?)"},
	} {
		var plan []struct {
			ID      int    `bun:"id"`
			Parent  int    `bun:"parent"`
			NotUsed int    `bun:"notused"`
			Detail  string `bun:"detail"`
		}
		if err := db.reader.NewRaw("EXPLAIN QUERY PLAN "+c.query, c.args...).Scan(ctx, &plan); err != nil {
			t.Fatal(err)
		}
		if len(plan) == 0 || !strings.Contains(plan[0].Detail, c.index) {
			t.Errorf("%s: %+v", c.query, plan)
		}
	}
}

// migrated opens the database at dsn with today's schema; it is closed with the test.
func migrated(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(context.Background(), dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return db
}
