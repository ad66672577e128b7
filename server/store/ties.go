package store

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
)

// AccountsOfMembers implements ledger.Store.
func (db *DB) AccountsOfMembers(ctx context.Context, members []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	out := make(map[uuid.UUID]uuid.UUID, len(members))
	type memberRow struct {
		Member  []byte `bun:"member"`
		Account []byte `bun:"account"`
	}
	for part := range slices.Chunk(members, bulk) {
		ids := convert(part, func(id uuid.UUID) []byte { return idBytes(id) })
		rows, err := page(ctx, db, asIs[memberRow], "SELECT member, account FROM account_members WHERE member IN (?)", bun.List(ids))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[toID(r.Member)] = toID(r.Account)
		}
	}
	return out, nil
}

type tieRow struct {
	Shard     int    `bun:"shard"`
	Member    []byte `bun:"member"`
	Store     []byte `bun:"store"`
	VisitedAt int64  `bun:"visited_at"`
}

// Ties implements ledger.Store.
func (db *DB) Ties(ctx context.Context, keys []ledger.TieKey) (map[ledger.TieKey]int64, error) {
	rows, err := selectKeys[tieRow](ctx, db, db.read(ctx), "SELECT shard, member, store, visited_at FROM ties WHERE ?", "shard, member, store",
		convert(keys, func(k ledger.TieKey) row { return row{k.Shard, idBytes(k.Member), idBytes(k.Store)} }))
	out := make(map[ledger.TieKey]int64, len(rows))
	for _, r := range rows {
		out[ledger.TieKey{Shard: r.Shard, Member: toID(r.Member), Store: toID(r.Store)}] = r.VisitedAt
	}
	return out, err
}

// PutTies implements ledger.Store.
func (db *DB) PutTies(ctx context.Context, ties []ledger.Tie) error {
	return db.insert(ctx, "INSERT INTO ties (shard, member, store, visited_at)",
		convert(ties, func(t ledger.Tie) row { return row{t.Shard, idBytes(t.Member), idBytes(t.Store), t.VisitedAt} }),
		"ON CONFLICT (shard, member, store) DO UPDATE SET visited_at = EXCLUDED.visited_at WHERE ties.visited_at < EXCLUDED.visited_at")
}

// TiesOf implements ledger.Store.
func (db *DB) TiesOf(ctx context.Context, shard int, member uuid.UUID) ([]ledger.Tie, error) {
	turn := func(r tieRow) ledger.Tie {
		return ledger.Tie{TieKey: ledger.TieKey{Shard: r.Shard, Member: toID(r.Member), Store: toID(r.Store)}, VisitedAt: r.VisitedAt}
	}
	return page(ctx, db, turn, "SELECT shard, member, store, visited_at FROM ties WHERE shard = ? AND member = ? ORDER BY store", shard, idBytes(member))
}

// Visits implements pass.Books.
func (db *DB) Visits(ctx context.Context, members []programme.Member) ([]pass.Visit, error) {
	rows, err := selectKeys[tieRow](ctx, db, db.read(ctx), "SELECT shard, member, store, visited_at FROM ties WHERE ?", "shard, member",
		convert(members, func(m programme.Member) row { return row{shard.Of(m.Account), idBytes(m.ID)} }))
	return convert(rows, func(r tieRow) pass.Visit {
		return pass.Visit{Member: toID(r.Member), Store: toID(r.Store), At: fromMillis(r.VisitedAt)}
	}), err
}
