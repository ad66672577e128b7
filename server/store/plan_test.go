package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/liability"
)

// Reading the newest entries or some accounts costs the same however many there are.
func TestStatementsOnGrowingTablesUseTheirIndex(t *testing.T) {
	ctx := context.Background()
	db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	list := func(name string) string {
		from, _ := sources[name].from(console.Query{})
		return from
	}
	keys := bun.Safe("(shard, account) IN (VALUES " + strings.ReplaceAll(marks(2, 2), "?", "x'01'") + ")")
	for _, c := range []struct {
		query string
		args  []any
		index string
	}{
		{"SELECT e." + entryList + ", " + appliedSeq + " FROM entries AS e ORDER BY e.recorded_at DESC, e.seq DESC, e.hash DESC LIMIT 50", nil, "entries_recorded"},
		{"SELECT * FROM lots WHERE is_open = 1 AND ?", []any{keys}, "lots_open (shard=? AND account=?)"},
		{"SELECT e.seq FROM " + list("entries") + " WHERE e.kind = 2 AND e.store = x'01' ORDER BY e.recorded_at DESC, e.seq DESC, e.hash DESC LIMIT 50", nil, "entries_recorded"},
		{"SELECT m.id FROM " + list("members") + " ORDER BY m.created_at DESC, m.id DESC LIMIT 50", nil, "members_created"},
		{"SELECT m.id FROM " + list("members") + " ORDER BY m.folded_alias, m.id LIMIT 50", nil, "members_alias"},
		{"SELECT x.id FROM " + list("exceptions") + " WHERE " + unsettled + " ORDER BY x.recorded_at DESC, x.id DESC LIMIT 50", nil, "exceptions_unsettled"},
		{"SELECT COUNT(*) FROM " + list("exceptions") + " WHERE " + unsettled, nil, "exceptions_unsettled"},
		{"SELECT a.id FROM " + list("acts") + " ORDER BY a.at DESC, a.id DESC LIMIT 50", nil, "acts_at"},
		{"SELECT SUM(n) FROM day_figures WHERE business_date IN (20260101, 20260102) GROUP BY store", nil, "day_figures_date"},
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

// A page of the postings behind a figure reads its own rows alone, and sorts nothing of a
// whole month.
func TestPagesOfPostingsUseTheirIndex(t *testing.T) {
	db := migrated(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	for by, index := range map[liability.By]string{liability.Recorded: "postings_recorded (shard=? AND (recorded_at,account,id)>(?,?,?) AND recorded_at<?)", liability.Effective: "postings_effective (shard=? AND (effective_at,account,id)>(?,?,?) AND effective_at<?)"} {
		var plan []struct {
			ID      int    `bun:"id"`
			Parent  int    `bun:"parent"`
			NotUsed int    `bun:"notused"`
			Detail  string `bun:"detail"`
		}
		if err := db.reader.NewRaw("EXPLAIN QUERY PLAN "+postedAfter(by), 7, 1000, 5, []byte{1}, []byte{2}, 500, 80).Scan(t.Context(), &plan); err != nil {
			t.Fatal(err)
		}
		if len(plan) < 2 || !strings.HasSuffix(plan[1].Detail, index) || plan[1].Parent != plan[0].ID || plan[2].Parent == plan[0].ID {
			t.Errorf("%s: %+v", by, plan)
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
