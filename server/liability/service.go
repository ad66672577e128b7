package liability

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
)

// Store is the storage of the figures. Methods join the transaction in ctx.
type Store interface {
	sums
	values
	postings

	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// EachMoved calls do for what is summed of a unit and was recorded through a day, in
	// any order.
	EachMoved(ctx context.Context, unit string, known Day, do func(Row) error) error
	// MovedUnits are the units of which something has moved.
	MovedUnits(ctx context.Context) ([]string, error)
	// MovedTotals sums what is summed by unit and pair of books alone.
	MovedTotals(ctx context.Context) ([]Row, error)
}

// Env is what a service stands on.
type Env struct {
	Store   Store
	Journal Journal
	Clock   clock.Clock
	Prices  Prices // nil where nobody settles
}

// Service keeps the figures and answers questions. It is safe for concurrent use, also by
// several processes on one database.
type Service struct {
	env  Env
	turn chan struct{} // has one in it while somebody sums
	most time.Duration
}

// New returns a service.
func New(env Env) *Service { return &Service{env: env, turn: make(chan struct{}, 1), most: mostTime} }

// mostTime bounds the work for one answer. It is not less than [longest], and less than
// what a proxy waits.
const mostTime = 20 * time.Second

// inTime does the work for an answer, or is problem.Unavailable when it takes too long.
// What was summed until then stays, so that the next one who asks waits for less.
func (s *Service) inTime(ctx context.Context, do func(ctx context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, s.most)
	defer cancel()
	err := do(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return problem.Newf(problem.Unavailable, "this takes longer than %s; ask again, what was summed stays", s.most)
	}
	return err
}

// MostMonths bounds one roll-forward.
const MostMonths = 60

// Report is the answer to a question, with how far it reaches.
type Report struct {
	Question
	Months []MonthOf
	Values []Valued // of the last month's closing, one for each currency
}

// Roll answers a question, with everything applied so far. Question.Until and .Known of
// zero are today, To of zero is their month, From of zero eleven months before it.
func (s *Service) Roll(ctx context.Context, q Question) (Report, error) {
	q, err := s.asked(q)
	if err != nil {
		return Report{}, err
	}
	roll := NewRoll(q)
	err = s.inTime(ctx, func(ctx context.Context) error {
		if err := s.Sum(ctx); err != nil {
			return err
		}
		return s.each(ctx, q.Unit, q.Known, roll.Add)
	})
	if err != nil {
		return Report{}, err
	}
	out := Report{Question: q, Months: roll.Months()}
	if len(out.Months) > 0 {
		last := out.Months[len(out.Months)-1]
		out.Values, err = s.valued(ctx, q.Unit, min(q.Until, last.Month.last()), last.Total.Closing)
	}
	return out, err
}

// asked fills in and checks a question.
func (s *Service) asked(q Question) (Question, error) {
	today := DayAt(s.env.Clock.Now())
	if q.Known == 0 {
		q.Known = today
	}
	if q.Until == 0 {
		q.Until = today
	}
	if q.By == Recorded {
		q.Until = min(q.Until, q.Known)
	}
	if q.To == 0 {
		q.To = MonthAt(q.Until)
	}
	if q.From == 0 {
		q.From = q.To - 11
	}
	switch {
	case q.Unit == "":
		return q, problem.New(problem.InvalidField, "unit is missing")
	case q.By != Recorded && q.By != Effective:
		return q, problem.New(problem.InvalidField, "by must be recorded or effective")
	case q.From > q.To:
		return q, problem.New(problem.InvalidField, "from is after to")
	case q.To-q.From >= MostMonths:
		return q, problem.Newf(problem.InvalidField, "at most %d months can be shown at once", MostMonths)
	}
	return q, nil
}

func (s *Service) each(ctx context.Context, unit string, known Day, add func(Row)) error {
	err := s.env.Store.EachMoved(ctx, unit, known, func(r Row) error {
		add(r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what moved: %w", err)
	}
	return nil
}

// Owed is what is owed in each unit by what has been summed, for gauges: it reads nothing
// that grows with the members.
func (s *Service) Owed(ctx context.Context) (map[string]Beside, error) {
	rows, err := s.env.Store.MovedTotals(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what moved: %w", err)
	}
	out := map[string]Beside{}
	for _, r := range rows {
		b := out[r.Unit]
		b.count(r)
		out[r.Unit] = b
	}
	return out, nil
}

// Units are the units that anything is owed in, or was.
func (s *Service) Units(ctx context.Context) ([]string, error) {
	if err := s.inTime(ctx, s.Sum); err != nil {
		return nil, err
	}
	units, err := s.env.Store.MovedUnits(ctx)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	return units, nil
}
