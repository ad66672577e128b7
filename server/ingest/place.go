package ingest

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

// piece is a stretch of a run's entries, by index from inclusive to exclusive,
// that HQ does not have, and the branch it extends or opens.
type piece struct {
	branch   Branch
	from, to int
}

// placement says where the new entries of a run belong. Nearly always that is one
// piece on branch 0. On is the branch of the run's last entry, fork what it proves.
type placement struct {
	pieces []piece
	on     int
	fork   *journal.ForkError
}

// place finds where a run belongs among the branches of its journal.
//
// New entries that follow a branch's head extend that branch. Those that follow an
// inner entry, or contradict the entry HQ has in their place, open a new branch:
// both entries are signed by the terminal's key, which proves a clone or a
// rollback. A run that begins after everything HQ knows is a gap.
func (s *Service) place(ctx context.Context, branches []Branch, r run) (placement, error) {
	for i, b := range branches {
		if b.Head == r.prev {
			return placement{pieces: []piece{{b, 0, len(r.heads)}}, on: i}, nil
		}
	}
	top := branches[0].Head.Seq
	for _, b := range branches {
		top = max(top, b.Head.Seq)
	}
	if r.prev.Seq > top {
		return placement{}, gap(branches[0].Head.Seq + 1)
	}
	stored, err := s.o.Store.StoredHeads(ctx, r.writer, max(1, r.prev.Seq), r.batch.Last())
	if err != nil {
		return placement{}, fmt.Errorf("read stored entries: %w", err)
	}
	return r.among(branches, stored), nil
}

// among places a run that does not simply follow a head.
func (r run) among(branches []Branch, stored []Stored) placement {
	have := make(map[journal.Head]int, len(stored))
	for _, e := range stored {
		have[e.Head] = e.Branch
	}
	var p placement
	_, anchored := have[r.prev]
	last, anchored := r.prev, anchored || r.prev == journal.Head{}
	for i := 0; i < len(r.heads); {
		if branch, ok := have[r.at(i)]; ok {
			p.on, last, anchored = branch, r.at(i), true
			i++
			continue
		}
		next := piece{from: i, to: i + 1}
		for next.to < len(r.heads) {
			if _, ok := have[r.at(next.to)]; ok {
				break
			}
			next.to++
		}
		found := false
		for _, b := range branches {
			if anchored && b.Head == last {
				next.branch, found = b, true
			}
		}
		if !found {
			next.branch, p.fork = r.fork(branches, stored, i, last, anchored)
			branches = append(branches, next.branch)
		}
		p.pieces, p.on = append(p.pieces, next), next.branch.Branch
		i = next.to
	}
	return p
}

// fork opens a branch for the new entries of a run from index i on, and names the
// number at which two entries differ.
func (r run) fork(branches []Branch, stored []Stored, i int, last journal.Head, anchored bool) (Branch, *journal.ForkError) {
	at, got := r.at(i).Seq, r.heads[i]
	if !anchored {
		at, got = r.prev.Seq, r.prev.Hash
	}
	fork := &journal.ForkError{Seq: at, Got: got}
	for _, e := range stored {
		if e.Seq == at {
			fork.Known = e.Hash
			break
		}
	}
	return Branch{
		Writer: r.writer, Store: r.terminal.Store, Branch: len(branches), From: last, Head: last,
		EffectiveAt: branches[0].EffectiveAt, RetainSeq: branches[0].RetainSeq,
	}, fork
}

// report raises the exceptions of a batch and quarantines the terminal of a fork.
func (s *Service) report(ctx context.Context, r run, p placement, entries []ledger.Entry) error {
	var rows []ledger.Exception
	for _, e := range entries {
		if e.State == ledger.Quarantined {
			rows = append(rows, exception(e, ledger.Unreadable, "programme", "the entry's bytes cannot be read"))
		}
	}
	if p.fork != nil {
		x := exception(entries[0], ledger.Fork, "store", p.fork.Error())
		x.Amount = int64(p.fork.Seq)
		rows = append(rows, x)
	}
	if p.fork != nil && r.terminal.State == StateEnrolled { // not for evidence of an epoch that has ended
		if err := s.o.Fleet.Quarantine(ctx, r.terminal.ID, p.fork.Error()); err != nil {
			return fmt.Errorf("quarantine terminal: %w", err)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.o.Store.AddExceptions(ctx, rows); err != nil {
		return fmt.Errorf("write exceptions: %w", err)
	}
	return nil
}

// exception is about the journal itself, so it lies in the terminal's shard.
func exception(e ledger.Entry, kind ledger.ExceptionKind, liable, cause string) ledger.Exception {
	return ledger.Exception{
		ID: uuid.NewSHA1(uuid.Nil, append(e.Hash[:], string(kind)+"/"+strconv.Itoa(0)...)), Shard: shard.Of(e.Terminal),
		Kind: kind, State: ledger.ExceptionOpen, Liable: liable, Cause: cause, Source: e.Hash, Terminal: e.Terminal,
		Epoch: e.Epoch, Seq: e.Seq, Store: e.Store, OccurredAt: e.OccurredAt, RecordedAt: e.RecordedAt,
	}
}
