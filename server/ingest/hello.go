package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Hello answers a terminal's opening: the last head that both have, from which on
// it must send. The caller signs.
//
// When HQ is behind what it once acknowledged (it was restored), that is simply
// HQ's head. When HQ does not know the terminal's head, but knows the last one it
// acknowledged to it, that is where the terminal begins again: what HQ has after it
// may be another branch's, and what it has already changes nothing. When the
// terminal's heads contradict HQ's, HaveSeq is the one before the oldest entry the
// terminal keeps and HaveHash is empty: all that it keeps is wanted as evidence.
func (s *Service) Hello(ctx context.Context, t Terminal, h wire.Hello, now time.Time) (wire.Welcome, error) {
	if h.V < wire.MinVersion || h.V > wire.Version {
		return wire.Welcome{}, problem.Newf(problem.WireVersion, "hello has version %d", h.V)
	}
	if h.Terminal != t.ID || h.Epoch != t.Epoch {
		return wire.Welcome{}, problem.New(problem.BatchInvalid, "the hello is another terminal's or another epoch's")
	}
	w := journal.Writer{ID: t.ID, Epoch: t.Epoch}
	answer := wire.Welcome{
		V: wire.Version, HQ: s.o.HQ, HQEpoch: s.o.HQEpoch, Terminal: t.ID, Epoch: t.Epoch,
		MaxEntries: wire.MaxBatchEntries, MaxBytes: wire.MaxBatchBytes, HQTime: now.UnixMilli(),
	}
	err := s.o.Store.InTx(ctx, func(ctx context.Context) error {
		branches, err := s.o.Store.LockBranches(ctx, w, t.Store)
		if err != nil {
			return fmt.Errorf("lock journal: %w", err)
		}
		if err := s.common(ctx, w, branches, h, &answer); err != nil {
			return err
		}
		if err := s.settleWitnessed(ctx, w, branches); err != nil {
			return err
		}
		seen, err := s.o.Store.LastWitnessed(ctx, w)
		if err != nil {
			return fmt.Errorf("read what was witnessed: %w", err)
		}
		answer.Witnessed = seen.Signed
		b := branches[0]
		kept, err := s.o.Store.LastBatchBefore(ctx, w, now.Add(-s.o.Retain).UnixMilli())
		if err != nil {
			return fmt.Errorf("read retention: %w", err)
		}
		b.RetainSeq, b.LastContact = max(b.RetainSeq, kept), now.UnixMilli()
		answer.RetainSeq = min(b.RetainSeq, answer.HaveSeq)
		return s.o.Store.TouchBranch(ctx, b)
	})
	return answer, err
}

// common finds the last head that HQ and the terminal share.
func (s *Service) common(ctx context.Context, w journal.Writer, branches []Branch, h wire.Hello, answer *wire.Welcome) error {
	have := func(head journal.Head) error {
		answer.HaveSeq, answer.HaveHash = head.Seq, slices.Clone(head.Hash[:])
		return nil
	}
	mine, acked := headOf(h.HeadSeq, h.HeadHash), headOf(h.AckedSeq, h.AckedHash)
	contradicted := false
	for _, c := range []journal.Head{mine, acked} {
		if c.Seq == 0 || c.Seq > branches[0].Head.Seq && len(branches) == 1 {
			continue // HQ is behind, which is not a contradiction
		}
		stored, err := s.o.Store.StoredHeads(ctx, w, c.Seq, c.Seq)
		if err != nil {
			return fmt.Errorf("read stored entries: %w", err)
		}
		for _, e := range stored {
			switch {
			case e.Head != c:
			case c == mine:
				return have(branches[e.Branch].Head)
			default:
				return have(acked)
			}
		}
		contradicted = contradicted || len(stored) > 0
	}
	if contradicted {
		answer.HaveSeq = max(h.FirstSeq, 1) - 1
		return nil
	}
	return have(branches[0].Head)
}

func headOf(seq uint64, hash []byte) journal.Head {
	head := journal.Head{Seq: seq}
	if seq > 1<<63-1 {
		head.Seq = 0
	}
	copy(head.Hash[:], hash)
	return head
}
