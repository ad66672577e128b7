package store

import (
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// posSources are where the lists about the till software's books come from.
var posSources = map[string]source{
	"pos_results": {
		from: as("pos_results AS r LEFT JOIN stores AS s ON s.id = r.store"), key: "r.id",
		columns: map[string]string{
			"id": "r.id", "day": "r.day", "store": "r.store", "store_code": "COALESCE(s.code, '')", "outcome": "r.outcome", "state": "r.state", "differs": "r.differs",
			"amount": "r.amount", "discount": "r.discount", "their_receipt": "r.their_receipt", "their_lane": "r.their_lane", "their_at": "r.their_at", "their_kind": "r.their_kind",
			"their_amount": "r.their_amount", "their_discount": "r.their_discount", "their_count": "r.their_count", "currency": "r.their_currency", "our_receipt": "r.our_receipt",
			"our_lane": "r.our_lane", "our_at": "r.our_at", "our_kind": "r.our_kind", "our_amount": "r.our_amount", "our_discount": "r.our_discount", "our_count": "r.our_count",
			"our_currency": "r.our_currency", "total": "r.total", "matched_by": "r.matched_by", "apart_ms": "r.apart", "reason": "r.reason", "decided_by": "r.decided_by",
			"decided_at": "r.decided_at", "import": "r.import", "line": "r.line", "terminal": "r.terminal", "epoch": "r.epoch", "seq": "r.seq", "entry": "r.source",
		},
		word:   map[string]func(console.Query, int64) string{"day": dateWord},
		narrow: narrowResults,
	},
	"pos_imports": {
		from: as("pos_imports AS i LEFT JOIN stores AS s ON s.id = i.store"), key: "i.id",
		columns: map[string]string{
			"id": "i.id", "created_at": "i.created_at", "store": "i.store", "store_code": "COALESCE(s.code, '')", "name": "i.name", "state": "i.state", "done": "i.done", "goal": "i.goal",
			"rows": "i.rows_read", "bad": "i.rows_bad", "replaced": "i.replaced", "first_day": "i.first_day", "last_day": "i.last_day", "size": "i.size", "reason": "i.reason",
			"same": "i.same", "by": "i.by_name", "code": "i.code",
		},
		word: map[string]func(console.Query, int64) string{"first_day": dateWord, "last_day": dateWord},
		narrow: by(map[string]string{"state": "i.state"}, "i.created_at", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			store, _ := v.(uuid.UUID)
			return q.Where("i.shard = ? AND i.store = ?", shard.Of(store), idBytes(store))
		}),
	},
	"pos_troubles": {
		from: as("pos_troubles AS t LEFT JOIN stores AS s ON s.id = t.store"), key: "t.store",
		columns: map[string]string{
			"store": "t.store", "store_code": "COALESCE(s.code, '')", "work": "t.work", "reason": "t.reason", "tries": "t.tries", "since": "t.since", "last": "t.last", "next": "t.next",
		},
		narrow: by(nil, "", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			store, _ := v.(uuid.UUID)
			return q.Where("t.shard = ? AND t.store = ?", shard.Of(store), idBytes(store))
		}),
	},
	"pos_bad_rows": {
		from: as("pos_bad_rows AS b"), key: "b.import",
		columns: map[string]string{"n": "b.n", "line": "b.line", "reason": "b.reason", "text": "b.text"},
		narrow: by(map[string]string{"import": "b.import"}, "", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			store, _ := v.(uuid.UUID)
			return q.Where("b.shard = ? AND b.store = ?", shard.Of(store), idBytes(store))
		}),
	},
}

// dateWord is a business date as people write it; nothing for none.
func dateWord(_ console.Query, n int64) string {
	if n == 0 {
		return ""
	}
	return entry.Date(n).String()
}

func narrowResults(q *bun.SelectQuery, filter string, v any) *bun.SelectQuery {
	switch v := v.(type) {
	case uuid.UUID:
		if filter == "import" {
			return q.Where("r.import = ?", idBytes(v))
		}
		return q.Where("r.shard = ? AND r.store = ?", shard.Of(v), idBytes(v))
	case time.Time:
		if filter == "from" {
			return q.Where("r.day >= ?", int64(entry.DateOf(v.UTC())))
		}
		return q.Where("r.day < ?", int64(entry.DateOf(v.UTC())))
	case string:
		switch filter {
		case "kind":
			return q.Where("r.outcome = ?", v)
		case "state":
			return q.Where("r.state = ?", v)
		}
		return q.Where("LOWER(r.their_receipt) LIKE ? ESCAPE '!' OR LOWER(r.our_receipt) LIKE ? ESCAPE '!'", containing(v), containing(v))
	}
	return q.Where(nothing)
}
