package store

import (
	"context"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

var _ console.Proofs = (*DB)(nil)

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
