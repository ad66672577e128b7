package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/sync/entry"
)

// RuleDay is what a rule settled on a day in UTC, YYYYMMDD. Stopped says that its cap kept
// it from more.
type RuleDay struct {
	Number    uint64
	Day       int64
	N, Amount int64
	Stopped   bool
}

// freshAtOnce is how many exceptions get their due date in one transaction, workAtOnce how
// many a rule works on in one round.
const (
	freshAtOnce = 200
	workAtOnce  = 1000
)

// Round does what HQ does by itself: it gives new exceptions their due date, ends proposals
// about which nothing is left to decide, and has the rules work. Doing it in two processes
// at once does no harm.
func (s *Service) Round(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.endMoot(ctx); err != nil {
		return err
	}
	rules, err := s.env.Store.Settings(ctx, SettingRule, InForce)
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	for _, one := range rules {
		r, err := one.Rule()
		if err != nil {
			return err
		}
		if err := s.work(ctx, r); err != nil {
			return fmt.Errorf("work by %s: %w", r.Title(), err)
		}
	}
	return nil
}

// open gives exceptions that came their due date.
func (s *Service) open(ctx context.Context) error {
	for more := true; more; {
		err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
			fresh, err := s.env.Store.Fresh(ctx, freshAtOnce)
			if err != nil || len(fresh) == 0 {
				more = false
				return err
			}
			more = len(fresh) == freshAtOnce
			policy, err := s.Policy(ctx)
			if err != nil {
				return err
			}
			for _, f := range fresh {
				c := f.Case
				if !f.Exception.Unsettled() || !c.DueAt.IsZero() {
					continue
				}
				c.DueAt, c.DueBy = policy.DueAt(f.Exception), policy.Name()
				if err := s.putCase(ctx, f.Exception, c); err != nil {
					return err
				}
			}
			return s.env.Store.Opened(ctx, fresh)
		})
		if problem.CodeOf(err) == problem.Conflict {
			return nil // somebody works on one of them; the next round sees it
		}
		if err != nil {
			return fmt.Errorf("give due dates: %w", err)
		}
	}
	return nil
}

// work has a rule do what it is for.
func (s *Service) work(ctx context.Context, r Rule) error {
	left, err := s.leftOut(ctx, r.Outcome)
	if err != nil {
		return err
	}
	to, ok, err := s.helper(ctx, r)
	if err != nil || !ok {
		return err
	}
	done := 0
	return s.each(ctx, r.Filter(s.now()), func(f Found) (bool, error) {
		if left(f.Exception) {
			return true, nil
		}
		more, err := s.workOn(ctx, r, f.Exception.ID, to)
		switch problem.CodeOf(err) {
		case problem.Conflict, problem.StateConflict, problem.SecondPersonNeeded:
			err = nil // somebody was quicker
		}
		done++
		return more && done < workAtOnce, err
	})
}

// helper is to whom a rule gives exceptions. It is not ok when there is nobody any more.
func (s *Service) helper(ctx context.Context, r Rule) (people.Person, bool, error) {
	if r.Outcome != OutcomeAssign {
		return people.Person{}, true, nil
	}
	p, err := s.assignee(ctx, r.Person)
	if problem.CodeOf(err) == problem.InvalidField {
		return p, false, nil
	}
	return p, true, err
}

// errOver ends the work of a rule that is in force no more.
var errOver = errors.New("the rule is in force no more")

// allowed refuses what a rule may not do by the settings of now, which people change while
// a round is under way.
func (s *Service) allowed(ctx context.Context, r Rule, e ledger.Exception) error {
	rules, err := s.env.Store.Settings(ctx, SettingRule, InForce)
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	if !slices.ContainsFunc(rules, func(one Setting) bool { return one.Number == r.Number && one.Version == r.Version }) {
		return errOver
	}
	left, err := s.leftOut(ctx, r.Outcome)
	if err == nil && left(e) {
		err = problem.New(problem.SecondPersonNeeded, "")
	}
	return err
}

// errCapped undoes what a rule may not do any more today.
var errCapped = errors.New("the rule has reached its cap")

// workOn has a rule work on one exception, if it still fits, and says whether it may go on.
func (s *Service) workOn(ctx context.Context, r Rule, id uuid.UUID, to people.Person) (more bool, err error) {
	today := dayOf(s.now())
	err = s.env.Store.InTx(ctx, func(ctx context.Context) error {
		e, err := s.env.Store.Exception(ctx, id)
		if err != nil {
			return err
		}
		return s.changeOne(ctx, Person{Name: r.Title()}, e, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
			if !r.Filter(s.now()).Matches(e, *c, s.now()) {
				return Note{}, problem.New(problem.StateConflict, "the rule does not fit any more")
			}
			if err := s.allowed(ctx, r, e); err != nil {
				return Note{}, err
			}
			switch r.Outcome {
			case OutcomeAssign:
				return assign(c, to), nil
			case OutcomeDue:
				return setDue(e, c, entryTime(e.RecordedAt).AddDate(0, 0, r.DueDays), r.Title(), r.Text)
			}
			if err := s.underCap(ctx, r, e, today); err != nil {
				return Note{}, err
			}
			return s.do(ctx, actors{rule: r.Number, ruleVersion: r.Version}, e, c, Deed{Action: ActResolve, Resolution: r.Resolution, Text: r.Text})
		})
	})
	if errors.Is(err, errOver) {
		return false, nil
	}
	if errors.Is(err, errCapped) {
		return false, s.env.Store.StopRuleDay(ctx, r.Number, today)
	}
	return true, err
}

// underCap counts what a rule settles; more than its cap is errCapped.
func (s *Service) underCap(ctx context.Context, r Rule, e ledger.Exception, today int64) error {
	day, err := s.env.Store.RuleDay(ctx, r.Number, today)
	if err != nil {
		return fmt.Errorf("read what the rule settled: %w", err)
	}
	weight := r.weight(e)
	if day.Stopped || day.Amount+weight > r.DailyCap {
		return errCapped
	}
	day.N, day.Amount = day.N+1, day.Amount+weight
	return s.env.Store.PutRuleDay(ctx, day)
}

// ruleDaysShown is how many days back is told what rules settled.
const ruleDaysShown = 30

// RuleDays returns what rules settled lately, the newest day first.
func (s *Service) RuleDays(ctx context.Context) ([]RuleDay, error) {
	return s.env.Store.RuleDays(ctx, dayOf(s.now().AddDate(0, 0, -ruleDaysShown)))
}

// Backlog counts exceptions that are overdue, and rules that their cap has stopped today.
func (s *Service) Backlog(ctx context.Context) (overdue, stopped int64, err error) {
	if overdue, err = s.Overdue(ctx); err != nil {
		return 0, 0, err
	}
	days, err := s.env.Store.RuleDays(ctx, dayOf(s.now()))
	if err != nil {
		return 0, 0, fmt.Errorf("read what rules settled: %w", err)
	}
	for _, d := range days {
		if d.Stopped {
			stopped++
		}
	}
	return overdue, stopped, nil
}

func dayOf(at time.Time) int64 { return int64(entry.DateOf(at)) }
