package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

var _ ingest.Store = (*DB)(nil)

const branchColumns = "store, branch, from_seq, from_hash, head_seq, head_hash, effective_at, retain_seq, last_contact"

type branchRow struct {
	Store       []byte `bun:"store"`
	Branch      int    `bun:"branch"`
	FromSeq     uint64 `bun:"from_seq"`
	FromHash    []byte `bun:"from_hash"`
	HeadSeq     uint64 `bun:"head_seq"`
	HeadHash    []byte `bun:"head_hash"`
	EffectiveAt int64  `bun:"effective_at"`
	RetainSeq   uint64 `bun:"retain_seq"`
	LastContact int64  `bun:"last_contact"`
}

func (r branchRow) branch(w journal.Writer) ingest.Branch {
	return ingest.Branch{
		Writer: w, Store: toID(r.Store), Branch: r.Branch,
		From:        journal.Head{Seq: r.FromSeq, Hash: toHash(r.FromHash)},
		Head:        journal.Head{Seq: r.HeadSeq, Hash: toHash(r.HeadHash)},
		EffectiveAt: r.EffectiveAt, RetainSeq: r.RetainSeq, LastContact: r.LastContact,
	}
}

// FindReceipt implements ingest.Store.
func (db *DB) FindReceipt(ctx context.Context, key ingest.BatchKey) ([]byte, error) {
	var receipt []byte
	err := db.read(ctx).NewRaw("SELECT receipt FROM batches WHERE shard = ? AND terminal = ? AND epoch = ? "+
		"AND last_seq = ? AND head_hash = ? AND first_seq = ?",
		shard.Of(key.ID), idBytes(key.ID), key.Epoch, key.Head.Seq, hashBytes(key.Head.Hash), key.First).Scan(ctx, &receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return receipt, err
}

// LockBranches implements ingest.Store.
func (db *DB) LockBranches(ctx context.Context, w journal.Writer, store uuid.UUID) ([]ingest.Branch, error) {
	s, none := shard.Of(w.ID), hashBytes(journal.Genesis)
	err := db.insert(ctx, "INSERT INTO branches (shard, terminal, epoch, branch, from_seq, from_hash, head_seq, head_hash, "+
		"effective_at, applied_seq, retain_seq, store, last_contact)",
		[]row{{s, idBytes(w.ID), w.Epoch, 0, 0, none, 0, none, 0, 0, 0, idBytes(store), 0}}, "ON CONFLICT DO NOTHING")
	if err != nil {
		return nil, err
	}
	// An update that changes nothing takes the rows' locks on every engine.
	_, err = db.write(ctx).NewRaw("UPDATE branches SET branch = branch WHERE shard = ? AND terminal = ? AND epoch = ?",
		s, idBytes(w.ID), w.Epoch).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return db.Branches(ctx, w)
}

// Branches implements ingest.Store.
func (db *DB) Branches(ctx context.Context, w journal.Writer) ([]ingest.Branch, error) {
	var rows []branchRow
	err := db.read(ctx).NewRaw("SELECT "+branchColumns+" FROM branches WHERE shard = ? AND terminal = ? AND epoch = ? ORDER BY branch",
		shard.Of(w.ID), idBytes(w.ID), w.Epoch).Scan(ctx, &rows)
	return convert(rows, func(r branchRow) ingest.Branch { return r.branch(w) }), err
}

// StoredHeads implements ingest.Store.
func (db *DB) StoredHeads(ctx context.Context, w journal.Writer, first, last uint64) ([]ingest.Stored, error) {
	var rows []struct {
		Seq    uint64 `bun:"seq"`
		Hash   []byte `bun:"hash"`
		Branch int    `bun:"branch"`
	}
	err := db.read(ctx).NewRaw("SELECT seq, hash, branch FROM entries WHERE shard = ? AND terminal = ? AND epoch = ? "+
		"AND seq BETWEEN ? AND ? ORDER BY seq, branch", shard.Of(w.ID), idBytes(w.ID), w.Epoch, first, last).Scan(ctx, &rows)
	out := make([]ingest.Stored, len(rows))
	for i, r := range rows {
		out[i] = ingest.Stored{Head: journal.Head{Seq: r.Seq, Hash: toHash(r.Hash)}, Branch: r.Branch}
	}
	return out, err
}

// SaveEntries implements ingest.Store.
func (db *DB) SaveEntries(ctx context.Context, b ingest.Branch, entries []ledger.Entry) error {
	s := shard.Of(b.ID)
	err := db.insert(ctx, "INSERT INTO entries (shard, terminal, epoch, seq, hash, branch, kind, state, proven, hlc, "+
		"occurred_at, effective_at, recorded_at, store, raw)",
		convert(entries, func(e ledger.Entry) row {
			return row{
				s, idBytes(e.Terminal), e.Epoch, e.Seq, hashBytes(e.Hash), e.Branch, uint16(e.Kind), int16(e.State), bit(e.Proven), e.HLC,
				e.OccurredAt, e.EffectiveAt, e.RecordedAt, idBytes(e.Store), e.Raw,
			}
		}), "")
	if err != nil {
		return err
	}
	return db.insert(ctx, "INSERT INTO branches (shard, terminal, epoch, branch, from_seq, from_hash, head_seq, head_hash, "+
		"effective_at, applied_seq, retain_seq, store, last_contact)",
		[]row{{
			s, idBytes(b.ID), b.Epoch, b.Branch, b.From.Seq, hashBytes(b.From.Hash), b.Head.Seq, hashBytes(b.Head.Hash),
			b.EffectiveAt, b.From.Seq, b.RetainSeq, idBytes(b.Store), b.LastContact,
		}},
		"ON CONFLICT (shard, terminal, epoch, branch) DO UPDATE SET head_seq = EXCLUDED.head_seq, head_hash = EXCLUDED.head_hash, "+
			"effective_at = EXCLUDED.effective_at, last_contact = EXCLUDED.last_contact")
}

// SaveBatch implements ingest.Store.
func (db *DB) SaveBatch(ctx context.Context, b ingest.BatchRow) error {
	return db.insert(ctx, "INSERT INTO batches (shard, terminal, epoch, last_seq, head_hash, first_seq, prev_hash, branch, "+
		"public_key, signature, recorded_at, receipt)",
		[]row{{
			shard.Of(b.ID), idBytes(b.ID), b.Epoch, b.Head.Seq, hashBytes(b.Head.Hash), b.First, hashBytes(b.Prev), b.Branch,
			b.PublicKey, b.Signature, b.RecordedAt, b.Receipt,
		}}, "")
}

// TouchBranch implements ingest.Store.
func (db *DB) TouchBranch(ctx context.Context, b ingest.Branch) error {
	_, err := db.write(ctx).NewRaw("UPDATE branches SET last_contact = ?, retain_seq = ? WHERE shard = ? AND terminal = ? AND epoch = ? AND branch = ?",
		b.LastContact, b.RetainSeq, shard.Of(b.ID), idBytes(b.ID), b.Epoch, b.Branch).Exec(ctx)
	return err
}

// LastBatchBefore implements ingest.Store.
func (db *DB) LastBatchBefore(ctx context.Context, w journal.Writer, before int64) (uint64, error) {
	var last uint64
	err := db.read(ctx).NewRaw("SELECT last_seq FROM batches WHERE shard = ? AND terminal = ? AND epoch = ? "+
		"AND recorded_at <= ? AND branch = 0 ORDER BY recorded_at DESC LIMIT 1", shard.Of(w.ID), idBytes(w.ID), w.Epoch, before).Scan(ctx, &last)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

// AddExceptions implements ingest.Store.
func (db *DB) AddExceptions(ctx context.Context, rows []ledger.Exception) error {
	return db.insert(ctx, "INSERT INTO exceptions ("+exceptionColumns+")", convert(rows, func(e ledger.Exception) row {
		return row{
			e.Shard, idBytes(e.ID), string(e.Kind), e.State, e.Liable, e.Cause, hashBytes(e.Source), idBytes(e.Terminal), e.Epoch, e.Seq,
			idBytes(e.Store), idBytes(e.Account), idBytes(e.Member), e.Unit, e.Amount, e.Currency, e.Money, e.OccurredAt, e.RecordedAt, hashBytes(e.ExplainedBy), string(e.Attribution),
		}
	}), "ON CONFLICT DO NOTHING")
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
