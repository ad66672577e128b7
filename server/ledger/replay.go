package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// Recorded is the order in which another ledger applied the same facts.
type Recorded interface {
	// AppliedSets returns sets of a shard after a position, in order.
	AppliedSets(ctx context.Context, shard int, after uint64, limit int) ([]AppliedSet, error)
	AuditSources(ctx context.Context, shard int) ([]SourceRow, error)
}

// Replayed counts what a replay did. Unordered are facts whose order is not known,
// because an earlier release applied them; Missed are those in the journals that the
// recorded order does not name.
type Replayed struct {
	Facts, Unordered, Missed int
}

// replayPage is how many sets are read at once.
const replayPage = 200

// Replay posts into empty books what the journals beside them say, set by set in the
// recorded order, so that every row comes out as it was: what a fact does follows
// from its bytes and from the rows that are there when its turn comes. Facts that the
// order does not name are posted last; where the order of some was not recorded those
// are folded first, and only sums come out the same.
func (l *Ledger) Replay(ctx context.Context, recorded Recorded) (Replayed, error) {
	var done Replayed
	for in := range shard.Count {
		if err := l.replayShard(ctx, recorded, in, &done); err != nil {
			return done, fmt.Errorf("replay shard %d: %w", in, err)
		}
	}
	if err := l.replayMissed(ctx, &done); err != nil {
		return done, fmt.Errorf("replay facts without a place: %w", err)
	}
	return done, l.openRest(ctx)
}

func (l *Ledger) replayShard(ctx context.Context, recorded Recorded, in int, done *Replayed) error {
	if err := l.replayUnordered(ctx, recorded, in, done); err != nil {
		return err
	}
	for at := uint64(0); ; {
		sets, err := recorded.AppliedSets(ctx, in, at, replayPage)
		if err != nil || len(sets) == 0 {
			return err
		}
		for _, set := range sets {
			at = set.Pos
			steps, err := wire.Unmarshal[[]Step](set.Facts)
			if err == nil {
				err = l.replaySet(ctx, in, steps)
			}
			if err != nil {
				return fmt.Errorf("set %d: %w", set.Pos, err)
			}
			done.Facts += len(steps)
		}
	}
}

// replayUnordered folds the facts of a shard that come before its recorded order.
func (l *Ledger) replayUnordered(ctx context.Context, recorded Recorded, in int, done *Replayed) error {
	first, err := recorded.AppliedSets(ctx, in, 0, 1)
	if err != nil || len(first) == 1 && first[0].Pos == 1 {
		return err
	}
	rows, err := recorded.AuditSources(ctx, in)
	if err != nil || len(rows) == 0 {
		return err
	}
	named, err := recordedKeys(ctx, recorded, in)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r SourceRow) bool { return named[r.stepKey()] })
	facts, err := l.factsOf(ctx, rows)
	if err != nil {
		return err
	}
	if err := l.openAccounts(ctx, facts); err != nil {
		return err
	}
	slices.SortFunc(facts, byEffect)
	done.Unordered += len(facts)
	return l.postRouted(ctx, facts)
}

// stepKey tells the steps of one shard apart.
type stepKey struct {
	writer  uuid.UUID // nobody: HQ
	epoch   uint32
	seq     uint64
	account uuid.UUID
}

func (r SourceRow) stepKey() stepKey {
	k := stepKey{r.Writer, r.Epoch, r.Seq, r.Account}
	if r.Kind >= firstHQKind {
		k.writer = uuid.Nil
	}
	return k
}

func recordedKeys(ctx context.Context, recorded Recorded, in int) (map[stepKey]bool, error) {
	out := map[stepKey]bool{}
	for at := uint64(0); ; {
		sets, err := recorded.AppliedSets(ctx, in, at, replayPage)
		if err != nil || len(sets) == 0 {
			return out, err
		}
		for _, set := range sets {
			at = set.Pos
			steps, err := wire.Unmarshal[[]Step](set.Facts)
			if err != nil {
				return nil, fmt.Errorf("set %d: %w", set.Pos, err)
			}
			for _, s := range steps {
				out[stepKey{s.writer(), s.Epoch, s.Seq, s.account()}] = true
			}
		}
	}
}

func (s Step) writer() (id uuid.UUID)  { copy(id[:], s.Writer); return id }
func (s Step) account() (id uuid.UUID) { copy(id[:], s.Account); return id }

// replaySet applies one recorded set.
func (l *Ledger) replaySet(ctx context.Context, in int, steps []Step) error {
	entries, err := l.stepEntries(ctx, steps)
	if err != nil {
		return err
	}
	var facts, open []fact
	for _, step := range steps {
		f, ok, err := l.stepFact(ctx, in, step, entries)
		if err != nil {
			return err
		}
		switch {
		case !ok: // no journal has it: its source shows as a difference
		case step.Does == StepAwaits || step.Does == StepMatched || step.Does == StepAmbiguous:
			if err := l.replayMatch(ctx, f, step); err != nil {
				return err
			}
		default:
			facts = append(facts, f)
			if step.Does == StepFolded {
				open = append(open, f)
			}
		}
	}
	if err := l.openAccounts(ctx, open); err != nil {
		return err
	}
	slices.SortStableFunc(facts, byEffect)
	return l.postRouted(ctx, facts)
}

// stepEntries reads the entries of terminals that steps name.
func (l *Ledger) stepEntries(ctx context.Context, steps []Step) (map[stepKey][]Entry, error) {
	var keys []EntryKey
	for _, s := range steps {
		if len(s.Writer) > 0 {
			keys = append(keys, EntryKey{s.writer(), s.Epoch, s.Seq})
		}
	}
	found, err := l.o.Store.EntriesOf(ctx, keys)
	if err != nil {
		return nil, fmt.Errorf("read entries: %w", err)
	}
	out := make(map[stepKey][]Entry, len(found))
	for _, e := range found {
		k := stepKey{writer: e.Terminal, epoch: e.Epoch, seq: e.Seq}
		out[k] = append(out[k], e)
	}
	return out, nil
}

// stepFact is the fact of a step; ok is false when no journal has it.
func (l *Ledger) stepFact(ctx context.Context, in int, step Step, entries map[stepKey][]Entry) (f fact, ok bool, err error) {
	if len(step.Writer) == 0 {
		rows, err := l.o.Store.AuditHQEntries(ctx, in, step.Epoch, step.Seq-1, 1)
		if err != nil || len(rows) == 0 || rows[0].Seq != step.Seq {
			return fact{}, false, err
		}
		f, err = hqFactOf(hqjournal.WriterOf(l.o.HQ, in, step.Epoch).ID, rows[0])
		return f, err == nil, err
	}
	for _, e := range entries[stepKey{writer: step.writer(), epoch: step.Epoch, seq: step.Seq}] {
		if e.Branch != step.Branch {
			continue
		}
		if f, ok = factOf(e); ok {
			f.account, f.shard = step.account(), in
			if step.Does == StepFolded || step.Does == StepEarly {
				copy(f.of[:], step.Cause)
			}
		}
		return f, ok, nil
	}
	return fact{}, false, nil
}

// replayMatch does again what was found out about a waiting return.
func (l *Ledger) replayMatch(ctx context.Context, f fact, step Step) error {
	w := AwaitedReturn{Terminal: f.Terminal, Epoch: f.Epoch, Seq: f.Seq, Source: f.Hash, TriedAt: f.RecordedAt}
	s := newSet()
	if step.Does == StepAwaits {
		s.raise(&f, 0, unmet(&f))
		if err := l.o.Store.PutAwaited(ctx, w); err != nil {
			return err
		}
		return l.o.Store.SaveChanges(ctx, Changes{Exceptions: s.exceptions})
	}
	if step.Does == StepAmbiguous {
		return l.leaveToPerson(ctx, w, &f, step.Cause)
	}
	var sale journal.Hash
	copy(sale[:], step.Cause)
	explained := met(&f, sale, l.o.Clock.Now().UnixMilli())
	if err := l.o.Store.SaveChanges(ctx, Changes{Explained: []Exception{explained}}); err != nil {
		return err
	}
	return l.o.Store.DropAwaited(ctx, w)
}

// postRouted is [Ledger.post] for facts of which it is known where they count.
func (l *Ledger) postRouted(ctx context.Context, facts []fact) error {
	if len(facts) == 0 {
		return nil
	}
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		fresh, err := l.fresh(ctx, facts)
		if err != nil || len(fresh) == 0 {
			return err
		}
		s, err := l.load(ctx, fresh)
		if err != nil {
			return err
		}
		if err := l.foldSet(ctx, s, fresh); err != nil {
			return err
		}
		if err := l.await(ctx, fresh); err != nil {
			return err
		}
		if err := l.save(ctx, s); err != nil {
			return err
		}
		return l.record(ctx, s, fresh)
	})
}

// openAccounts makes the accounts of facts, where they are not there.
func (l *Ledger) openAccounts(ctx context.Context, facts []fact) error {
	keys := map[AccountKey]bool{}
	for i := range facts {
		if facts[i].account != uuid.Nil {
			keys[facts[i].key()] = true
		}
	}
	if err := l.o.Store.OpenAccounts(ctx, keysOf(keys)); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	return nil
}
