package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// JournalHead implements fleet.Keeper.
func (db *DB) JournalHead(ctx context.Context, w journal.Writer) (journal.Head, error) {
	branches, err := db.Branches(ctx, w)
	if err != nil || len(branches) == 0 {
		return journal.Head{}, err
	}
	return branches[0].Head, nil
}

// EndEpoch implements fleet.Keeper.
func (db *DB) EndEpoch(ctx context.Context, e fleet.Ended) error {
	_, err := db.exec(ctx, "INSERT INTO ended_epochs (terminal, epoch, next_epoch, head_seq, head_hash) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		idBytes(e.Terminal), e.Epoch, e.Next, e.Head.Seq, hashBytes(e.Head.Hash))
	return err
}

type endedRow struct {
	Terminal []byte `bun:"terminal"`
	Epoch    uint32 `bun:"epoch"`
	Next     uint32 `bun:"next_epoch"`
	Seq      uint64 `bun:"head_seq"`
	Hash     []byte `bun:"head_hash"`
}

// Ended implements fleet.Keeper.
func (db *DB) Ended(ctx context.Context, terminal uuid.UUID, epoch uint32) (fleet.Ended, bool, error) {
	return db.ended(ctx, "epoch", terminal, epoch)
}

// EndedBefore implements fleet.Keeper.
func (db *DB) EndedBefore(ctx context.Context, terminal uuid.UUID, next uint32) (fleet.Ended, bool, error) {
	return db.ended(ctx, "next_epoch", terminal, next)
}

func (db *DB) ended(ctx context.Context, column string, terminal uuid.UUID, epoch uint32) (fleet.Ended, bool, error) {
	var r endedRow
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, next_epoch, head_seq, head_hash FROM ended_epochs WHERE terminal = ? AND "+column+" = ? LIMIT 1",
		idBytes(terminal), epoch).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return fleet.Ended{}, false, nil
	}
	return fleet.Ended{
		Terminal: toID(r.Terminal), Epoch: r.Epoch, Next: r.Next, Head: journal.Head{Seq: r.Seq, Hash: toHash(r.Hash)},
	}, err == nil, err
}

// HQHeads implements fleet.Keeper.
func (db *DB) HQHeads(ctx context.Context, epoch uint32) ([]hqjournal.Head, error) {
	var rows []hqHeadRow
	err := db.read(ctx).NewRaw("SELECT shard, epoch, seq, hash, hlc FROM hq_heads WHERE epoch = ? ORDER BY shard", epoch).Scan(ctx, &rows)
	return convert(rows, hqHeadRow.head), err
}

// RaiseException implements fleet.Keeper.
func (db *DB) RaiseException(ctx context.Context, e ledger.Exception) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		if err := db.AddExceptions(ctx, []ledger.Exception{e}); err != nil {
			return err
		}
		_, err := db.exec(ctx, "UPDATE exceptions SET amount = ?, seq = ?, cause = ? WHERE shard = ? AND id = ? AND amount < ?",
			e.Amount, e.Seq, e.Cause, e.Shard, idBytes(e.ID), e.Amount)
		return err
	})
}
