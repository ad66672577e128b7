package store

import (
	"context"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/journal"
)

var _ hqjournal.Store = (*DB)(nil)

type hqHeadRow struct {
	Shard int    `bun:"shard"`
	Epoch uint32 `bun:"epoch"`
	Seq   uint64 `bun:"seq"`
	Hash  []byte `bun:"hash"`
	HLC   uint64 `bun:"hlc"`
}

func (r hqHeadRow) head() hqjournal.Head {
	return hqjournal.Head{
		Shard: r.Shard, Epoch: r.Epoch, Head: journal.Head{Seq: r.Seq, Hash: toHash(r.Hash)}, HLC: clock.Stamp(r.HLC),
	}
}

// LockHQHeads implements hqjournal.Store.
func (db *DB) LockHQHeads(ctx context.Context, shards []int, epoch uint32) (map[int]hqjournal.Head, error) {
	out := make(map[int]hqjournal.Head, len(shards))
	rows := convert(shards, func(in int) row { return row{in, epoch, 0, hashBytes(journal.Genesis), 0} })
	err := db.inserted(ctx, "INSERT INTO hq_heads (shard, epoch, seq, hash, hlc)", rows,
		"ON CONFLICT (shard, epoch) DO UPDATE SET hlc = hq_heads.hlc RETURNING shard, epoch, seq, hash, hlc", func(q query) error {
			var heads []hqHeadRow
			if err := q.scan(ctx, &heads); err != nil {
				return err
			}
			for _, h := range heads {
				out[h.Shard] = h.head()
			}
			return nil
		})
	return out, err
}

// AppendHQ implements hqjournal.Store.
func (db *DB) AppendHQ(ctx context.Context, rows []hqjournal.Row, heads []hqjournal.Head) error {
	err := db.insert(ctx, "INSERT INTO hq_journal (shard, epoch, seq, hash, kind, recorded_at, raw)",
		convert(rows, func(r hqjournal.Row) row {
			return row{r.Shard, r.Epoch, r.Seq, hashBytes(r.Hash), uint16(r.Kind), r.RecordedAt, r.Raw}
		}), "")
	if err != nil {
		return err
	}
	return db.insert(ctx, "INSERT INTO hq_heads (shard, epoch, seq, hash, hlc)",
		convert(heads, func(h hqjournal.Head) row { return row{h.Shard, h.Epoch, h.Seq, hashBytes(h.Hash), uint64(h.HLC)} }),
		"ON CONFLICT (shard, epoch) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash, hlc = EXCLUDED.hlc")
}

// UnsignedHQHeads implements hqjournal.Store.
func (db *DB) UnsignedHQHeads(ctx context.Context, epoch uint32) ([]hqjournal.Unsigned, error) {
	var rows []struct {
		hqHeadRow `bun:",extend"`
		Signed    uint64 `bun:"signed"`
	}
	err := db.read(ctx).NewRaw("SELECT * FROM (SELECT h.shard, h.epoch, h.seq, h.hash, h.hlc, "+
		"(SELECT COALESCE(MAX(c.last_seq), 0) FROM hq_checkpoints AS c WHERE c.shard = h.shard AND c.epoch = h.epoch) AS signed "+
		"FROM hq_heads AS h WHERE h.epoch = ?) AS s WHERE s.seq > s.signed ORDER BY s.shard", epoch).Scan(ctx, &rows)
	out := make([]hqjournal.Unsigned, len(rows))
	for i, r := range rows {
		out[i] = hqjournal.Unsigned{Head: r.head(), Signed: r.Signed}
	}
	return out, err
}

// PutHQCheckpoint implements hqjournal.Store.
func (db *DB) PutHQCheckpoint(ctx context.Context, c hqjournal.Checkpoint) error {
	return db.insert(ctx, "INSERT INTO hq_checkpoints (shard, epoch, last_seq, first_seq, head_hash, key_id, signature, recorded_at)",
		[]row{{c.Shard, c.Epoch, c.Last, c.First, hashBytes(c.Head), c.KeyID, c.Signature, c.RecordedAt}}, "ON CONFLICT DO NOTHING")
}
