package store

import (
	"context"

	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

type witnessRow struct {
	Seq         uint64 `bun:"seq"`
	Hash        []byte `bun:"hash"`
	ByTerminal  []byte `bun:"by_terminal"`
	ByEpoch     uint32 `bun:"by_epoch"`
	BySeq       uint64 `bun:"by_seq"`
	ByHash      []byte `bun:"by_hash"`
	ByStore     []byte `bun:"by_store"`
	SignedHead  []byte `bun:"signed_head"`
	Signature   []byte `bun:"signature"`
	OccurredAt  int64  `bun:"occurred_at"`
	EffectiveAt int64  `bun:"effective_at"`
	RecordedAt  int64  `bun:"recorded_at"`
}

const witnessColumns = "seq, hash, by_terminal, by_epoch, by_seq, by_hash, by_store, signed_head, signature, occurred_at, effective_at, recorded_at"

func (r witnessRow) witnessed(w journal.Writer) ingest.Witnessed {
	return ingest.Witnessed{
		Writer: w, Head: journal.Head{Seq: r.Seq, Hash: toHash(r.Hash)},
		By: ledger.Entry{
			Terminal: toID(r.ByTerminal), Epoch: r.ByEpoch, Seq: r.BySeq, Hash: toHash(r.ByHash), Store: toID(r.ByStore),
			OccurredAt: r.OccurredAt, EffectiveAt: r.EffectiveAt, RecordedAt: r.RecordedAt,
		},
		Signed: wire.SignedHead{Head: r.SignedHead, Signature: r.Signature}, RecordedAt: r.RecordedAt,
	}
}

// SaveWitnessed implements ingest.WitnessStore.
func (db *DB) SaveWitnessed(ctx context.Context, w ingest.Witnessed) error {
	return db.insert(ctx, "INSERT INTO witnessed (shard, terminal, epoch, "+witnessColumns+")", []row{{
		shard.Of(w.ID), idBytes(w.ID), w.Epoch, w.Seq, hashBytes(w.Hash), idBytes(w.By.Terminal), w.By.Epoch, w.By.Seq, hashBytes(w.By.Hash),
		idBytes(w.By.Store), w.Signed.Head, w.Signed.Signature, w.By.OccurredAt, w.By.EffectiveAt, w.RecordedAt,
	}}, "ON CONFLICT DO NOTHING")
}

// WitnessedBetween implements ingest.WitnessStore.
func (db *DB) WitnessedBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]ingest.Witnessed, error) {
	var rows []witnessRow
	err := db.read(ctx).NewRaw("SELECT "+witnessColumns+" FROM witnessed WHERE shard = ? AND terminal = ? AND epoch = ? AND seq BETWEEN ? AND ? "+
		"ORDER BY seq, hash", shard.Of(w.ID), idBytes(w.ID), w.Epoch, first, last).Scan(ctx, &rows)
	return convert(rows, func(r witnessRow) ingest.Witnessed { return r.witnessed(w) }), err
}

// LastWitnessed implements ingest.WitnessStore.
func (db *DB) LastWitnessed(ctx context.Context, w journal.Writer) (ingest.Witnessed, error) {
	var rows []witnessRow
	err := db.read(ctx).NewRaw("SELECT "+witnessColumns+" FROM witnessed WHERE shard = ? AND terminal = ? AND epoch = ? "+
		"ORDER BY seq DESC, hash LIMIT 1", shard.Of(w.ID), idBytes(w.ID), w.Epoch).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return ingest.Witnessed{}, err
	}
	return rows[0].witnessed(w), nil
}

// DropWitnessed implements ingest.WitnessStore.
func (db *DB) DropWitnessed(ctx context.Context, w journal.Writer, first, last uint64) error {
	_, err := db.write(ctx).NewRaw("DELETE FROM witnessed WHERE shard = ? AND terminal = ? AND epoch = ? AND seq BETWEEN ? AND ?",
		shard.Of(w.ID), idBytes(w.ID), w.Epoch, first, last).Exec(ctx)
	return err
}
