package ingest

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
)

// Branch is what HQ knows of one journal of a terminal, or of one branch of it
// after a fork. From is the head its first entry follows. EffectiveAt is that of
// the last entry.
type Branch struct {
	journal.Writer
	Store       uuid.UUID
	Branch      int
	From        journal.Head
	Head        journal.Head
	EffectiveAt int64
	RetainSeq   uint64
	LastContact int64
}

// BatchKey is what makes two batches the same one.
type BatchKey struct {
	journal.Writer
	First uint64
	Head  journal.Head // of the last entry
}

// BatchRow is a batch as accepted: its checkpoint and HQ's answer.
type BatchRow struct {
	BatchKey
	Prev       journal.Hash
	Branch     int
	PublicKey  []byte
	Signature  []byte
	RecordedAt int64
	Receipt    []byte
}

// Stored is an entry that HQ has already.
type Stored struct {
	journal.Head
	Branch int
}

// Store is the storage ingest needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	AfterCommit(ctx context.Context, fn func())
	// FindReceipt returns the receipt of a batch, or nil.
	FindReceipt(ctx context.Context, key BatchKey) ([]byte, error)
	// LockBranches returns the branches of a journal, at least number 0, in order,
	// locked until the transaction ends.
	LockBranches(ctx context.Context, w journal.Writer, store uuid.UUID) ([]Branch, error)
	// Branches returns the branches of a journal without locking them.
	Branches(ctx context.Context, w journal.Writer) ([]Branch, error)
	// StoredHeads returns the stored entries with numbers from first to last, in order.
	StoredHeads(ctx context.Context, w journal.Writer, first, last uint64) ([]Stored, error)
	// SaveEntries writes new entries and the branch they lead to.
	SaveEntries(ctx context.Context, b Branch, entries []ledger.Entry) error
	SaveBatch(ctx context.Context, row BatchRow) error
	// TouchBranch writes when a journal was last heard of and what it must retain.
	TouchBranch(ctx context.Context, b Branch) error
	// LastBatchBefore returns the last number acknowledged on branch 0 by a time, or zero.
	LastBatchBefore(ctx context.Context, w journal.Writer, before int64) (uint64, error)
	AddExceptions(ctx context.Context, rows []ledger.Exception) error
	WitnessStore
}
