package store

import (
	"context"
	"math"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

var (
	_ console.Proofs  = (*DB)(nil)
	_ console.OwnRows = (*DB)(nil)
)

// mostProved bounds the entries of one proof: a batch of each of a few branches.
const mostProved = 4096

// EntriesBetween implements console.Proofs.
func (db *DB) EntriesBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]ledger.Entry, error) {
	return page(ctx, db, entryRow.entry, "SELECT "+entryColumns+" FROM entries WHERE shard = ? AND terminal = ? AND epoch = ? AND seq >= ? AND seq <= ? "+
		"ORDER BY seq, hash LIMIT ?", shard.Of(w.ID), idBytes(w.ID), w.Epoch, int64(first), int64(last), mostProved)
}

type signedRow struct {
	First      uint64 `bun:"first_seq"`
	Last       uint64 `bun:"last_seq"`
	Head       []byte `bun:"head_hash"`
	PublicKey  []byte `bun:"public_key"`
	Signature  []byte `bun:"signature"`
	RecordedAt int64  `bun:"recorded_at"`
}

// CheckpointOver implements console.Proofs.
func (db *DB) CheckpointOver(ctx context.Context, w journal.Writer, branch int, seq uint64) (console.Signed, error) {
	return one(ctx, db, func(r signedRow) console.Signed {
		return console.Signed{
			Checkpoint: journal.Checkpoint{Writer: w, First: r.First, Last: r.Last, Head: toHash(r.Head), Signature: r.Signature},
			PublicKey:  r.PublicKey, RecordedAt: fromMillis(r.RecordedAt),
		}
	}, "checkpoint", "SELECT first_seq, last_seq, head_hash, public_key, signature, recorded_at FROM batches "+
		"WHERE shard = ? AND terminal = ? AND epoch = ? AND branch = ? AND last_seq >= ? AND first_seq <= ? ORDER BY last_seq, head_hash, first_seq LIMIT 1",
		shard.Of(w.ID), idBytes(w.ID), w.Epoch, branch, int64(seq), int64(seq))
}

type ownRow struct {
	Seq        uint64 `bun:"seq"`
	Hash       []byte `bun:"hash"`
	Kind       uint16 `bun:"kind"`
	RecordedAt int64  `bun:"recorded_at"`
	Raw        []byte `bun:"raw"`
}

// HQBetween implements console.OwnRows.
func (db *DB) HQBetween(ctx context.Context, in int, epoch uint32, first, last uint64) ([]hqjournal.Row, error) {
	if first > math.MaxInt64 {
		return nil, nil
	}
	return page(ctx, db, func(r ownRow) hqjournal.Row {
		return hqjournal.Row{Shard: in, Epoch: epoch, Seq: r.Seq, Hash: toHash(r.Hash), Kind: entry.Kind(r.Kind), RecordedAt: r.RecordedAt, Raw: r.Raw}
	}, "SELECT seq, hash, kind, recorded_at, raw FROM hq_journal WHERE shard = ? AND epoch = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
		in, epoch, int64(first), int64(min(last, math.MaxInt64)), mostProved)
}

type ownCheckpointRow struct {
	First      uint64 `bun:"first_seq"`
	Last       uint64 `bun:"last_seq"`
	Head       []byte `bun:"head_hash"`
	KeyID      uint8  `bun:"key_id"`
	Signature  []byte `bun:"signature"`
	RecordedAt int64  `bun:"recorded_at"`
}

// HQCheckpointOver implements console.OwnRows.
func (db *DB) HQCheckpointOver(ctx context.Context, in int, epoch uint32, seq uint64) (hqjournal.Checkpoint, error) {
	return one(ctx, db, func(r ownCheckpointRow) hqjournal.Checkpoint {
		return hqjournal.Checkpoint{
			Shard: in, KeyID: r.KeyID, RecordedAt: r.RecordedAt,
			Checkpoint: journal.Checkpoint{First: r.First, Last: r.Last, Head: toHash(r.Head), Signature: r.Signature},
		}
	}, "checkpoint", "SELECT first_seq, last_seq, head_hash, key_id, signature, recorded_at FROM hq_checkpoints "+
		"WHERE shard = ? AND epoch = ? AND last_seq >= ? ORDER BY last_seq LIMIT 1", in, epoch, int64(seq))
}
