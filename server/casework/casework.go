package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
)

// Resolution says how an exception was settled. The zero one is not settled.
type Resolution string

// Resolutions.
const (
	Unresolved Resolution = ""
	Explained  Resolution = "explained"   // there is a good reason for it
	Corrected  Resolution = "corrected"   // an adjustment put it right
	Charged    Resolution = "charged"     // who is liable pays
	WrittenOff Resolution = "written_off" // the programme bears it
)

// Known tells whether an exception can be settled so.
func (r Resolution) Known() bool {
	return slices.Contains([]Resolution{Explained, Corrected, Charged, WrittenOff}, r)
}

// Case is the work on one exception. Before any work it is the zero one. Version grows
// with every change.
type Case struct {
	Shard      int
	Exception  uuid.UUID
	Owner      uuid.UUID // zero is nobody
	OwnerName  string
	Resolution Resolution
	Version    uint64
	ChangedAt  time.Time
}

// What a note is about.
const (
	Took     = "took"     // somebody looks after it from now on
	Left     = "left"     // nobody does any more
	Remarked = "remarked" // words
	Resolved = "resolved" // it is settled
	Reopened = "reopened" // it is not settled after all
)

// Note is one line of an exception's trail. Ids are in the order of time.
type Note struct {
	Shard     int
	Exception uuid.UUID
	ID        uuid.UUID
	At        time.Time
	Person    uuid.UUID
	Name      string
	What      string
	Text      string
}

// Store is the storage the service needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// Exception returns one exception, or problem.NotFound.
	Exception(ctx context.Context, id uuid.UUID) (ledger.Exception, error)
	// Case returns the work on an exception, the zero one with its version when there
	// was none.
	Case(ctx context.Context, shard int, exception uuid.UUID) (Case, error)
	// PutCase writes a case; problem.Conflict unless the stored version is one below.
	PutCase(ctx context.Context, c Case) error
	AddNote(ctx context.Context, n Note) error
	// Notes returns the newest notes, the oldest of them first.
	Notes(ctx context.Context, shard int, exception uuid.UUID, limit int) ([]Note, error)
}

// Env is what the service takes from its surroundings.
type Env struct {
	Store Store
	Clock clock.Clock
	NewID func() uuid.UUID
}

// Service is the work on exceptions. It is safe for concurrent use.
type Service struct{ env Env }

// New returns the service.
func New(env Env) *Service { return &Service{env: env} }

// Person is who does something.
type Person struct {
	ID   uuid.UUID
	Name string
}

// Work is an exception with all that was done about it.
type Work struct {
	Exception ledger.Exception
	Case      Case
	Notes     []Note
}

// maxNotes bounds the trail that is shown, MaxText one remark in characters.
const (
	maxNotes = 200
	MaxText  = 1000
)

// Work returns an exception and the work on it, or problem.NotFound.
func (s *Service) Work(ctx context.Context, id uuid.UUID) (Work, error) {
	e, err := s.env.Store.Exception(ctx, id)
	if err != nil {
		return Work{}, err
	}
	w := Work{Exception: e}
	if w.Case, err = s.env.Store.Case(ctx, e.Shard, id); err != nil {
		return Work{}, fmt.Errorf("read case: %w", err)
	}
	if w.Notes, err = s.env.Store.Notes(ctx, e.Shard, id, maxNotes); err != nil {
		return Work{}, fmt.Errorf("read notes: %w", err)
	}
	return w, nil
}

// Own has a person look after an exception, or, with own false, nobody.
func (s *Service) Own(ctx context.Context, by Person, id uuid.UUID, own bool) (Work, error) {
	return s.change(ctx, by, id, func(c *Case) (Note, error) {
		if !own {
			c.Owner, c.OwnerName = uuid.Nil, ""
			return Note{What: Left}, nil
		}
		c.Owner, c.OwnerName = by.ID, by.Name
		return Note{What: Took}, nil
	})
}

// Remark adds words to the trail: 1 to MaxText characters.
func (s *Service) Remark(ctx context.Context, by Person, id uuid.UUID, text string) (Work, error) {
	text, err := readText(text)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(*Case) (Note, error) { return Note{What: Remarked, Text: text}, nil })
}

// Resolve settles an exception, with the reason in words; who settles it looks after it.
// One that is settled already, or that the ledger has done with, is
// problem.StateConflict.
func (s *Service) Resolve(ctx context.Context, by Person, id uuid.UUID, as Resolution, text string) (Work, error) {
	if !as.Known() {
		return Work{}, refuse("/resolution", "must be explained, corrected, charged or written_off")
	}
	text, err := readText(text)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(c *Case) (Note, error) {
		if c.Resolution != Unresolved {
			return Note{}, problem.Newf(problem.StateConflict, "it was settled as %s before", c.Resolution)
		}
		c.Resolution, c.Owner, c.OwnerName = as, by.ID, by.Name
		return Note{What: Resolved, Text: text}, nil
	})
}

// Reopen unsettles an exception, with the reason in words.
func (s *Service) Reopen(ctx context.Context, by Person, id uuid.UUID, text string) (Work, error) {
	text, err := readText(text)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(c *Case) (Note, error) {
		if c.Resolution == Unresolved {
			return Note{}, problem.New(problem.StateConflict, "it is not settled")
		}
		c.Resolution = Unresolved
		return Note{What: Reopened, Text: text}, nil
	})
}

// change does one thing to the case of an exception and notes it.
func (s *Service) change(ctx context.Context, by Person, id uuid.UUID, do func(c *Case) (Note, error)) (Work, error) {
	var w Work
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		e, err := s.env.Store.Exception(ctx, id)
		if err != nil {
			return err
		}
		c, err := s.env.Store.Case(ctx, e.Shard, id)
		if err != nil {
			return err
		}
		c.Shard, c.Exception = e.Shard, id
		note, err := do(&c)
		if err != nil {
			return err
		}
		if note.What == Resolved && e.State != ledger.ExceptionOpen && e.State != ledger.ExceptionAwaiting {
			return problem.Newf(problem.StateConflict, "the ledger has done with it: it is %s", e.State)
		}
		now := s.env.Clock.Now().UTC()
		c.Version, c.ChangedAt = c.Version+1, now
		if err := s.env.Store.PutCase(ctx, c); err != nil {
			return err
		}
		note.Shard, note.Exception, note.ID, note.At, note.Person, note.Name = e.Shard, id, s.env.NewID(), now, by.ID, by.Name
		if err := s.env.Store.AddNote(ctx, note); err != nil {
			return err
		}
		w, err = s.Work(ctx, id)
		return err
	})
	if err != nil {
		return Work{}, fmt.Errorf("work on exception: %w", err)
	}
	return w, nil
}

func readText(text string) (string, error) {
	text = strings.TrimSpace(text)
	n := utf8.RuneCountInString(text)
	bad := strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
	if n < 1 || n > MaxText || bad || !utf8.ValidString(text) {
		return "", refuse("/text", fmt.Sprintf("must have 1 to %d characters", MaxText))
	}
	return text, nil
}

func refuse(pointer, reason string) error {
	return &problem.Error{Code: problem.InvalidField, Detail: "this cannot be noted", Fields: map[string]string{pointer: reason}}
}
