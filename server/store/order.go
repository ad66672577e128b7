package store

import (
	"context"
	"slices"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

var _ ledger.Recorded = (*DB)(nil)

// KeepSets implements ledger.Store. The heads' rows stay locked until the
// transaction ends, so that positions commit in their order.
func (db *DB) KeepSets(ctx context.Context, sets []ledger.AppliedSet) error {
	for part := range slices.Chunk(sets, bulk) {
		var heads []struct {
			Shard int    `bun:"shard"`
			Pos   uint64 `bun:"pos"`
		}
		err := db.write(ctx).NewRaw("INSERT INTO applied_heads (shard, pos) VALUES ? "+
			"ON CONFLICT (shard) DO UPDATE SET pos = applied_heads.pos + 1 RETURNING shard, pos",
			tuples(convert(part, func(s ledger.AppliedSet) row { return row{s.Shard, 1} }))).Scan(ctx, &heads)
		if err != nil {
			return err
		}
		at := make(map[int]uint64, len(heads))
		for _, h := range heads {
			at[h.Shard] = h.Pos
		}
		err = db.insert(ctx, "INSERT INTO applied_sets (shard, pos, facts, moves)",
			convert(part, func(s ledger.AppliedSet) row { return row{s.Shard, at[s.Shard], s.Facts, s.Moves} }), "")
		if err != nil {
			return err
		}
	}
	return nil
}

// AppliedSets implements ledger.Recorded.
func (db *DB) AppliedSets(ctx context.Context, in int, after uint64, limit int) ([]ledger.AppliedSet, error) {
	var rows []struct {
		Pos   uint64 `bun:"pos"`
		Facts []byte `bun:"facts"`
	}
	err := db.read(ctx).NewRaw("SELECT pos, facts FROM applied_sets WHERE shard = ? AND pos > ? ORDER BY pos LIMIT ?", in, after, limit).Scan(ctx, &rows)
	out := make([]ledger.AppliedSet, len(rows))
	for i, r := range rows {
		out[i] = ledger.AppliedSet{Shard: in, Pos: r.Pos, Facts: r.Facts}
	}
	return out, err
}

// EntriesOf implements ledger.Store.
func (db *DB) EntriesOf(ctx context.Context, keys []ledger.EntryKey) ([]ledger.Entry, error) {
	found, err := selectKeys[entryRow](ctx, db, db.read(ctx), "SELECT "+entryColumns+" FROM entries WHERE ?", "shard, terminal, epoch, seq",
		convert(keys, func(k ledger.EntryKey) row { return row{shard.Of(k.Terminal), idBytes(k.Terminal), k.Epoch, k.Seq} }))
	return convert(found, entryRow.entry), err
}

// Unposted implements ledger.Store. Shard is that of the entry, Writer nobody for HQ.
func (db *DB) Unposted(ctx context.Context, kinds []entry.Kind) ([]ledger.SourceRow, error) {
	list := make([]row, len(kinds))
	for i, k := range kinds {
		list[i] = row{uint16(k)}
	}
	in := tuples{slices.Concat(list...)}
	var till, hq []factRow
	err := db.read(ctx).NewRaw("SELECT terminal AS writer, epoch, seq, hash AS source FROM entries WHERE state = ? AND kind IN ? "+
		"EXCEPT SELECT writer, epoch, seq, source FROM sources", int16(ledger.Accepted), in).Scan(ctx, &till)
	if err != nil {
		return nil, err
	}
	err = db.read(ctx).NewRaw("SELECT shard, epoch, seq, hash AS source FROM hq_journal WHERE kind IN ? "+
		"EXCEPT SELECT shard, epoch, seq, source FROM sources", in).Scan(ctx, &hq)
	return convert(append(till, hq...), factRow.source), err
}
