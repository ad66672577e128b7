package casework

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// Action is what is done about an exception that changes what the books mean.
type Action string

// Actions.
const (
	ActResolve Action = "resolve" // it is settled among people
	ActLiable  Action = "liable"  // somebody else answers for it
	ActRelease Action = "release" // the fact counts
	ActReject  Action = "reject"  // the fact counts for nothing
)

// verdicts are the actions that the ledger carries out.
var verdicts = map[Action]entry.Verdict{ActRelease: entry.VerdictRelease, ActReject: entry.VerdictReject}

// Deed is one such act, with the reason in words.
type Deed struct {
	Action     Action
	Resolution Resolution // of ActResolve
	Liable     string     // of ActLiable
	Text       string
}

// check refuses a deed that makes no sense, and tidies its text.
func (d *Deed) check() error {
	switch d.Action {
	case ActResolve:
		if !d.Resolution.Known() {
			return refuse("/resolution", badResolution)
		}
	case ActLiable:
		if !slices.Contains(Liables, d.Liable) {
			return refuse("/liable", "must be "+strings.Join(Liables, ", "))
		}
	case ActRelease, ActReject:
	default:
		return refuse("/action", "must be resolve, liable, release or reject")
	}
	if d.Action != ActResolve && d.Resolution != "" {
		return refuse("/resolution", "is only for settling")
	}
	if d.Action != ActLiable && d.Liable != "" {
		return refuse("/liable", "is only for changing who answers")
	}
	var err error
	d.Text, err = readText(d.Text)
	return err
}

// actors are who did something: a person, whom another agreed with where two are needed,
// or a rule.
type actors struct {
	by          Person
	second      uuid.UUID
	rule        uint64
	ruleVersion uint64
}

// Do carries a deed out by one person. An exception for which two are needed is
// problem.SecondPersonNeeded; one that is settled already, that the ledger has done with, or
// about which a proposal waits is problem.StateConflict.
func (s *Service) Do(ctx context.Context, by Person, id uuid.UUID, d Deed) (Work, error) {
	if err := d.check(); err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
		if err := s.alone(ctx, e, c); err != nil {
			return Note{}, err
		}
		return s.do(ctx, actors{by: by}, e, c, d)
	})
}

// alone refuses what one person may not do.
func (s *Service) alone(ctx context.Context, e ledger.Exception, c *Case) error {
	policy, err := s.Policy(ctx)
	switch {
	case err != nil:
		return err
	case c.Proposal != uuid.Nil:
		return problem.New(problem.StateConflict, "a proposal about it waits for a second person")
	}
	two, err := s.needsTwo(ctx, policy, e)
	if err == nil && two {
		err = problem.New(problem.SecondPersonNeeded, "")
	}
	return err
}

// Resolve settles an exception by one person; who settles it looks after it. See Do.
func (s *Service) Resolve(ctx context.Context, by Person, id uuid.UUID, as Resolution, text string) (Work, error) {
	return s.Do(ctx, by, id, Deed{Action: ActResolve, Resolution: as, Text: text})
}

// SetLiable has somebody else answer for an exception. See Do.
func (s *Service) SetLiable(ctx context.Context, by Person, id uuid.UUID, liable, text string) (Work, error) {
	return s.Do(ctx, by, id, Deed{Action: ActLiable, Liable: liable, Text: text})
}

// Decide releases or rejects a fact by one person, in the caller's transaction. Deciding the
// same again changes nothing. See Do, and ledger.Decide.
func (s *Service) Decide(ctx context.Context, by Person, id uuid.UUID, verdict entry.Verdict) (ledger.Exception, error) {
	var out ledger.Exception
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		e, err := s.env.Store.Exception(ctx, id)
		if err != nil {
			return err
		}
		if !e.Unsettled() {
			out, err = s.env.Ledger.Decide(ctx, by.ID, e, verdict) // the same again, or a conflict
			return err
		}
		c, err := s.env.Store.Case(ctx, e.Shard, id)
		if err != nil {
			return fmt.Errorf("read case: %w", err)
		}
		if err := s.alone(ctx, e, &c); err != nil {
			return err
		}
		if out, err = s.env.Ledger.Decide(ctx, by.ID, e, verdict); err != nil {
			return err
		}
		if err := s.stillAlone(ctx, e); err != nil {
			return err
		}
		return s.put(ctx, by, e, c, Note{What: whatOf(verdict)})
	})
	return out, err
}

func whatOf(v entry.Verdict) string {
	if v == entry.VerdictReject {
		return LetNothing
	}
	return LetCount
}

// Reopen unsettles an exception, with the reason in words. It takes one person: it only
// makes more work.
func (s *Service) Reopen(ctx context.Context, by Person, id uuid.UUID, text string) (Work, error) {
	text, err := readText(text)
	if err != nil {
		return Work{}, err
	}
	return s.change(ctx, by, id, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
		if c.Resolution == Unresolved {
			return Note{}, problem.New(problem.StateConflict, "it is not settled")
		}
		c.Resolution = Unresolved
		return s.record(ctx, actors{by: by}, e, *c, entry.CaseReopened, Note{What: Reopened, Text: text}, text)
	})
}

// do changes a case by a deed that was checked, in the caller's transaction.
func (s *Service) do(ctx context.Context, a actors, e ledger.Exception, c *Case, d Deed) (Note, error) {
	switch d.Action {
	case ActResolve:
		if err := workable(e, c); err != nil {
			return Note{}, err
		}
		c.Resolution = d.Resolution
		if a.by.ID != uuid.Nil {
			c.Owner, c.OwnerName = a.by.ID, a.by.Name
		}
		return s.record(ctx, a, e, *c, entry.CaseSettled, Note{What: Resolved, Text: d.Text}, d.Text)
	case ActLiable:
		was := Work{Exception: e, Case: *c}.Liable()
		if was == d.Liable {
			return Note{}, problem.Newf(problem.StateConflict, "%s answers for it already", was)
		}
		c.Liable = d.Liable
		return s.record(ctx, a, e, *c, entry.CaseLiable, Note{What: LiableSet, Text: was + " → " + d.Liable + ": " + d.Text}, d.Text)
	default:
		verdict := verdicts[d.Action]
		if _, err := s.env.Ledger.DecideByTwo(ctx, a.by.ID, a.second, e, verdict); err != nil {
			return Note{}, err
		}
		if a.second == uuid.Nil {
			if err := s.stillAlone(ctx, e); err != nil {
				return Note{}, err
			}
		}
		return Note{What: whatOf(verdict), Text: d.Text}, nil // the ledger journals its decisions
	}
}

// record writes a step into HQ's journal, under the note that has its words.
func (s *Service) record(ctx context.Context, a actors, e ledger.Exception, c Case, step entry.CaseStep, note Note, text string) (Note, error) {
	note.ID = s.env.NewID()
	err := s.env.Journal.Append(ctx, hqjournal.Fact{Shard: e.Shard, Kind: entry.KindHQCase, Body: entry.HQCase{
		Exception: e.ID, Source: e.Source[:], Cause: string(e.Kind), Step: step, Resolution: string(c.Resolution),
		Liable: Work{Exception: e, Case: c}.Liable(), By: a.by.ID, Second: a.second, Rule: a.rule, RuleVersion: a.ruleVersion,
		At: s.now().UnixMilli(), Text: entry.CaseText(note.ID, text), Unit: e.Unit, Amount: e.Amount, Currency: e.Currency, Money: e.Money,
	}})
	if err != nil {
		return Note{}, fmt.Errorf("write into HQ's journal: %w", err)
	}
	return note, nil
}
