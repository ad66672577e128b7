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
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/sync/entry"
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

const badResolution = "must be explained, corrected, charged or written_off"

// Liables are who can answer for an exception. The franchisee is the party of settlement
// that had the store on the day; only people name it.
var Liables = []string{"programme", "store", "terminal", "franchisee"}

// Case is the work on one exception. Before any work it is the zero one. Version grows
// with every change.
type Case struct {
	Shard      int
	Exception  uuid.UUID
	Owner      uuid.UUID // zero is nobody
	OwnerName  string
	Resolution Resolution
	Liable     string    // empty: whom the ledger named
	DueAt      time.Time // zero: nobody has said yet
	DueBy      string    // what said so: "policy 3", "rule 4 v2" or "person"
	Proposal   uuid.UUID // which waits for a second person; zero is none
	ByHand     bool      // a person worked on it, so no rule does
	Version    uint64
	ChangedAt  time.Time
}

// What a note is about.
const (
	Took       = "took"       // somebody looks after it from now on
	Left       = "left"       // nobody does any more
	Assigned   = "assigned"   // it was given to somebody
	Remarked   = "remarked"   // words
	Resolved   = "resolved"   // it is settled
	Reopened   = "reopened"   // it is not settled after all
	DueMoved   = "due"        // it is to be settled by another time
	LiableSet  = "liable"     // somebody else answers for it
	Proposed   = "proposed"   // it waits for a second person
	Approved   = "approved"   // the second person agreed
	Refused    = "refused"    // the second person did not
	TakenBack  = "taken_back" // who proposed it did so no more
	Overtaken  = "overtaken"  // nothing was left to decide
	LetCount   = "released"   // the fact counts
	LetNothing = "rejected"   // the fact counts for nothing
)

// Note is one line of an exception's trail. Ids are in the order of time. What a rule did
// has no person, and the rule's name and version.
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

// Env is what the service takes from its surroundings.
type Env struct {
	Store   Store
	Journal Journal
	Ledger  Decider
	People  Directory
	Clock   clock.Clock
	NewID   func() uuid.UUID
}

// Journal is HQ's own journal, in which is written what changes what the books mean.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// Decider is the ledger's part in a decision.
type Decider interface {
	Decide(ctx context.Context, by uuid.UUID, e ledger.Exception, verdict entry.Verdict) (ledger.Exception, error)
	// DecideByTwo is Decide by a person with whom a second one agreed.
	DecideByTwo(ctx context.Context, by, second uuid.UUID, e ledger.Exception, verdict entry.Verdict) (ledger.Exception, error)
}

// Directory knows HQ's people; an unknown one is problem.NotFound.
type Directory interface {
	Person(ctx context.Context, id uuid.UUID) (people.Person, error)
}

// Service is the work on exceptions. It is safe for concurrent use.
type Service struct{ env Env }

// New returns the service.
func New(env Env) *Service { return &Service{env: env} }

// Person is who does something.
type Person struct {
	ID   uuid.UUID
	Name string
	Role people.Role
}

// Work is an exception with all that was done about it. NeedsTwo says whether settling it
// takes two people. Proposals are all there were, the newest last.
type Work struct {
	Exception ledger.Exception
	Case      Case
	Notes     []Note
	Proposals []Proposal
	NeedsTwo  bool
	Overdue   bool
}

// maxNotes bounds the trail that is shown, MaxText one remark in characters.
const (
	maxNotes = 200
	MaxText  = 1000
)

func (s *Service) now() time.Time { return s.env.Clock.Now().UTC() }

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
	if w.Proposals, err = s.env.Store.Proposals(ctx, e.Shard, id); err != nil {
		return Work{}, fmt.Errorf("read proposals: %w", err)
	}
	policy, err := s.Policy(ctx)
	if err != nil {
		return Work{}, err
	}
	if w.NeedsTwo, err = s.needsTwo(ctx, policy, e); err != nil {
		return Work{}, err
	}
	if e.Unsettled() && w.Case.Resolution == Unresolved {
		if w.Case.DueAt.IsZero() {
			w.Case.DueAt, w.Case.DueBy = policy.DueAt(e), policy.Name()
		}
		w.Overdue = w.Case.DueAt.Before(s.now())
	}
	return w, nil
}

// Liable is who answers for an exception now.
func (w Work) Liable() string {
	if w.Case.Liable != "" {
		return w.Case.Liable
	}
	return w.Exception.Liable
}

// Own has a person look after an exception, or, with own false, nobody.
func (s *Service) Own(ctx context.Context, by Person, id uuid.UUID, own bool) (Work, error) {
	return s.change(ctx, by, id, func(_ context.Context, _ ledger.Exception, c *Case) (Note, error) {
		if !own {
			c.Owner, c.OwnerName = uuid.Nil, ""
			return Note{What: Left}, nil
		}
		c.Owner, c.OwnerName = by.ID, by.Name
		return Note{What: Took}, nil
	})
}

// Assign gives an exception to a person who may work on it, or, with zero, to nobody.
func (s *Service) Assign(ctx context.Context, by Person, id, to uuid.UUID) (Work, error) {
	p, err := s.assignee(ctx, to)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(_ context.Context, _ ledger.Exception, c *Case) (Note, error) {
		return assign(c, p), nil
	})
}

func assign(c *Case, to people.Person) Note {
	c.Owner, c.OwnerName = to.ID, to.Name
	if to.ID == uuid.Nil {
		return Note{What: Left}
	}
	return Note{What: Assigned, Text: to.Name}
}

// assignee finds who is to look after something; zero is nobody.
func (s *Service) assignee(ctx context.Context, id uuid.UUID) (people.Person, error) {
	if id == uuid.Nil {
		return people.Person{}, nil
	}
	p, err := s.env.People.Person(ctx, id)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return p, refuse("/person", "is nobody who works here")
	case err != nil:
		return p, fmt.Errorf("find person: %w", err)
	case p.ShutOut || !p.Role.May(people.AreaCases):
		return p, refuse("/person", "may not work on exceptions")
	}
	return p, nil
}

// Remark adds words to the trail: 1 to MaxText characters.
func (s *Service) Remark(ctx context.Context, by Person, id uuid.UUID, text string) (Work, error) {
	text, err := readText(text)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(context.Context, ledger.Exception, *Case) (Note, error) {
		return Note{What: Remarked, Text: text}, nil
	})
}

// dueWithin is how far from now a due date may be.
const dueWithin = 5 * 366 * 24 * time.Hour

// SetDue moves the time by which an exception should be settled, with the reason in words.
func (s *Service) SetDue(ctx context.Context, by Person, id uuid.UUID, due time.Time, text string) (Work, error) {
	text, err := readText(text)
	if err != nil {
		return Work{}, err
	}
	if err := s.dueOK(due); err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(_ context.Context, e ledger.Exception, c *Case) (Note, error) {
		return setDue(e, c, due, "person", text)
	})
}

func (s *Service) dueOK(due time.Time) error {
	if now := s.now(); due.Before(now.Add(-dueWithin)) || due.After(now.Add(dueWithin)) {
		return refuse("/due_at", "must be within five years from now")
	}
	return nil
}

func setDue(e ledger.Exception, c *Case, due time.Time, by, text string) (Note, error) {
	if err := workable(e, c); err != nil {
		return Note{}, err
	}
	c.DueAt, c.DueBy = due.UTC().Truncate(time.Millisecond), by
	return Note{What: DueMoved, Text: c.DueAt.Format(time.RFC3339) + ": " + text}, nil
}

// workable refuses what is settled, or what the ledger has done with.
func workable(e ledger.Exception, c *Case) error {
	switch {
	case !e.Unsettled():
		return problem.Newf(problem.StateConflict, "the ledger has done with it: it is %s", e.State)
	case c.Resolution != Unresolved:
		return problem.Newf(problem.StateConflict, "it was settled as %s before", c.Resolution)
	}
	return nil
}

// doing is one change of a case.
type doing func(ctx context.Context, e ledger.Exception, c *Case) (Note, error)

// change has a person do one thing to the case of an exception, and notes it.
func (s *Service) change(ctx context.Context, by Person, id uuid.UUID, do doing) (Work, error) {
	var w Work
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		e, err := s.env.Store.Exception(ctx, id)
		if err != nil {
			return err
		}
		if err := s.changeOne(ctx, by, e, do); err != nil {
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

// changeOne is change without looking at it afterwards, in the caller's transaction. Nobody
// (a zero id) is a rule, whose work is not by hand.
func (s *Service) changeOne(ctx context.Context, by Person, e ledger.Exception, do doing) error {
	c, err := s.env.Store.Case(ctx, e.Shard, e.ID)
	if err != nil {
		return fmt.Errorf("read case: %w", err)
	}
	note, err := do(ctx, e, &c)
	if err != nil {
		return err
	}
	return s.put(ctx, by, e, c, note)
}

// put writes a case that was changed, and the note about it.
func (s *Service) put(ctx context.Context, by Person, e ledger.Exception, c Case, note Note) error {
	c.ByHand = c.ByHand || by.ID != uuid.Nil
	if err := s.putCase(ctx, e, c); err != nil {
		return err
	}
	return s.putNote(ctx, by, e, note)
}

// putCase writes the next version of a case.
func (s *Service) putCase(ctx context.Context, e ledger.Exception, c Case) error {
	c.Shard, c.Exception, c.Version, c.ChangedAt = e.Shard, e.ID, c.Version+1, s.now()
	if err := s.env.Store.PutCase(ctx, c); err != nil {
		return fmt.Errorf("write case: %w", err)
	}
	return nil
}

// putNote writes a note, under its own id where it has one.
func (s *Service) putNote(ctx context.Context, by Person, e ledger.Exception, note Note) error {
	if note.ID == uuid.Nil {
		note.ID = s.env.NewID()
	}
	note.Shard, note.Exception, note.At, note.Person, note.Name = e.Shard, e.ID, s.now(), by.ID, by.Name
	if err := s.env.Store.AddNote(ctx, note); err != nil {
		return fmt.Errorf("write note: %w", err)
	}
	return nil
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

// readAnyText is readText where words may be left out.
func readAnyText(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	return readText(text)
}

func refuse(pointer, reason string) error {
	return &problem.Error{Code: problem.InvalidField, Detail: "this cannot be done so", Fields: map[string]string{pointer: reason}}
}
