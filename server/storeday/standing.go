package storeday

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// State is where a store's day stands.
type State string

// States, in the order a day goes through them.
const (
	StateOpen       State = "open"       // it is not over
	StateWaiting    State = "waiting"    // for lanes, see [Day.Waiting]
	StateExceptions State = "exceptions" // for people to settle what stands against it
	StateMatched    State = "matched"    // it is signed next
	StateCertified  State = "certified"
)

// Day is where one day stands. It waits for the days before it, too.
type Day struct {
	Date      entry.Date
	State     State
	Waiting   []Waiting
	Blocking  []uuid.UUID // exceptions
	Certified *Certified  // of a day that is
}

// mostStanding bounds how many days are shown as not certified.
const mostStanding = 100

// mostCertified bounds how many certificates are listed.
const mostCertified = 401

// Days lists the days of a store by date: those certified, and behind them those that are
// not.
func (s *Service) Days(ctx context.Context, store uuid.UUID, from, to entry.Date) ([]Day, error) {
	standing, err := s.Standing(ctx, store)
	if err != nil {
		return nil, err
	}
	certified, err := s.env.Store.CertifiedDays(ctx, store, from, mostCertified)
	if err != nil {
		return nil, fmt.Errorf("list certificates: %w", err)
	}
	out := []Day{}
	for _, c := range certified {
		if c.Date <= to {
			out = append(out, Day{Date: c.Date, State: StateCertified, Certified: &c})
		}
	}
	for _, d := range standing {
		if d.Date >= from && d.Date <= to {
			out = append(out, d)
		}
	}
	return out, nil
}

// Certificate returns the certificate of a day, or problem.NotFound.
func (s *Service) Certificate(ctx context.Context, store uuid.UUID, date entry.Date) (Certified, error) {
	if _, err := s.env.Fleet.Store(ctx, store); err != nil {
		return Certified{}, err
	}
	return s.env.Store.Certified(ctx, store, date)
}

// Standing lists the days of a store behind the last certificate, the first one first.
// There are none before a terminal has closed one.
func (s *Service) Standing(ctx context.Context, id uuid.UUID) ([]Day, error) {
	store, err := s.env.Fleet.Store(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("show days: %w", err)
	}
	_, date, err := s.next(ctx, store)
	if err != nil || date == 0 {
		return nil, err
	}
	lanes, err := s.lanes(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("show days: %w", err)
	}
	newest := date
	for _, l := range lanes {
		for _, c := range l.Closes {
			newest = max(newest, c.Date)
		}
	}
	var out []Day
	for ; date <= newest && len(out) < mostStanding; date = date.Next() {
		day := Day{Date: date, State: StateMatched}
		spans, waiting := Stand(date, s.over(store, date), lanes)
		day.Waiting = waiting
		if len(out) == 0 { // what stands against later ones shows when it is their turn
			if day.Blocking, err = s.blocking(ctx, spans); err != nil {
				return nil, err
			}
		}
		switch {
		case len(waiting) > 0 && !closedBy(lanes, date) && !s.over(store, date):
			day.State = StateOpen
		case len(waiting) > 0 || len(out) > 0 && out[len(out)-1].State != StateMatched:
			day.State = StateWaiting
		case len(day.Blocking) > 0:
			day.State = StateExceptions
		}
		out = append(out, day)
	}
	return out, nil
}

// closedBy says whether a lane has closed a date.
func closedBy(lanes []Lane, date entry.Date) bool {
	for _, l := range lanes {
		for _, c := range l.Closes {
			if c.Date >= date {
				return true
			}
		}
	}
	return false
}

// blocking names the exceptions of spans that people have to settle first.
func (s *Service) blocking(ctx context.Context, spans []Span) (out []uuid.UUID, err error) {
	for _, span := range spans {
		open, err := s.env.Store.BlockedBy(ctx, span.Lane.Writer, span.First, span.Last, blocking)
		if err != nil {
			return nil, fmt.Errorf("look for what blocks a day: %w", err)
		}
		out = append(out, open...)
	}
	return out, nil
}
