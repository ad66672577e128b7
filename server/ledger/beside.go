package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// Exceptions of what other rooms take in.
const (
	EnrolmentInvalid ExceptionKind = "enrolment_invalid" // an identity that HQ did not issue so
	IdentityRepeated ExceptionKind = "identity_repeated" // one identity was given to two people
)

// Beside takes in entries that change no account by themselves.
type Beside interface {
	// Kinds are those it wants.
	Kinds() []entry.Kind
	// Take is called with accepted entries of those kinds before anything that came with
	// them is posted, and again after a crash. While it fails, their journals stand.
	Take(ctx context.Context, entries []Entry) error
	// Undone is called with a void or return of a sale without account, in the
	// transaction in which the sale was found.
	Undone(ctx context.Context, e Entry, sale uuid.UUID) error
}

// SetBeside names who takes in what stands beside the facts of accounts. Set it before
// anything is applied.
func (l *Ledger) SetBeside(all ...Beside) { l.beside = all }

// takeBeside hands entries to those who want them.
func (l *Ledger) takeBeside(ctx context.Context, entries []Entry) error {
	for _, b := range l.beside {
		kinds := b.Kinds()
		wanted := slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool { return !slices.Contains(kinds, e.Kind) })
		if len(wanted) == 0 {
			continue
		}
		if err := b.Take(ctx, wanted); err != nil {
			return fmt.Errorf("take in what stands beside: %w", err)
		}
	}
	return nil
}

// undoneBeside tells of a return whose sale has no account.
func (l *Ledger) undoneBeside(ctx context.Context, e Entry, sale uuid.UUID) error {
	for _, b := range l.beside {
		if err := b.Undone(ctx, e, sale); err != nil {
			return fmt.Errorf("take in what came back: %w", err)
		}
	}
	return nil
}

// wantedBeside reports whether an entry is one that somebody takes in. A fact of an
// account is nobody's but the ledger's.
func (l *Ledger) wantedBeside(e Entry, f fact) bool {
	if f.account != uuid.Nil || f.sale != nil && f.sale.Claim == uuid.Nil {
		return false
	}
	return e.State == Accepted && slices.ContainsFunc(l.beside, func(b Beside) bool { return slices.Contains(b.Kinds(), e.Kind) })
}
