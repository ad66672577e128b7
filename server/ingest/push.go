package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// run is a batch that has been verified: its checkpoint signs a head that its
// entries lead to from prev.
type run struct {
	terminal Terminal
	writer   journal.Writer
	batch    wire.Batch
	prev     journal.Head
	heads    []journal.Hash
	now      time.Time
}

func (r run) at(i int) journal.Head {
	return journal.Head{Seq: r.batch.First + uint64(i), Hash: r.heads[i]}
}

func (r run) key() BatchKey {
	return BatchKey{Writer: r.writer, First: r.batch.First, Head: r.at(len(r.heads) - 1)}
}

// Push makes a batch durable and returns HQ's receipt, the CBOR of a wire.Signed.
// The same batch gets the same bytes again. Entries that HQ has are passed over; a
// journal that contradicts what HQ has is kept as a branch beside it, and its
// terminal put in quarantine.
//
// The errors are problem.BatchInvalid, BatchTooLarge, BatchSignature, WireVersion,
// Backpressure, and BatchGap, whose field "want_seq" is the number of the entry
// that HQ needs first. Nothing was stored then.
func (s *Service) Push(ctx context.Context, t Terminal, b wire.Batch, now time.Time) ([]byte, error) {
	receipt, _, err := s.push(ctx, t, b, now)
	return receipt, err
}

func (s *Service) push(ctx context.Context, t Terminal, b wire.Batch, now time.Time) (receipt []byte, added int, err error) {
	if err := checkShape(t, b); err != nil {
		return nil, 0, err
	}
	release, err := s.o.Limiter.acquire(len(b.Entries))
	if err != nil {
		return nil, 0, err
	}
	defer release()
	r, err := verify(t, b, now)
	if err != nil {
		return nil, 0, err
	}
	receipt, err = s.o.Store.FindReceipt(ctx, r.key())
	if err != nil {
		return nil, 0, fmt.Errorf("look for receipt: %w", err)
	}
	if receipt != nil {
		return receipt, 0, nil
	}
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		receipt, added, err = s.take(ctx, r)
		if err == nil && added > 0 && s.o.Wake != nil {
			s.o.Store.AfterCommit(ctx, s.o.Wake)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return receipt, added, nil
}

// checkShape refuses what is out of the wire's limits before any work is done on it.
func checkShape(t Terminal, b wire.Batch) error {
	switch {
	case b.V < wire.MinVersion || b.V > wire.Version:
		return problem.Newf(problem.WireVersion, "batch has version %d", b.V)
	case b.Terminal != t.ID || b.Epoch != t.Epoch:
		return problem.New(problem.BatchInvalid, "the batch is another terminal's or another epoch's")
	case len(b.Entries) == 0 || b.First == 0 || b.First > math.MaxInt64-wire.MaxBatchEntries:
		return problem.New(problem.BatchInvalid, "the batch has no entries or an impossible first number")
	case len(b.Prev) != len(journal.Hash{}) || len(b.Head) != len(journal.Hash{}):
		return problem.New(problem.BatchInvalid, "a hash has the wrong length")
	case b.First == 1 && journal.Hash(b.Prev) != journal.Genesis:
		return problem.New(problem.BatchInvalid, "the first entry follows nothing")
	case len(b.Entries) > wire.MaxBatchEntries:
		return problem.Newf(problem.BatchTooLarge, "%d entries, at most %d", len(b.Entries), wire.MaxBatchEntries)
	}
	size := 0
	for i, e := range b.Entries {
		if len(e) == 0 || len(e) > entry.MaxSize {
			return problem.Newf(problem.BatchInvalid, "entry %d has %d bytes", b.First+uint64(i), len(e))
		}
		size += len(e)
	}
	if size > wire.MaxBatchBytes {
		return problem.Newf(problem.BatchTooLarge, "%d bytes of entries, at most %d", size, wire.MaxBatchBytes)
	}
	return nil
}

// verify checks the one signature and that the entries lead to the signed head.
func verify(t Terminal, b wire.Batch, now time.Time) (run, error) {
	r := run{
		terminal: t, writer: journal.Writer{ID: t.ID, Epoch: t.Epoch}, batch: b, now: now,
		prev: journal.Head{Seq: b.First - 1, Hash: journal.Hash(b.Prev)},
	}
	cp := journal.Checkpoint{
		Writer: r.writer, First: b.First, Last: b.Last(), Head: journal.Hash(b.Head), Signature: b.Signature,
	}
	heads, err := journal.VerifyRun(r.writer, r.prev, b.Entries, cp, t.PublicKey)
	var unsigned *journal.SignatureError
	switch {
	case errors.As(err, &unsigned):
		return r, problem.Wrap(problem.BatchSignature, err, "the checkpoint is not signed by this terminal's key")
	case err != nil:
		return r, problem.Wrap(problem.BatchInvalid, err, "the entries do not lead to the signed head")
	}
	r.heads = heads
	if n := t.Proven.Seq; n >= b.First && n <= b.Last() && r.at(int(n-b.First)) != t.Proven {
		r.terminal.Proven = journal.Head{} // another branch than the one HQ once had
	}
	return r, nil
}

// take stores what is new of a run, under the lock of the terminal's journal.
func (s *Service) take(ctx context.Context, r run) (receipt []byte, added int, err error) {
	branches, err := s.o.Store.LockBranches(ctx, r.writer, r.terminal.Store)
	if err != nil {
		return nil, 0, fmt.Errorf("lock journal: %w", err)
	}
	// Sent twice at the same time: the other one was first.
	if receipt, err := s.o.Store.FindReceipt(ctx, r.key()); err != nil || receipt != nil {
		return receipt, 0, err
	}
	p, err := s.place(ctx, branches, r)
	if err != nil {
		return nil, 0, err
	}
	var entries []ledger.Entry
	retain := branches[0].RetainSeq
	for _, piece := range p.pieces {
		b := piece.branch
		added := r.entries(&b, piece.from, piece.to)
		b.LastContact = r.now.UnixMilli()
		if err := s.o.Store.SaveEntries(ctx, b, added); err != nil {
			return nil, 0, fmt.Errorf("store entries: %w", err)
		}
		entries = append(entries, added...)
	}
	receipt, err = wire.Seal(s.o.Signer, wire.DomainReceipt, wire.Receipt{
		V: wire.Version, HQ: s.o.HQ, HQEpoch: s.o.HQEpoch, Terminal: r.terminal.ID, Epoch: r.terminal.Epoch,
		Seq: r.batch.Last(), Hash: r.batch.Head, RecordedAt: r.now.UnixMilli(), RetainSeq: min(retain, r.batch.Last()),
	})
	if err != nil {
		return nil, 0, fmt.Errorf("sign receipt: %w", err)
	}
	err = s.o.Store.SaveBatch(ctx, BatchRow{
		BatchKey: r.key(), Prev: r.prev.Hash, Branch: p.on, PublicKey: r.terminal.PublicKey,
		Signature: r.batch.Signature, RecordedAt: r.now.UnixMilli(), Receipt: receipt,
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store batch: %w", err)
	}
	if err := s.report(ctx, r, p, entries); err != nil {
		return nil, 0, err
	}
	if err := s.checkWitnessed(ctx, r); err != nil {
		return nil, 0, err
	}
	return receipt, len(entries), s.takeWitnesses(ctx, entries)
}

// entries makes the rows of the run's entries from an index to another, and moves
// the branch over them. Effective time never runs back along a branch and never lies after
// the time of arrival.
func (r run) entries(b *Branch, from, to int) []ledger.Entry {
	out := make([]ledger.Entry, 0, to-from)
	for i := from; i < to; i++ {
		e := classify(r.terminal, r.at(i), r.batch.Entries[i], r.now)
		e.Branch = b.Branch
		e.EffectiveAt = min(max(e.OccurredAt, b.EffectiveAt), e.RecordedAt)
		b.EffectiveAt = max(b.EffectiveAt, e.EffectiveAt)
		b.Head = r.at(i)
		out = append(out, e)
	}
	return out
}

func gap(want uint64) error {
	p := problem.Newf(problem.BatchGap, "send entries from number %d on", want)
	p.Fields = map[string]string{"want_seq": strconv.FormatUint(want, 10)}
	return p
}
