package till

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// witnesses is what others know of this terminal's journal. A chain cannot show by itself
// that its end was cut off, or that there are two of it: only somebody else's memory can.
type witnesses struct {
	mu        sync.Mutex
	seq       uint64  // the last own head that somebody confirmed, ever
	kept      uint64  // of it, what the state store knows
	unnoted   int64   // redeemed up to seq since the journal itself said so
	confirmed bool    // since this start
	branch    *branch // somebody holds another branch; nil: nobody said so
	suspended problem.Code
}

// at returns the last own head that was witnessed.
func (w *witnesses) at() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seq
}

// unwitnessed reports whether nobody has confirmed the head since the start.
func (w *witnesses) unwitnessed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.confirmed
}

func (w *witnesses) contradicted() *branch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.branch
}

// Confirmed tells that a lane holds a head of this terminal that its journal still goes
// on from.
func (t *Till) Confirmed(ctx context.Context, seq uint64) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	if seq > t.cfg.Journal.Head().Seq {
		return problem.Newf(problem.InvalidField, "entry %d is not in this journal", seq)
	}
	return t.confirm(ctx, seq)
}

// confirm notes that the own head at seq was witnessed. An older one than was witnessed
// before proves nothing about what came between.
func (t *Till) confirm(ctx context.Context, seq uint64) error {
	w := &t.witness
	w.mu.Lock()
	if seq < w.seq {
		w.mu.Unlock()
		return nil
	}
	redeemed := t.caps.sums("").all
	w.seq, w.confirmed = seq, true
	keep := seq > w.kept && redeemed > 0
	w.unnoted += redeemed
	// The state store can be lost. So that not all of a long time counts as redeemed
	// without a witness then, the journal says now and then how far it was witnessed.
	// One that is contradicted may have no number left to journal it under, and must
	// still deliver what it has.
	note := redeemed > 0 && w.branch == nil && w.unnoted > t.catalogue.Load().policy.RestartCap/4
	if note {
		w.unnoted = 0
	}
	if keep {
		w.kept = seq
	}
	w.mu.Unlock()
	t.caps.pass(0, seq)
	if keep {
		if err := t.remember(ctx, keyHeads, noted{Witnessed: seq}); err != nil {
			return err
		}
	}
	if !note {
		return nil
	}
	return t.note(ctx, entry.NoteWitnessed, int64(seq))
}

// note journals a code with numbers.
func (t *Till) note(ctx context.Context, code entry.NoteCode, values ...int64) error {
	now, _ := t.time.now()
	_, err := t.append(ctx, now, entry.KindNote, entry.Note{Code: code, Values: values})
	return err
}

// deriveNote keeps what the journal says of the terminal itself.
func deriveNote(n entry.Note) (derived, error) {
	var d derived
	v := n.Values
	switch {
	case n.Code == entry.NotePolicy && len(v) >= 3:
		return d, d.put(TableMeta, keyPolicy, noted{Policy: uint64(v[0]), Points: v[1], Uses: v[2]})
	case n.Code == entry.NoteWitnessed && len(v) >= 1:
		return d, d.put(TableMeta, keyWitness, noted{Witnessed: uint64(v[0])})
	case n.Code == entry.NoteContradicted && len(v) >= 2:
		return d, d.put(TableMeta, keyBranch, branch{Seq: uint64(v[0]), Finding: entry.WitnessFinding(v[1])})
	}
	return d, nil
}

// told notes that somebody holds another branch of this journal: this terminal is a copy,
// or was rolled back. It redeems and lends no more, and does not use numbers again that
// others have seen. The journal says so too, where that needs no such number.
func (t *Till) told(ctx context.Context, b branch) error {
	if t.cfg.Mutant == MutantSkipForkCheck {
		return nil
	}
	w := &t.witness
	w.mu.Lock()
	known := w.branch != nil && w.branch.Seq >= b.Seq
	if !known {
		w.branch = &b
	}
	w.mu.Unlock()
	if known {
		return nil
	}
	if err := t.remember(ctx, keyBranch, b); err != nil {
		return err
	}
	if t.cfg.Journal.Head().Seq < b.Seq {
		return nil
	}
	return t.note(ctx, entry.NoteContradicted, int64(b.Seq), int64(b.Finding))
}

// Contradicts takes in that HQ holds another entry seq than this journal, or one that
// this journal does not have; the caller knows that HQ said so. A seq of zero is that HQ
// has not said which.
func (t *Till) Contradicts(ctx context.Context, seq uint64) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	finding := entry.WitnessFork
	if seq > t.cfg.Journal.Head().Seq {
		finding = entry.WitnessRollback
	}
	return t.told(ctx, branch{seq, finding})
}

// Suspend takes in that HQ has taken this terminal out of service, until HQ says
// something else again: it redeems and lends no more.
func (t *Till) Suspend(ctx context.Context, why problem.Code) error {
	end, err := t.begin()
	if err != nil {
		return err
	}
	defer end()
	return t.suspend(ctx, why)
}

func (t *Till) suspend(ctx context.Context, why problem.Code) error {
	w := &t.witness
	w.mu.Lock()
	before := w.suspended
	w.suspended = why
	w.mu.Unlock()
	if before == why {
		return nil
	}
	return t.remember(ctx, keySuspended, why)
}

// remember writes one record about the terminal itself, durably.
func (t *Till) remember(ctx context.Context, name []byte, value any) error {
	c, err := put(TableMeta, name, value)
	if err == nil {
		err = t.cfg.State.Apply(context.WithoutCancel(ctx), []Change{c})
	}
	if err == nil {
		err = t.cfg.State.Sync(context.WithoutCancel(ctx))
	}
	if err != nil {
		t.fail(err)
		return problem.Wrap(problem.JournalStopped, err, "")
	}
	return nil
}

// recallHeads reads at the start what was witnessed, and by whom contradicted.
func (t *Till) recallHeads(ctx context.Context) error {
	seq := t.link.Acked.Seq
	err := t.look(ctx, func(l look) error {
		var errs []error
		for _, name := range [][]byte{keyHeads, keyWitness} {
			n, _, err := get[noted](l, TableMeta, name)
			seq = max(seq, n.Witnessed)
			errs = append(errs, err)
		}
		why, _, err := get[problem.Code](l, TableMeta, keySuspended)
		t.witness.suspended = why
		errs = append(errs, err)
		bound, _, err := get[clock.Stamp](l, TableMeta, keyHeadBound)
		t.hlc.Observe(bound)
		errs = append(errs, err)
		b, found, err := get[branch](l, TableMeta, keyBranch)
		if found {
			t.witness.branch = &b
		}
		return errors.Join(append(errs, err)...)
	})
	if err != nil {
		return fmt.Errorf("read what was witnessed: %w", err)
	}
	t.witness.seq, t.witness.kept = min(seq, t.cfg.Journal.Head().Seq), seq
	return nil
}

// mayRedeem refuses to redeem and lend on a terminal that HQ has taken out of service, or
// that is a copy.
func (t *Till) mayRedeem() error {
	if b := t.witness.contradicted(); b != nil {
		return problem.Newf(problem.JournalFork, "somebody holds another entry %d of this terminal (%s)", b.Seq, b.Finding)
	}
	t.witness.mu.Lock()
	why := t.witness.suspended
	t.witness.mu.Unlock()
	if why != "" {
		return problem.New(why, "")
	}
	switch t.catalogue.Load().lanes[t.cfg.Writer.ID].State {
	case "revoked":
		return problem.New(problem.TerminalRevoked, "")
	case "quarantined":
		return problem.New(problem.TerminalQuarantined, "")
	}
	return nil
}
