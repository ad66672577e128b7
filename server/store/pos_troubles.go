package store

import (
	"context"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/shard"
)

// narrowedStores is the condition of some stores, to be put behind others, and what stands in it.
func narrowedStores(of posbooks.Which) (condition string, args []any) {
	if of.Only != uuid.Nil {
		condition, args = " AND shard = ? AND store = ?", []any{shard.Of(of.Only), idBytes(of.Only)}
	}
	if len(of.But) > 0 {
		condition, args = condition+" AND store NOT IN (?)", append(args, bun.List(convert(of.But, func(id uuid.UUID) []byte { return idBytes(id) })))
	}
	return condition, args
}

type posTroubleRow struct {
	Store  []byte `bun:"store"`
	Work   string `bun:"work"`
	Reason string `bun:"reason"`
	Tries  int64  `bun:"tries"`
	Since  int64  `bun:"since"`
	Last   int64  `bun:"last"`
	Next   int64  `bun:"next"`
}

func (r posTroubleRow) made() posbooks.Trouble {
	return posbooks.Trouble{
		Store: toID(r.Store), Work: posbooks.Work(r.Work), Reason: r.Reason, Tries: r.Tries, Since: fromMillis(r.Since), Last: fromMillis(r.Last), Next: fromMillis(r.Next),
	}
}

// PosTroubles implements posbooks.Store.
func (db *DB) PosTroubles(ctx context.Context, store uuid.UUID) ([]posbooks.Trouble, error) {
	which, args := narrowedStores(posbooks.Which{Only: store})
	return page(ctx, db, posTroubleRow.made, "SELECT store, work, reason, tries, since, last, next FROM pos_troubles WHERE shard >= 0"+which+" ORDER BY shard, store, work", args...)
}

// PutPosTrouble implements posbooks.Store.
func (db *DB) PutPosTrouble(ctx context.Context, t posbooks.Trouble) error {
	return db.insert(ctx, "INSERT INTO pos_troubles (shard, store, work, reason, tries, since, last, next)",
		[]row{{shard.Of(t.Store), idBytes(t.Store), string(t.Work), t.Reason, t.Tries, toMillis(t.Since), toMillis(t.Last), toMillis(t.Next)}},
		"ON CONFLICT (shard, store, work) DO UPDATE SET reason = EXCLUDED.reason, tries = EXCLUDED.tries, since = EXCLUDED.since, last = EXCLUDED.last, next = EXCLUDED.next")
}

// DropPosTrouble implements posbooks.Store.
func (db *DB) DropPosTrouble(ctx context.Context, store uuid.UUID, w posbooks.Work) error {
	_, err := db.exec(ctx, "DELETE FROM pos_troubles WHERE shard = ? AND store = ? AND work = ?", shard.Of(store), idBytes(store), string(w))
	return err
}
