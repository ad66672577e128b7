package console

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Office is whose journal HQ's own is: its id, and the keys its checkpoints verify with.
type Office struct {
	HQ   uuid.UUID
	Keys keys.Set
}

// OwnRows is the storage of HQ's own journal. Shards are those of shard.Of.
type OwnRows interface {
	// HQBetween returns the entries of a chain with numbers from first to last, in order.
	HQBetween(ctx context.Context, in int, epoch uint32, first, last uint64) ([]hqjournal.Row, error)
	// HQCheckpointOver returns the first checkpoint at or after an entry, or
	// problem.NotFound.
	HQCheckpointOver(ctx context.Context, in int, epoch uint32, seq uint64) (hqjournal.Checkpoint, error)
}

// writersOf are the writers of HQ's chains, a shard each.
func writersOf(hq uuid.UUID) map[uuid.UUID]int {
	out := make(map[uuid.UUID]int, shard.Count)
	for in := range shard.Count {
		out[hqjournal.WriterOf(hq, in, 0).ID] = in
	}
	return out
}

// own reads one of HQ's chains as if it were a terminal's.
type own struct {
	rows   OwnRows
	office Office
	in     int
}

// EntriesAt implements Proofs.
func (o own) EntriesAt(ctx context.Context, writer uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error) {
	return o.EntriesBetween(ctx, journal.Writer{ID: writer, Epoch: epoch}, seq, seq)
}

// EntriesBetween implements Proofs.
func (o own) EntriesBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]ledger.Entry, error) {
	rows, err := o.rows.HQBetween(ctx, o.in, w.Epoch, first, last)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Entry, len(rows))
	for i, r := range rows {
		env, err := entry.Decode(r.Raw)
		if err != nil {
			return nil, fmt.Errorf("decode entry %d of HQ's journal: %w", r.Seq, err)
		}
		// HQ writes an entry and what follows from it in one transaction.
		out[i] = ledger.Entry{
			Terminal: w.ID, Epoch: w.Epoch, Seq: r.Seq, Hash: r.Hash, Kind: r.Kind, State: ledger.Applied, Proven: true,
			OccurredAt: env.At().UnixMilli(), EffectiveAt: r.RecordedAt, RecordedAt: r.RecordedAt, Raw: r.Raw,
		}
	}
	return out, nil
}

// CheckpointOver implements Proofs. HQ's journal has no branches.
func (o own) CheckpointOver(ctx context.Context, w journal.Writer, _ int, seq uint64) (Signed, error) {
	c, err := o.rows.HQCheckpointOver(ctx, o.in, w.Epoch, seq)
	if err != nil {
		return Signed{}, err
	}
	c.Writer = w
	key, err := o.office.Keys.Find(keys.UseStatement, c.KeyID)
	if err != nil {
		return Signed{}, problem.Wrap(problem.NotFound, err, "the key that signed the checkpoint is not known any more")
	}
	return Signed{Checkpoint: c.Checkpoint, PublicKey: key.Key, RecordedAt: time.UnixMilli(c.RecordedAt).UTC()}, nil
}
