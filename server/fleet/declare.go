package fleet

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// DeclarationLife is how long a declaration that a terminal is lost waits for the second
// person.
const DeclarationLife = 72 * time.Hour

// Declaration says that a terminal will not come back: one person declares it, another
// confirms it. DecidedBy confirmed or withdrew it. What it says of the gap is as of the
// declaration until it is confirmed, and stays then. Times that have not come are zero.
type Declaration struct {
	ID         uuid.UUID
	Terminal   uuid.UUID
	Number     uint64 // among those of the terminal, from 1
	Store      uuid.UUID
	Epoch      uint32
	Step       entry.LostStep // zero: there is no declaration
	Reason     string
	DeclaredBy uuid.UUID
	DeclaredAt time.Time
	ExpiresAt  time.Time
	DecidedBy  uuid.UUID
	DecidedAt  time.Time
	FoundBy    uuid.UUID
	FoundAt    time.Time
	Gap        Gap
}

// Gap is what HQ does not know of a terminal: all that came after Head, the last entry
// it has of the epoch. Said is the newest entry that the terminal said it has. Bound is
// what it can cost at most.
type Gap struct {
	Head        journal.Head
	Said        uint64
	LastContact time.Time
	Bound       []entry.LostBound
}

// Open reports whether the declaration waits for the second person at a time.
func (d Declaration) Open(at time.Time) bool {
	return d.Step == entry.LostDeclared && at.Before(d.ExpiresAt)
}

// Expired reports whether nobody confirmed the declaration in time.
func (d Declaration) Expired(at time.Time) bool { return d.Step == entry.LostDeclared && !d.Open(at) }

// declarationKeeper stores declarations.
type declarationKeeper interface {
	// AddDeclaration adds one; a number that is taken is problem.Conflict.
	AddDeclaration(ctx context.Context, d Declaration) error
	// SetDeclaration writes what changes with a step. It is problem.Conflict unless the
	// stored one is at the step from.
	SetDeclaration(ctx context.Context, d Declaration, from entry.LostStep) error
	// Declarations returns the last declaration of each terminal that has one.
	Declarations(ctx context.Context, terminals []uuid.UUID) (map[uuid.UUID]Declaration, error)
	// WithdrawExceptions withdraws the open exceptions of a kind about a terminal's epoch.
	WithdrawExceptions(ctx context.Context, kind ledger.ExceptionKind, terminal uuid.UUID, epoch uint32, at time.Time) error
	// IdentitiesLeft counts the identities issued to terminals that are not used.
	IdentitiesLeft(ctx context.Context, terminals []uuid.UUID) (map[uuid.UUID]int64, error)
}

// DeclareLost begins to declare a terminal lost; nothing changes for it before somebody
// else confirms. One that was never enrolled, or that is declared lost already, is
// problem.StateConflict.
func (f *Fleet) DeclareLost(ctx context.Context, by, id uuid.UUID, reason string) (Declaration, error) {
	reason = strings.TrimSpace(reason)
	if !nameOK(reason, 500) {
		return Declaration{}, &problem.Error{
			Code: problem.InvalidField, Detail: "the terminal cannot be declared lost",
			Fields: map[string]string{"/reason": "must have 1 to 500 characters"},
		}
	}
	var d Declaration
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		t, err := f.Terminal(ctx, id)
		if err != nil {
			return err
		}
		switch was := t.Lost; {
		case t.Epoch == 0:
			return problem.New(problem.StateConflict, "the terminal was never enrolled")
		case was.Open(f.now()):
			return problem.New(problem.StateConflict, "the terminal is declared lost already; somebody else must confirm it")
		case was.Step == entry.LostConfirmed && was.Epoch == t.Epoch:
			return problem.New(problem.StateConflict, "the terminal is lost already")
		}
		d = Declaration{
			ID: f.env.NewID(), Terminal: id, Number: t.Lost.Number + 1, Store: t.Store, Epoch: t.Epoch, Step: entry.LostDeclared,
			Reason: reason, DeclaredBy: by, DeclaredAt: f.now(), ExpiresAt: f.now().Add(DeclarationLife),
		}
		if d.Gap, err = f.gap(ctx, t); err != nil {
			return err
		}
		if err := f.env.Keeper.AddDeclaration(ctx, d); err != nil {
			return err
		}
		return f.recordLost(ctx, by, d)
	})
	if err != nil {
		return Declaration{}, fmt.Errorf("declare terminal lost: %w", err)
	}
	return d, nil
}

// gap is what HQ does not know of a terminal now.
func (f *Fleet) gap(ctx context.Context, t Terminal) (Gap, error) {
	head, err := f.env.Keeper.JournalHead(ctx, journal.Writer{ID: t.ID, Epoch: t.Epoch})
	if err != nil {
		return Gap{}, fmt.Errorf("read head: %w", err)
	}
	g := Gap{Head: head, Said: max(t.HeadSeq, head.Seq), LastContact: t.LastContactAt}
	if f.env.Bound != nil {
		if g.Bound, err = f.env.Bound(ctx, t.ID); err != nil {
			return Gap{}, fmt.Errorf("read what the terminal can cost: %w", err)
		}
	}
	return g, nil
}

// ConfirmLost declares a terminal lost for good: it is revoked, HQ takes its rights back
// and names the gap and its bound. Who declared it is problem.Forbidden; a declaration
// that is not open, or since which the terminal was heard of, is problem.StateConflict.
func (f *Fleet) ConfirmLost(ctx context.Context, by, id uuid.UUID) (Declaration, error) {
	return f.decideLost(ctx, by, id, entry.LostConfirmed, func(ctx context.Context, t Terminal, d *Declaration) error {
		switch {
		case by == d.DeclaredBy:
			return problem.New(problem.Forbidden, "who declared a terminal lost cannot confirm it; somebody else must")
		case t.Epoch != d.Epoch || t.LastContactAt.After(d.DeclaredAt):
			return problem.New(problem.StateConflict, "the terminal was heard of since it was declared lost; withdraw that, or revoke the terminal")
		}
		var err error
		if d.Gap, err = f.gap(ctx, t); err != nil {
			return err
		}
		if _, err := f.shutOut(ctx, by, id, StateRevoked); err != nil {
			return err
		}
		return f.raiseLost(ctx, *d)
	})
}

// WithdrawLost ends a declaration that nobody confirmed yet, by either person.
func (f *Fleet) WithdrawLost(ctx context.Context, by, id uuid.UUID) (Declaration, error) {
	return f.decideLost(ctx, by, id, entry.LostWithdrawn, func(context.Context, Terminal, *Declaration) error { return nil })
}

func (f *Fleet) decideLost(ctx context.Context, by, id uuid.UUID, step entry.LostStep, then func(ctx context.Context, t Terminal, d *Declaration) error) (Declaration, error) {
	var d Declaration
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		t, err := f.Terminal(ctx, id)
		if err != nil {
			return err
		}
		switch d = t.Lost; {
		case d.Step == step && d.DecidedBy == by:
			return nil // once more
		case d.Expired(f.now()):
			return problem.New(problem.StateConflict, "nobody confirmed the declaration in time; declare the terminal lost again")
		case !d.Open(f.now()):
			return problem.New(problem.StateConflict, "the terminal is not declared lost")
		}
		if err := then(ctx, t, &d); err != nil {
			return err
		}
		d.Step, d.DecidedBy, d.DecidedAt = step, by, f.now()
		if err := f.env.Keeper.SetDeclaration(ctx, d, entry.LostDeclared); err != nil {
			return err
		}
		return f.recordLost(ctx, by, d)
	})
	if err != nil {
		return Declaration{}, fmt.Errorf("decide that a terminal is lost: %w", err)
	}
	return d, nil
}

// found ends what was declared of a terminal that is let in again, in the caller's
// transaction. What was taken back stays so.
func (f *Fleet) found(ctx context.Context, by uuid.UUID, t Terminal) error {
	all, err := f.env.Keeper.Declarations(ctx, []uuid.UUID{t.ID})
	if err != nil {
		return fmt.Errorf("read declarations: %w", err)
	}
	d := all[t.ID]
	if d.Step != entry.LostConfirmed {
		return nil
	}
	d.Step, d.FoundBy, d.FoundAt = entry.LostFound, by, f.now()
	if err := f.env.Keeper.SetDeclaration(ctx, d, entry.LostConfirmed); err != nil {
		return err
	}
	if err := f.env.Keeper.WithdrawExceptions(ctx, ledger.TerminalLost, d.Terminal, d.Epoch, d.FoundAt); err != nil {
		return fmt.Errorf("withdraw exceptions: %w", err)
	}
	return f.recordLost(ctx, by, d)
}

// recordLost writes a step into HQ's journal.
func (f *Fleet) recordLost(ctx context.Context, by uuid.UUID, d Declaration) error {
	return f.env.Journal.Append(ctx, hqjournal.Fact{Shard: shard.Of(d.Store), Kind: entry.KindHQLost, Body: entry.HQLost{
		Declaration: d.ID, Terminal: d.Terminal, Store: d.Store, Epoch: d.Epoch, Step: d.Step, By: by, At: f.now().UnixMilli(),
		Reason: entry.LostReason(d.ID, d.Reason), Seq: d.Gap.Head.Seq, Hash: d.Gap.Head.Hash[:], Said: d.Gap.Said,
		LastContact: millis(d.Gap.LastContact), Bound: d.Gap.Bound,
	}})
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// raiseLost names the gap: an exception for each unit in which it can cost something,
// and one without an amount when there is none.
func (f *Fleet) raiseLost(ctx context.Context, d Declaration) error {
	bounds := d.Gap.Bound
	if len(bounds) == 0 {
		bounds = []entry.LostBound{{}}
	}
	for _, b := range bounds {
		e := ledger.Exception{
			ID: uuid.NewSHA1(d.ID, []byte("lost/"+b.Unit)), Shard: shard.Of(d.Terminal), Kind: ledger.TerminalLost, State: ledger.ExceptionOpen,
			Liable: "store", Terminal: d.Terminal, Epoch: d.Epoch, Seq: d.Gap.Head.Seq, Store: d.Store, Unit: b.Unit, Amount: b.Rights + b.StandIn,
			OccurredAt: millis(d.Gap.LastContact), RecordedAt: f.now().UnixMilli(),
			Cause: fmt.Sprintf("the terminal was declared lost by two people: what it wrote after entry %d of epoch %d is not known", d.Gap.Head.Seq, d.Epoch),
		}
		copy(e.Source[:], d.ID[:])
		if err := f.env.Keeper.RaiseException(ctx, e); err != nil {
			return fmt.Errorf("name the gap: %w", err)
		}
	}
	return nil
}
