package settlement

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// Preview is what an open month comes to so far, by the terms of now: statements without
// numbers. Nothing of it is kept, so that nobody can lock it.
type Preview struct {
	Month      Month
	AsOf       int64 // Unix milliseconds
	Missing    []clearing.Missing
	Statements []Statement // by the codes of parties
}

// Preview prices what was applied of an open month, which may be running. What changed
// terms mean for locked months is in it when all months before it are locked.
func (s *Service) Preview(ctx context.Context, m Month) (Preview, error) {
	month, err := s.Month(ctx, m)
	if err != nil {
		return Preview{}, err
	}
	if month.State != clearing.Open {
		return Preview{}, problem.Newf(problem.StateConflict, "%s is %s; only an open month has a preview", m, month.State)
	}
	terms, _, err := s.Terms(ctx)
	if err != nil {
		return Preview{}, err
	}
	newest, err := s.env.Store.SettlementMonths(ctx, 0, 1)
	if err != nil {
		return Preview{}, fmt.Errorf("read months: %w", err)
	}
	since := m.First()
	if len(newest) == 1 && newest[0].State == clearing.Locked && newest[0].Month.Next() == m {
		if since, err = s.compareSince(ctx, m); err != nil {
			return Preview{}, err
		}
	}
	out := Preview{Month: m, AsOf: s.env.Clock.Now().UnixMilli()}
	book, missing, err := s.price(ctx, m, terms, since, func([]Line) error { return nil })
	if err != nil {
		return Preview{}, fmt.Errorf("price %s so far: %w", m, err)
	}
	out.Missing, out.Statements = missing, book.Statements()
	for i := range out.Statements {
		out.Statements[i].State, out.Statements[i].CutAt = clearing.Preview, out.AsOf
	}
	return out, nil
}
