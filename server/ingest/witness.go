package ingest

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Witnessed is a head of a terminal that another one was shown and HQ has no entry
// for yet. By is the entry that says so.
type Witnessed struct {
	journal.Writer
	journal.Head
	By         ledger.Entry // terminal, epoch, seq, hash, store and times only
	Signed     wire.SignedHead
	RecordedAt int64
}

// WitnessStore keeps the heads that terminals have seen of each other, in the shard of
// the terminal whose head it is. Methods join the transaction in ctx.
type WitnessStore interface {
	SaveWitnessed(ctx context.Context, w Witnessed) error
	// WitnessedBetween returns what was seen of a journal at numbers from first to last.
	WitnessedBetween(ctx context.Context, w journal.Writer, first, last uint64) ([]Witnessed, error)
	// LastWitnessed returns the highest head seen of a journal, or a zero one.
	LastWitnessed(ctx context.Context, w journal.Writer) (Witnessed, error)
	DropWitnessed(ctx context.Context, w journal.Writer, first, last uint64) error
}

// takeWitnesses compares what the entries have seen of other terminals with what HQ
// has of those.
func (s *Service) takeWitnesses(ctx context.Context, entries []ledger.Entry) error {
	for _, e := range entries {
		if e.Kind != entry.KindWitness || e.State != ledger.Accepted {
			continue
		}
		env, err := entry.Decode(e.Raw)
		if err != nil {
			continue // accepted, so it was read a moment ago
		}
		seen, err := entry.DecodeBody[entry.Witness](env)
		if err != nil || seen.Writer == e.Terminal {
			continue
		}
		if err := s.takeWitness(ctx, e, seen); err != nil {
			return fmt.Errorf("take witness %d of terminal %s: %w", e.Seq, e.Terminal, err)
		}
	}
	return nil
}

func (s *Service) takeWitness(ctx context.Context, by ledger.Entry, seen entry.Witness) error {
	shown, proven, err := s.openHead(ctx, seen, wire.SignedHead{Head: seen.Head, Signature: seen.Signature})
	if err != nil {
		return err
	}
	if !proven {
		return s.unproven(ctx, by)
	}
	if seen.Finding != entry.WitnessSeen {
		known, proven, err := s.openHead(ctx, seen, wire.SignedHead{Head: seen.Known, Signature: seen.KnownSignature})
		if err != nil {
			return err
		}
		if finding := wire.Contradicts(known, shown); !proven || finding != seen.Finding {
			return s.unproven(ctx, by)
		}
		return s.accuse(ctx, by, shown, fmt.Sprintf("%s: terminal %s was shown two signed heads, %s and %s",
			seen.Finding, by.Terminal, name(known), name(shown)))
	}
	writer, at := journal.Writer{ID: shown.Terminal, Epoch: shown.Epoch}, journal.Head{Seq: shown.Seq, Hash: journal.Hash(shown.Hash)}
	stored, err := s.o.Store.StoredHeads(ctx, writer, at.Seq, at.Seq)
	if err != nil {
		return fmt.Errorf("read stored entries: %w", err)
	}
	for _, e := range stored {
		if e.Head == at {
			return nil
		}
	}
	if len(stored) > 0 {
		return s.accuse(ctx, by, shown, fmt.Sprintf("fork: terminal %s was shown %s, which HQ has with another hash", by.Terminal, name(shown)))
	}
	return s.o.Store.SaveWitnessed(ctx, Witnessed{
		Writer: writer, Head: at, By: by, Signed: wire.SignedHead{Head: seen.Head, Signature: seen.Signature}, RecordedAt: by.RecordedAt,
	})
}

// openHead checks that a head is signed with the key its terminal had in its epoch.
func (s *Service) openHead(ctx context.Context, seen entry.Witness, signed wire.SignedHead) (head wire.Head, proven bool, err error) {
	head, err = wire.Unmarshal[wire.Head](signed.Head)
	if err != nil || head.Terminal != seen.Writer {
		return head, false, nil
	}
	t, err := s.o.Fleet.Deliverer(ctx, head.Terminal, head.Epoch)
	if problem.CodeOf(err) == problem.NotEnrolled {
		return head, false, nil
	}
	if err != nil {
		return head, false, err
	}
	head, err = wire.OpenHead(t.PublicKey, signed)
	return head, err == nil, nil
}

// unproven reports a witness that proves nothing. It accuses nobody.
func (s *Service) unproven(ctx context.Context, by ledger.Entry) error {
	x := exception(by, ledger.InvalidEntry, "store", "the witnessed head is not signed by its terminal, or does not contradict the other")
	return s.o.Store.AddExceptions(ctx, []ledger.Exception{x})
}

// accuse raises an exception about a terminal for what another one, or two, hold
// against it, and puts it in quarantine when that is about its present epoch.
func (s *Service) accuse(ctx context.Context, by ledger.Entry, shown wire.Head, cause string) error {
	x := exception(by, ledger.Fork, "store", cause)
	x.ID = uuid.NewSHA1(shown.Terminal, append(by.Hash[:], "witness"...))
	x.Shard, x.Terminal, x.Epoch, x.Seq, x.Amount = shard.Of(shown.Terminal), shown.Terminal, shown.Epoch, shown.Seq, int64(shown.Seq)
	if err := s.o.Store.AddExceptions(ctx, []ledger.Exception{x}); err != nil {
		return fmt.Errorf("write exception: %w", err)
	}
	t, err := s.o.Fleet.Deliverer(ctx, shown.Terminal, shown.Epoch)
	if err != nil {
		return fmt.Errorf("find terminal: %w", err)
	}
	if t.State != StateEnrolled {
		return nil // the epoch has ended, or the terminal is shut out already
	}
	if err := s.o.Fleet.Quarantine(ctx, shown.Terminal, cause); err != nil {
		return fmt.Errorf("quarantine terminal: %w", err)
	}
	return nil
}

// checkWitnessed compares a terminal's own new entries with what others have seen of
// it. What agrees is settled and forgotten.
func (s *Service) checkWitnessed(ctx context.Context, r run) error {
	last := r.batch.Last()
	rows, err := s.o.Store.WitnessedBetween(ctx, r.writer, r.batch.First, last)
	if err != nil {
		return fmt.Errorf("read what was witnessed: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	for _, w := range rows {
		if r.heads[w.Seq-r.batch.First] == w.Hash {
			continue
		}
		shown := wire.Head{Terminal: r.writer.ID, Epoch: r.writer.Epoch, Seq: w.Seq, Hash: w.Hash[:]}
		if err := s.accuse(ctx, w.By, shown, fmt.Sprintf("fork: terminal %s was shown %s, and another one was delivered", w.By.Terminal, name(shown))); err != nil {
			return err
		}
	}
	return s.o.Store.DropWitnessed(ctx, r.writer, r.batch.First, last)
}

// settleWitnessed does for a whole journal what checkWitnessed does for a batch: an
// entry and the head that another one was shown of it may have been stored at the same
// moment, neither seeing the other.
func (s *Service) settleWitnessed(ctx context.Context, writer journal.Writer, branches []Branch) error {
	var top uint64
	for _, b := range branches {
		top = max(top, b.Head.Seq)
	}
	rows, err := s.o.Store.WitnessedBetween(ctx, writer, 1, top)
	if err != nil {
		return fmt.Errorf("read what was witnessed: %w", err)
	}
	for _, w := range rows {
		stored, err := s.o.Store.StoredHeads(ctx, writer, w.Seq, w.Seq)
		if err != nil {
			return fmt.Errorf("read stored entries: %w", err)
		}
		if len(stored) == 0 || slices.ContainsFunc(stored, func(e Stored) bool { return e.Head == w.Head }) {
			continue
		}
		shown := wire.Head{Terminal: writer.ID, Epoch: writer.Epoch, Seq: w.Seq, Hash: w.Hash[:]}
		if err := s.accuse(ctx, w.By, shown, fmt.Sprintf("fork: terminal %s was shown %s, and another one was delivered", w.By.Terminal, name(shown))); err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return s.o.Store.DropWitnessed(ctx, writer, 1, top)
}

func name(h wire.Head) string { return fmt.Sprintf("entry %d (%x)", h.Seq, h.Hash[:4]) }
