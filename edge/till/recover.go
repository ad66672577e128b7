package till

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Recovery says what Recover found.
type Recovery struct {
	Replayed uint64 // entries taken from the journal into the state store
	Rebuilt  bool   // the state store was empty or did not belong to this journal
}

// Recover brings the state store up to the journal's head and starts the till. The
// till then writes to the state store until Close. It may be called once.
func (t *Till) Recover(ctx context.Context) (Recovery, error) {
	t.gate.Lock()
	defer t.gate.Unlock()
	r, err := t.recover(ctx)
	if err != nil {
		return r, fmt.Errorf("recover till: %w", err)
	}
	t.open = true
	return r, nil
}

func (t *Till) recover(ctx context.Context) (Recovery, error) {
	head := t.cfg.Journal.Head()
	position, rebuilt, err := t.position(ctx, head)
	if err != nil {
		return Recovery{}, err
	}
	if err := t.startTime(ctx, head); err != nil {
		return Recovery{}, err
	}
	if err := t.loadCatalogue(ctx); err != nil {
		return Recovery{}, err
	}
	first := position.Seq + 1
	if head.Seq > position.Seq {
		first = max(first, t.cfg.Journal.First())
	}
	if err := t.rememberPruned(ctx, position.Seq+1, first); err != nil {
		return Recovery{}, err
	}
	if err := t.forgetSpent(ctx); err != nil {
		return Recovery{}, err
	}
	t.startWriter(first)
	if err := t.replay(ctx, first, head.Seq); err != nil {
		return Recovery{}, err
	}
	if err := t.recallHeads(ctx); err != nil {
		return Recovery{}, err
	}
	if err := t.loadDays(ctx); err != nil {
		return Recovery{}, err
	}
	if err := t.recount(ctx, t.link.counted()); err != nil {
		return Recovery{}, err
	}
	r := Recovery{Replayed: head.Seq + 1 - first, Rebuilt: head.Seq > 0 && (rebuilt || t.cfg.CacheRebuilt)}
	return r, t.firstEntry(ctx, head, r)
}

// position returns through which entry the state store is complete. A store that
// knows another journal, or a longer one, is emptied.
func (t *Till) position(ctx context.Context, head journal.Head) (journal.Head, bool, error) {
	var position journal.Head
	var found bool
	err := t.cfg.State.View(ctx, func(v View) (err error) {
		if t.link, _, err = get[link](v, TableMeta, keyLink); err != nil {
			return err
		}
		position, found, err = get[journal.Head](v, TableMeta, keyPosition)
		return err
	})
	if err != nil {
		return journal.Head{}, false, fmt.Errorf("read position: %w", err)
	}
	if !found {
		return journal.Head{}, true, nil
	}
	if position.Seq <= head.Seq {
		hash, err := t.cfg.Journal.HashAt(ctx, position.Seq)
		if err == nil && hash == position.Hash {
			return position, false, nil
		}
		if err != nil && !gone(err) {
			return journal.Head{}, false, fmt.Errorf("compare position: %w", err)
		}
	}
	if err := t.cfg.State.Reset(ctx); err != nil {
		return journal.Head{}, false, fmt.Errorf("empty the state store: %w", err)
	}
	t.link = link{}
	return journal.Head{}, true, nil
}

// rememberPruned notes that entries from first on, up to the first one kept, are gone
// and not in the state store either: grants from before then may have been spent there.
func (t *Till) rememberPruned(ctx context.Context, first, kept uint64) error {
	if kept > first {
		at, err := t.occurredAt(ctx, kept, t.cfg.Journal.Head())
		if err != nil {
			return err
		}
		c, err := put(TableMeta, keyKept, at.UnixMilli())
		if err != nil {
			return err
		}
		if err := t.cfg.State.Apply(ctx, []Change{c}); err != nil {
			return fmt.Errorf("note what is pruned: %w", err)
		}
	}
	err := t.cfg.State.View(ctx, func(v View) (err error) {
		t.keptSince, _, err = get[int64](v, TableMeta, keyKept)
		return err
	})
	if err != nil {
		return fmt.Errorf("read what is pruned: %w", err)
	}
	return nil
}

// forgetSpent is MutantForgetSpent: a start knows nothing of what was spent of rights.
func (t *Till) forgetSpent(ctx context.Context) error {
	if t.cfg.Mutant != MutantForgetSpent {
		return nil
	}
	var gone []Change
	err := t.cfg.State.View(ctx, func(v View) error {
		return v.Scan(TableUse, nil, nil, func(key, _ []byte) error {
			gone = append(gone, Change{TableUse, bytes.Clone(key), nil})
			return nil
		})
	})
	if err == nil && len(gone) > 0 {
		err = t.cfg.State.Apply(ctx, gone)
	}
	return err
}

// startTime sets the clocks from the last entry and HQ's last word.
func (t *Till) startTime(ctx context.Context, head journal.Head) error {
	heard := t.cfg.EnrolledAt
	if at := time.UnixMilli(t.link.HQTime); t.link.HQTime != 0 && at.After(heard) {
		heard = at
	}
	var last time.Time
	if head.Seq > 0 {
		run, err := t.cfg.Journal.Read(ctx, head.Seq, 1, entry.MaxSize)
		if err != nil {
			return fmt.Errorf("read the last entry: %w", err)
		}
		e, err := entry.Decode(run.Entries[0])
		if err != nil {
			return fmt.Errorf("read the last entry: %w", err)
		}
		t.hlc.Observe(e.HLC)
		last = e.At()
	}
	t.time.start(heard, last)
	return t.recallSaid(ctx)
}

// replayChunk bounds what is read from the journal at once.
const (
	replayChunk = 256
	replayBytes = 1 << 20
)

// replay derives the state of the entries first to last anew.
func (t *Till) replay(ctx context.Context, first, last uint64) error {
	for first <= last {
		run, err := t.cfg.Journal.Read(ctx, first, replayChunk, replayBytes)
		if err != nil {
			return fmt.Errorf("replay from entry %d: %w", first, err)
		}
		if len(run.Entries) == 0 {
			return fmt.Errorf("replay from entry %d: the journal has none", first)
		}
		for i, raw := range run.Entries {
			at := journal.Head{Seq: first + uint64(i), Hash: run.Hashes[i]}
			d, err := t.derive(ctx, at.Seq, raw)
			if err != nil {
				return fmt.Errorf("replay: %w", err)
			}
			if err := t.enter(at, d); err != nil {
				return fmt.Errorf("replay: %w", err)
			}
		}
		first += uint64(len(run.Entries))
	}
	return nil
}

// recount counts what the caps of the terminal look at: the entries HQ has not applied,
// and those after the last head that somebody witnessed.
func (t *Till) recount(ctx context.Context, applied uint64) error {
	witnessed := t.witness.at()
	entries := map[uint64]spend{}
	err := t.look(ctx, func(l look) error {
		return l.scan(TableSpend, nil, seqKey(min(applied, witnessed)+1), func(key, value []byte) error {
			s, err := decode[spend](TableSpend, value)
			entries[seqOf(key)] = s
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("count what is not applied: %w", err)
	}
	t.caps.restart(applied, witnessed, entries)
	return nil
}

// firstEntry journals what this start has to say: who begins an epoch, or that the
// state store is new.
func (t *Till) firstEntry(ctx context.Context, head journal.Head, r Recovery) error {
	now, _ := t.time.now()
	w := t.cfg.Writer
	var err error
	switch {
	case head.Seq == 0:
		_, err = t.append(ctx, now, entry.KindEnrolled, entry.Enrolled{
			Terminal: w.ID, Store: t.cfg.Store, Epoch: w.Epoch,
			PublicKey: t.cfg.PublicKey, HQ: t.cfg.HQ, Software: t.cfg.Software,
		})
	case r.Rebuilt:
		_, err = t.append(ctx, now, entry.KindNote, entry.Note{
			Code: entry.NoteCacheRebuilt, Values: []int64{int64(r.Replayed)},
		})
	}
	if problem.CodeOf(err) == problem.JournalFork {
		// Others have seen entries that are not here: no number is left for a note, and
		// the till starts all the same, to deliver what it has.
		return nil
	}
	return err
}
