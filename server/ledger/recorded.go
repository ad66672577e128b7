package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// StepKind says what HQ did with a fact when it came to it.
type StepKind uint8

// Kinds of steps. Stored; append only.
const (
	StepFolded  StepKind = 0 // onto its account, or onto none when it names none
	StepEarly   StepKind = 1 // its account was not open yet
	StepAwaits  StepKind = 2 // a return whose sale was not found
	StepMatched StepKind = 3 // a return whose sale was found; Cause is the sale's source
	// StepAmbiguous is a return for which several sales were found; Cause is their hashes.
	StepAmbiguous StepKind = 4
)

// Step is one fact as it was applied: where its entry stands and which account it
// counted for. What it did there follows from the entry and the steps before it. Cause
// is the sale's id of a folded return whose sale was found, not named.
type Step struct {
	_       struct{} `cbor:",toarray"`
	Does    StepKind
	Writer  []byte // the terminal; empty: HQ, in the shard of the set
	Epoch   uint32
	Seq     uint64
	Branch  int
	Account []byte // empty: none
	Cause   []byte
}

// AppliedSet is what was applied at once in one shard. Pos counts the sets of a
// shard from 1 without gaps; Facts is the CBOR of []Step, Moves that of []Moved, or
// [MovesUnknown].
type AppliedSet struct {
	Shard int
	Pos   uint64
	Facts []byte
	Moves []byte
}

// EntryKey names the entries of one number; there are several after a fork.
type EntryKey struct {
	Terminal uuid.UUID
	Epoch    uint32
	Seq      uint64
}

// orderStore keeps the order in which facts were applied.
type orderStore interface {
	// KeepSets numbers the sets behind all others of their shards and keeps them.
	// Sets are in the order of shards, and their Pos is ignored.
	KeepSets(ctx context.Context, sets []AppliedSet) error
	// EntriesOf returns all entries of the numbers.
	EntriesOf(ctx context.Context, keys []EntryKey) ([]Entry, error)
	// Unposted returns the sources whose entry is a fact of one of these kinds and
	// that are not there.
	Unposted(ctx context.Context, kinds []entry.Kind) ([]SourceRow, error)
}

// record notes that facts have been folded, as the last thing of their transaction:
// the accounts are locked, so that the order in each is the one noted.
func (l *Ledger) record(ctx context.Context, s *set, facts []fact) error {
	steps := map[int][]Step{}
	for i := range facts {
		f := &facts[i]
		step := f.step(StepFolded)
		if f.account != uuid.Nil && s.accounts[f.account] == nil {
			step.Does = StepEarly
		}
		steps[f.shard] = append(steps[f.shard], step)
	}
	moved, err := s.moved()
	if err != nil {
		return err
	}
	return l.keepSteps(ctx, steps, moved)
}

// recordMatch notes what became of a waiting return.
func (l *Ledger) recordMatch(ctx context.Context, f *fact, does StepKind, cause journal.Hash) error {
	step := f.step(does)
	if does == StepMatched {
		step.Cause = cause[:]
	}
	return l.keepSteps(ctx, map[int][]Step{f.shard: {step}}, nil)
}

func (f *fact) step(does StepKind) Step {
	step := Step{Does: does, Epoch: f.Epoch, Seq: f.Seq, Branch: f.Branch}
	if f.hq == nil {
		step.Writer = f.Terminal[:]
	}
	if f.account != uuid.Nil {
		step.Account = f.account[:]
	}
	if f.of != uuid.Nil && f.ret != nil && f.ret.Sale == uuid.Nil {
		step.Cause = f.of[:]
	}
	return step
}

func (l *Ledger) keepSteps(ctx context.Context, steps map[int][]Step, moved map[int][]byte) error {
	sets := make([]AppliedSet, 0, len(steps))
	for in, list := range steps {
		raw, err := wire.Marshal(list)
		if err != nil {
			return err
		}
		moves := moved[in]
		if moves == nil {
			moves = nothingMoved
		}
		sets = append(sets, AppliedSet{Shard: in, Facts: raw, Moves: moves})
	}
	slices.SortFunc(sets, func(a, b AppliedSet) int { return a.Shard - b.Shard })
	if err := l.o.Store.KeepSets(ctx, sets); err != nil {
		return fmt.Errorf("note the order of facts: %w", err)
	}
	return nil
}
