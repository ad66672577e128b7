package casework

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
)

// Bulk is one thing done to all exceptions that a filter means.
type Bulk struct {
	Filter     Filter
	Outcome    Outcome
	Person     uuid.UUID // to assign; zero is nobody
	Resolution Resolution
	DueAt      time.Time
	Text       string // the reason, to settle and to set when it is due
}

// MostBulk is how many exceptions one bulk does at most.
const MostBulk = 1000

func (s *Service) checkBulk(ctx context.Context, b *Bulk) (to people.Person, err error) {
	switch b.Outcome {
	case OutcomeSettle:
		d := b.deed()
		err = d.check()
		b.Text = d.Text
	case OutcomeDue:
		if err := s.dueOK(b.DueAt); err != nil {
			return to, err
		}
		b.Text, err = readText(b.Text)
	case OutcomeAssign:
		to, err = s.assignee(ctx, b.Person)
	default:
		err = refuse("/action", "must be settle, assign or due")
	}
	if err != nil {
		return to, err
	}
	f := fields{}
	f.measure("/filter", b.Filter.Kind, b.Filter.Unit, b.Filter.Currency, 0)
	f.unless(b.Filter.UpTo >= 0 && (b.Filter.UpTo == 0 || b.Filter.Unit != "" || b.Filter.Currency != ""), "/filter/up_to", "needs a unit or a currency")
	return to, f.err("these exceptions cannot be found")
}

// deed is what a bulk that settles does to each.
func (b Bulk) deed() Deed {
	return Deed{Action: ActResolve, Resolution: b.Resolution, Text: b.Text}
}

// TryBulk counts what a bulk would do now.
func (s *Service) TryBulk(ctx context.Context, b Bulk) (Trial, error) {
	if _, err := s.checkBulk(ctx, &b); err != nil {
		return Trial{}, err
	}
	left, err := s.leftOut(ctx, b.Outcome)
	if err != nil {
		return Trial{}, err
	}
	return s.try(ctx, b.Filter, left)
}

// DoBulk does it, all or none, to exactly as many as were confirmed: the N of a trial less
// what is left out. When there are more or fewer now it is problem.StateConflict.
func (s *Service) DoBulk(ctx context.Context, by Person, b Bulk, confirmed int64) (Trial, error) {
	to, err := s.checkBulk(ctx, &b)
	if err != nil {
		return Trial{}, err
	}
	if confirmed < 1 || confirmed > MostBulk {
		return Trial{}, refuse("/count", fmt.Sprintf("must be 1 to %d; narrow the filter", MostBulk))
	}
	var out Trial
	err = s.env.Store.InTx(ctx, func(ctx context.Context) error {
		left, err := s.leftOut(ctx, b.Outcome)
		if err != nil {
			return err
		}
		if out, err = s.try(ctx, b.Filter, left); err != nil {
			return err
		}
		if n := out.N - out.LeftOut; n != confirmed || out.More {
			return problem.Newf(problem.StateConflict, "there are %d now and not %d; look again", n, confirmed)
		}
		var all []ledger.Exception
		err = s.each(ctx, b.Filter, func(f Found) (bool, error) {
			if !left(f.Exception) {
				all = append(all, f.Exception)
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := s.bulkOne(ctx, by, e, b, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Trial{}, fmt.Errorf("work on exceptions: %w", err)
	}
	return out, nil
}

func (s *Service) bulkOne(ctx context.Context, by Person, e ledger.Exception, b Bulk, to people.Person) error {
	return s.changeOne(ctx, by, e, func(ctx context.Context, e ledger.Exception, c *Case) (Note, error) {
		switch b.Outcome {
		case OutcomeAssign:
			return assign(c, to), nil
		case OutcomeDue:
			return setDue(e, c, b.DueAt, "person", b.Text)
		}
		return s.do(ctx, actors{by: by}, e, c, b.deed())
	})
}
