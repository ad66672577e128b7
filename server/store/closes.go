package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

var _ reconcile.Store = (*DB)(nil)

const closeColumns = "store, business_date, terminal, epoch, seq, hash, proven, occurred_at, recorded_at, raw"

type closeRow struct {
	laneRow
	Date       uint32 `bun:"business_date"`
	Seq        uint64 `bun:"seq"`
	Hash       []byte `bun:"hash"`
	Proven     int    `bun:"proven"`
	OccurredAt int64  `bun:"occurred_at"`
	RecordedAt int64  `bun:"recorded_at"`
	Raw        []byte `bun:"raw"`
}

func (r closeRow) close() reconcile.Close {
	return reconcile.Close{
		Store: toID(r.Store), Date: entry.Date(r.Date), Terminal: toID(r.ID), Epoch: r.Epoch, Seq: r.Seq, Hash: toHash(r.Hash),
		Proven: r.Proven == 1, OccurredAt: r.OccurredAt, RecordedAt: r.RecordedAt, Raw: r.Raw,
	}
}

// AddCloses implements reconcile.Store.
func (db *DB) AddCloses(ctx context.Context, rows []reconcile.Close) error {
	return db.insert(ctx, "INSERT INTO day_closes (shard, "+closeColumns+")", convert(rows, func(c reconcile.Close) row {
		return row{
			shard.Of(c.Store), idBytes(c.Store), uint32(c.Date), idBytes(c.Terminal), c.Epoch, c.Seq, hashBytes(c.Hash), bit(c.Proven),
			c.OccurredAt, c.RecordedAt, blob(c.Raw),
		}
	}), "ON CONFLICT DO NOTHING")
}

// Closes implements reconcile.Store.
func (db *DB) Closes(ctx context.Context, f reconcile.Filter, after *reconcile.Place, limit int) ([]reconcile.Close, error) {
	q := db.read(ctx).NewSelect().TableExpr("day_closes").ColumnExpr(closeColumns).
		Where("shard = ? AND store = ?", shard.Of(f.Store), idBytes(f.Store))
	if f.From != 0 {
		q = q.Where("business_date >= ?", uint32(f.From))
	}
	if f.To != 0 {
		q = q.Where("business_date <= ?", uint32(f.To))
	}
	if f.Terminal != uuid.Nil {
		q = q.Where("terminal = ?", idBytes(f.Terminal))
	}
	if after != nil {
		q = q.Where("business_date <= ?", uint32(after.Date)).
			Where("business_date < ? OR (terminal, epoch, seq, hash) > (?, ?, ?, ?)", uint32(after.Date),
				idBytes(after.Terminal), after.Epoch, after.Seq, hashBytes(after.Hash))
	}
	var rows []closeRow
	err := q.OrderExpr("business_date DESC, terminal, epoch, seq, hash").Limit(int64(limit)).Scan(ctx, &rows)
	return convert(rows, closeRow.close), err
}
