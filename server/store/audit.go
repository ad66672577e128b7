package store

import (
	"context"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// AuditBranches implements ledger.Store.
func (db *DB) AuditBranches(ctx context.Context) ([]ledger.AuditBranch, error) {
	var rows []struct {
		Terminal   []byte `bun:"terminal"`
		Epoch      uint32 `bun:"epoch"`
		Branch     int    `bun:"branch"`
		FromSeq    uint64 `bun:"from_seq"`
		FromHash   []byte `bun:"from_hash"`
		HeadSeq    uint64 `bun:"head_seq"`
		HeadHash   []byte `bun:"head_hash"`
		AppliedSeq uint64 `bun:"applied_seq"`
	}
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, branch, from_seq, from_hash, head_seq, head_hash, applied_seq FROM branches "+
		"ORDER BY shard, terminal, epoch, branch").Scan(ctx, &rows)
	out := make([]ledger.AuditBranch, len(rows))
	for i, r := range rows {
		out[i] = ledger.AuditBranch{
			Writer: journal.Writer{ID: toID(r.Terminal), Epoch: r.Epoch}, Branch: r.Branch, AppliedSeq: r.AppliedSeq,
			From: journal.Head{Seq: r.FromSeq, Hash: toHash(r.FromHash)}, Head: journal.Head{Seq: r.HeadSeq, Hash: toHash(r.HeadHash)},
		}
	}
	return out, err
}

// AuditBatches implements ledger.Store.
func (db *DB) AuditBatches(ctx context.Context, w journal.Writer, offset, limit int) ([]ledger.AuditBatch, error) {
	var rows []struct {
		LastSeq    uint64 `bun:"last_seq"`
		HeadHash   []byte `bun:"head_hash"`
		FirstSeq   uint64 `bun:"first_seq"`
		Branch     int    `bun:"branch"`
		PublicKey  []byte `bun:"public_key"`
		Signature  []byte `bun:"signature"`
		RecordedAt int64  `bun:"recorded_at"`
		Receipt    []byte `bun:"receipt"`
	}
	err := db.read(ctx).NewRaw("SELECT last_seq, head_hash, first_seq, branch, public_key, signature, recorded_at, receipt FROM batches "+
		"WHERE shard = ? AND terminal = ? AND epoch = ? ORDER BY last_seq, head_hash, first_seq LIMIT ? OFFSET ?",
		shard.Of(w.ID), idBytes(w.ID), w.Epoch, limit, offset).Scan(ctx, &rows)
	out := make([]ledger.AuditBatch, len(rows))
	for i, r := range rows {
		out[i] = ledger.AuditBatch{
			Checkpoint: journal.Checkpoint{Writer: w, First: r.FirstSeq, Last: r.LastSeq, Head: toHash(r.HeadHash), Signature: r.Signature},
			Branch:     r.Branch, PublicKey: r.PublicKey, RecordedAt: r.RecordedAt, Receipt: r.Receipt,
		}
	}
	return out, err
}

// AuditHQHeads implements ledger.Store.
func (db *DB) AuditHQHeads(ctx context.Context) ([]hqjournal.Head, error) {
	var rows []hqHeadRow
	err := db.read(ctx).NewRaw("SELECT shard, epoch, seq, hash, hlc FROM hq_heads WHERE seq > 0 ORDER BY shard, epoch").Scan(ctx, &rows)
	return convert(rows, hqHeadRow.head), err
}

// AuditHQEntries implements ledger.Store.
func (db *DB) AuditHQEntries(ctx context.Context, shard int, epoch uint32, after uint64, limit int) ([]hqjournal.Row, error) {
	var rows []struct {
		Seq        uint64 `bun:"seq"`
		Hash       []byte `bun:"hash"`
		Kind       uint16 `bun:"kind"`
		RecordedAt int64  `bun:"recorded_at"`
		Raw        []byte `bun:"raw"`
	}
	err := db.read(ctx).NewRaw("SELECT seq, hash, kind, recorded_at, raw FROM hq_journal WHERE shard = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
		shard, epoch, after, limit).Scan(ctx, &rows)
	out := make([]hqjournal.Row, len(rows))
	for i, r := range rows {
		out[i] = hqjournal.Row{
			Shard: shard, Epoch: epoch, Seq: r.Seq, Hash: toHash(r.Hash), Kind: entry.Kind(r.Kind), RecordedAt: r.RecordedAt, Raw: r.Raw,
		}
	}
	return out, err
}

// AuditHQCheckpoints implements ledger.Store.
func (db *DB) AuditHQCheckpoints(ctx context.Context, shard int, epoch uint32) ([]hqjournal.Checkpoint, error) {
	var rows []struct {
		LastSeq    uint64 `bun:"last_seq"`
		FirstSeq   uint64 `bun:"first_seq"`
		HeadHash   []byte `bun:"head_hash"`
		KeyID      uint8  `bun:"key_id"`
		Signature  []byte `bun:"signature"`
		RecordedAt int64  `bun:"recorded_at"`
	}
	err := db.read(ctx).NewRaw("SELECT last_seq, first_seq, head_hash, key_id, signature, recorded_at FROM hq_checkpoints "+
		"WHERE shard = ? AND epoch = ? ORDER BY last_seq", shard, epoch).Scan(ctx, &rows)
	out := make([]hqjournal.Checkpoint, len(rows))
	for i, r := range rows {
		out[i] = hqjournal.Checkpoint{
			Shard: shard, KeyID: r.KeyID, RecordedAt: r.RecordedAt,
			Checkpoint: journal.Checkpoint{First: r.FirstSeq, Last: r.LastSeq, Head: toHash(r.HeadHash), Signature: r.Signature},
		}
	}
	return out, err
}

// AuditSources implements ledger.Store.
func (db *DB) AuditSources(ctx context.Context, shard int) ([]ledger.SourceRow, error) {
	var rows []factRow
	err := db.read(ctx).NewRaw("SELECT "+sourceColumns+" FROM sources WHERE shard = ?", shard).Scan(ctx, &rows)
	return convert(rows, factRow.source), err
}

// AuditPostings implements ledger.Store.
func (db *DB) AuditPostings(ctx context.Context, shard, offset, limit int) ([]ledger.Posting, error) {
	var rows []postingRow
	err := db.read(ctx).NewRaw("SELECT shard, "+postingColumns+" FROM postings WHERE shard = ? ORDER BY account, recorded_at, id LIMIT ? OFFSET ?",
		shard, limit, offset).Scan(ctx, &rows)
	return convert(rows, postingRow.posting), err
}

// AuditHoldings implements ledger.Store.
func (db *DB) AuditHoldings(ctx context.Context, shard int) ([]ledger.HoldingRow, error) {
	var rows []holdingRow
	err := db.read(ctx).NewRaw("SELECT shard, account, unit, free, allowance, pending, overdraft FROM holdings WHERE shard = ? ORDER BY account, unit", shard).Scan(ctx, &rows)
	return convert(rows, holdingRow.holding), err
}

// AuditLots implements ledger.Store.
func (db *DB) AuditLots(ctx context.Context, shard, offset, limit int) ([]ledger.LotRow, error) {
	var rows []lotRow
	err := db.read(ctx).NewRaw("SELECT "+lotColumns+" FROM lots WHERE shard = ? ORDER BY account, unit, lot LIMIT ? OFFSET ?", shard, limit, offset).Scan(ctx, &rows)
	return convert(rows, lotRow.lot), err
}

// AuditBooks implements ledger.Store.
func (db *DB) AuditBooks(ctx context.Context, shard int) (map[ledger.BookKey]int64, error) {
	var rows []struct {
		Book    int16  `bun:"book"`
		Owner   []byte `bun:"owner"`
		Unit    string `bun:"unit"`
		Balance int64  `bun:"balance"`
	}
	err := db.read(ctx).NewRaw("SELECT book, owner, unit, balance FROM books WHERE shard = ?", shard).Scan(ctx, &rows)
	out := make(map[ledger.BookKey]int64, len(rows))
	for _, r := range rows {
		out[ledger.BookKey{Shard: shard, Book: loyalty.Book(r.Book), Owner: toID(r.Owner), Unit: r.Unit}] = r.Balance
	}
	return out, err
}
