package store

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

var _ feed.Store = (*DB)(nil)

type feedRow struct {
	Pos     uint64 `bun:"pos"`
	Scope   []byte `bun:"scope"`
	Kind    uint8  `bun:"kind"`
	ID      []byte `bun:"id"`
	Version uint64 `bun:"version"`
	Body    []byte `bun:"body"`
}

// AdvanceFeed implements feed.Store.
func (db *DB) AdvanceFeed(ctx context.Context, by map[int]int) (map[int]uint64, error) {
	rows := make([]row, 0, len(by))
	for _, in := range slices.Sorted(maps.Keys(by)) {
		rows = append(rows, row{in, by[in]})
	}
	next := make(map[int]uint64, len(by))
	err := db.inserted(ctx, "INSERT INTO feed_heads (shard, pos)", rows,
		"ON CONFLICT (shard) DO UPDATE SET pos = feed_heads.pos + EXCLUDED.pos RETURNING shard, pos", func(q query) error {
			var heads []headRow
			if err := q.scan(ctx, &heads); err != nil {
				return err
			}
			for _, h := range heads {
				next[h.Shard] = h.Pos
			}
			return nil
		})
	return next, err
}

type headRow struct {
	Shard int    `bun:"shard"`
	Pos   uint64 `bun:"pos"`
}

// PutFeed implements feed.Store.
func (db *DB) PutFeed(ctx context.Context, rows []feed.Row) error {
	return db.insert(ctx, "INSERT INTO feed (shard, scope, kind, id, pos, version, owner, body)",
		convert(rows, func(r feed.Row) row {
			body := []byte(r.Item.Body)
			if body == nil {
				body = []byte{}
			}
			return row{r.Shard, idBytes(r.Scope), uint8(r.Item.Kind), idBytes(r.Item.ID), r.Pos, r.Item.Version, ownerBytes(r.Owner), body}
		}),
		"ON CONFLICT (shard, scope, kind, id) DO UPDATE SET pos = EXCLUDED.pos, version = EXCLUDED.version, owner = EXCLUDED.owner, body = EXCLUDED.body")
}

// FeedHeads implements feed.Store.
func (db *DB) FeedHeads(ctx context.Context) (feed.Heads, error) {
	var heads feed.Heads
	var rows []headRow
	if err := db.read(ctx).NewRaw("SELECT shard, pos FROM feed_heads").Scan(ctx, &rows); err != nil {
		return heads, err
	}
	for _, r := range rows {
		if r.Shard >= 0 && r.Shard < shard.Count {
			heads[r.Shard] = r.Pos
		}
	}
	return heads, nil
}

// ownerBytes is empty for what is of no member.
func ownerBytes(owner uuid.UUID) []byte {
	if owner == uuid.Nil {
		return []byte{}
	}
	return idBytes(owner)
}

// FeedAfter implements feed.Store.
func (db *DB) FeedAfter(ctx context.Context, shard int, after uint64, store uuid.UUID, tied bool, limit int) ([]feed.Row, error) {
	query := "SELECT pos, scope, kind, id, version, body FROM feed AS f WHERE shard = ? AND pos > ? AND (scope = ? OR scope = ?)"
	args := []any{shard, after, idBytes(uuid.Nil), idBytes(store)}
	if tied {
		query += " AND (length(owner) = 0 OR EXISTS (SELECT 1 FROM ties AS t WHERE t.shard = f.shard AND t.member = f.owner AND t.store = ?))"
		args = append(args, idBytes(store))
	}
	var rows []feedRow
	err := db.read(ctx).NewRaw(query+" ORDER BY pos LIMIT ?", append(args, limit)...).Scan(ctx, &rows)
	return convert(rows, func(r feedRow) feed.Row {
		item := wire.Item{Kind: wire.ItemKind(r.Kind), ID: toID(r.ID), Version: r.Version}
		if len(r.Body) > 0 {
			item.Body = r.Body
		}
		return feed.Row{Pos: r.Pos, Change: feed.Change{Shard: shard, Scope: toID(r.Scope), Item: item}}
	}), err
}
