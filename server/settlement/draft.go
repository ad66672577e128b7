package settlement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// linesAtOnce is how many lines are written at once.
const linesAtOnce = 1000

// draftAsked drafts the month that somebody asked for.
func (s *Service) draftAsked(ctx context.Context) error {
	newest, err := s.env.Store.SettlementMonths(ctx, 0, 1)
	if err != nil {
		return fmt.Errorf("read months: %w", err)
	}
	if len(newest) == 0 || newest[0].State != clearing.Drafting || newest[0].Failure.RetryAt > s.env.Clock.Now().UnixMilli() {
		return nil
	}
	m := newest[0]
	// A draft has its own attempt, so that two processes at it write beside each other and
	// one is the month's.
	m.Attempt++
	m.Version++
	err = s.env.Store.PutSettlementMonth(ctx, m)
	if err == nil {
		err = s.draft(ctx, &m)
	}
	switch {
	case err == nil || problem.CodeOf(err) == problem.Conflict:
		return nil // it is drafted; another process drafts it, or somebody asked again
	case ctx.Err() != nil:
		return err
	}
	return errors.Join(fmt.Errorf("draft %s: %w", m.Month, err), s.failed(ctx, m, err))
}

// Between two tries of a draft that fails goes by twice as long as before.
const (
	firstRetry = 5 * time.Second
	lastRetry  = time.Hour
)

// failed keeps why a draft failed, and when it is tried again. What it wrote goes.
func (s *Service) failed(ctx context.Context, m MonthRow, why error) error {
	m.Failure.Times++
	m.Failure.Code, m.Failure.Detail = problem.CodeOf(why), ""
	if known := (*problem.Error)(nil); errors.As(why, &known) {
		m.Failure.Detail = known.Detail
	}
	wait := lastRetry
	if doublings := m.Failure.Times - 1; doublings < 10 {
		wait = min(firstRetry<<doublings, lastRetry)
	}
	m.Failure.RetryAt = s.env.Clock.Now().Add(wait).UnixMilli()
	m.Version++
	if err := s.env.Store.PutSettlementMonth(ctx, m); err != nil {
		if problem.CodeOf(err) == problem.Conflict {
			return nil // somebody asked again
		}
		return fmt.Errorf("keep why a draft failed: %w", err)
	}
	return s.env.Store.DropAttempts(ctx, m.Month, m.Attempt+1)
}

func (s *Service) draft(ctx context.Context, m *MonthRow) error {
	if m.CutAt == 0 { // a try that failed later has drawn the line already
		if err := s.cut(ctx, m); err != nil {
			return err
		}
	}
	terms, last, err := s.Terms(ctx)
	if err != nil {
		return err
	}
	m.Terms = last
	since, err := s.compareSince(ctx, m.Month)
	if err != nil {
		return err
	}
	book, missing, err := s.lines(ctx, *m, terms, since)
	if err != nil {
		return err
	}
	if err := s.statements(ctx, *m, book); err != nil {
		return err
	}
	if m.Body, err = wire.Marshal(missing); err != nil {
		return err
	}
	done := *m
	done.State, done.Failure = clearing.Drafted, Failure{}
	done.Version++
	if err := s.env.Store.PutSettlementMonth(ctx, done); err != nil {
		return err
	}
	return s.env.Store.DropAttempts(ctx, m.Month, m.Attempt)
}

// cut draws the line: the month takes what was applied by now, in every shard, and what is
// applied later goes to the next one. Where nothing came since the month was cut before,
// that cut stays.
func (s *Service) cut(ctx context.Context, m *MonthRow) error {
	if _, err := s.Follow(ctx); err != nil {
		return err
	}
	row := *m
	row.CutAt = s.env.Clock.Now().UnixMilli()
	row.Version++
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.env.Store.PutSettlementMonth(ctx, row); err != nil {
			return err
		}
		var facts []hqjournal.Fact
		for in := range shard.Count {
			at, err := s.env.Store.SettlementCursor(ctx, in)
			if err != nil {
				return fmt.Errorf("read cursor: %w", err)
			}
			if at.Cut == m.Month {
				cuts, err := s.env.Store.SettlementCuts(ctx, in)
				if err != nil {
					return fmt.Errorf("read cuts: %w", err)
				}
				if n := len(cuts); n > 0 && cuts[n-1] == (Cut{in, m.Month, at.Pos}) {
					continue
				}
			}
			to := at
			to.Cut = m.Month
			if err := s.env.Store.MoveSettlementCursor(ctx, at, to); err != nil {
				return err
			}
			if err := s.env.Store.PutSettlementCut(ctx, Cut{in, m.Month, at.Pos}); err != nil {
				return fmt.Errorf("cut shard %d: %w", in, err)
			}
			facts = append(facts, hqjournal.Fact{
				Shard: in, Kind: entry.KindHQSettlementCut, NotBefore: row.CutAt,
				Body: entry.HQSettlementCut{Month: uint32(m.Month), Shard: uint8(in), Pos: at.Pos},
			})
		}
		return s.env.Journal.Append(ctx, facts...)
	})
	if err == nil {
		*m = row
	}
	return err
}

// compareSince is the first date whose lines are held against what locked months state:
// that of a term that was recorded after the last lock, or none before the month.
func (s *Service) compareSince(ctx context.Context, m Month) (entry.Date, error) {
	before, err := s.env.Store.SettlementMonths(ctx, m, 1)
	if err != nil {
		return 0, fmt.Errorf("read the month before: %w", err)
	}
	if len(before) == 0 {
		return m.First(), nil
	}
	changed, err := s.changedSince(ctx, before[0].Terms)
	if err != nil || changed == 0 {
		return m.First(), err
	}
	if changed >= m.First() {
		return m.First(), nil
	}
	// What was undone has the day of what was done, and may have been undone, or issued,
	// by another owner on a later one.
	first, err := s.env.Store.FirstTouched(ctx, m, changed)
	if err != nil {
		return 0, fmt.Errorf("find the first day that is touched: %w", err)
	}
	if first != 0 {
		changed = min(changed, first)
	}
	return changed, nil
}

// lines prices the moves of a month and writes its lines.
func (s *Service) lines(ctx context.Context, m MonthRow, terms *clearing.Terms, since entry.Date) (*clearing.Book, []clearing.Missing, error) {
	var waiting []Line
	flush := func() error {
		if len(waiting) == 0 {
			return nil
		}
		err := s.env.Store.AddSettlementLines(ctx, m.Attempt, waiting)
		waiting = waiting[:0]
		return err
	}
	book, missing, err := s.price(ctx, m.Month, terms, since, func(lines []Line) error {
		if waiting = append(waiting, lines...); len(waiting) < linesAtOnce {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("write lines: %w", err)
	}
	return book, missing, nil
}

// price prices the moves of a month and hands out its lines.
func (s *Service) price(ctx context.Context, m Month, terms *clearing.Terms, since entry.Date, each func([]Line) error) (*clearing.Book, []clearing.Missing, error) {
	pricer, book := clearing.NewPricer(terms, m), clearing.NewBook(terms, m)
	err := s.env.Store.SettlementSpots(ctx, m, since, func(spot clearing.Spot, sums []clearing.Sum, stated []Line) error {
		lines := pricer.Lines(spot, sums, stated)
		for _, l := range lines {
			book.Add(l)
		}
		return each(lines)
	})
	missing := pricer.Missing()
	if book.Overrun() {
		missing = append(missing, clearing.Missing{What: "overflow", Day: m.First()})
	}
	return book, missing, err
}

// statements writes the statements of a draft, with what was not finished.
func (s *Service) statements(ctx context.Context, m MonthRow, book *clearing.Book) error {
	remarks, err := s.env.Store.SettlementUnfinished(ctx, m.Month)
	if err != nil {
		return fmt.Errorf("count what is not finished: %w", err)
	}
	var rows []StatementRow
	for _, st := range book.Statements() {
		st.State, st.CutAt, st.Remarks = clearing.Drafted, m.CutAt, remarks
		for i := range st.Notes {
			if st.Notes[i].OfNumber, err = s.numberOf(ctx, st.Notes[i].Of, st.Party.ID); err != nil {
				return err
			}
		}
		raw, err := wire.Marshal(st)
		if err != nil {
			return err
		}
		rows = append(rows, StatementRow{Party: st.Party.ID, Month: m.Month, Body: raw})
	}
	if err := s.env.Store.AddSettlementStatements(ctx, m.Attempt, rows); err != nil {
		return fmt.Errorf("write statements: %w", err)
	}
	return nil
}

// Statement returns a party's statement of a month, or problem.NotFound.
func (s *Service) Statement(ctx context.Context, m Month, party uuid.UUID) (Statement, error) {
	month, err := s.readable(ctx, m)
	if err != nil {
		return Statement{}, err
	}
	row, err := s.env.Store.SettlementStatement(ctx, m, month.Attempt, party)
	if err != nil {
		return Statement{}, err
	}
	return wire.Unmarshal[Statement](row.Body)
}

// Statements returns the statements of a month behind a party, by the ids of parties.
func (s *Service) Statements(ctx context.Context, m Month, after uuid.UUID, first bool, limit int) ([]Statement, error) {
	month, err := s.readable(ctx, m)
	if err != nil {
		return nil, err
	}
	rows, err := s.env.Store.SettlementStatements(ctx, m, month.Attempt, after, first, limit)
	if err != nil {
		return nil, fmt.Errorf("read statements: %w", err)
	}
	out := make([]Statement, 0, len(rows))
	for _, row := range rows {
		st, err := wire.Unmarshal[Statement](row.Body)
		if err != nil {
			return nil, fmt.Errorf("read statement: %w", err)
		}
		out = append(out, st)
	}
	return out, nil
}

// readable is a month that has statements.
func (s *Service) readable(ctx context.Context, m Month) (MonthRow, error) {
	row, err := s.env.Store.SettlementMonth(ctx, m)
	if err != nil {
		return MonthRow{}, err
	}
	if row.State != clearing.Drafted && row.State != clearing.Locked {
		return MonthRow{}, problem.Newf(problem.StateConflict, "%s is %s and has no statements yet", m, row.State)
	}
	return row, nil
}

// Lines returns lines of a party's statement with numbers above after; the programme has
// all lines.
func (s *Service) Lines(ctx context.Context, m Month, party uuid.UUID, after int64, limit int) ([]Line, error) {
	month, err := s.readable(ctx, m)
	if err != nil {
		return nil, err
	}
	lines, err := s.env.Store.SettlementLines(ctx, m, month.Attempt, party, party == clearing.Programme, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	return lines, nil
}

// Moves returns the postings behind a line. Those of a line that changed terms brought
// about are in the month that it corrects.
func (s *Service) Moves(ctx context.Context, m Month, no int64, after MovePlace, limit int) (Line, []clearing.Move, error) {
	month, err := s.readable(ctx, m)
	if err != nil {
		return Line{}, nil, err
	}
	line, err := s.env.Store.SettlementLine(ctx, m, month.Attempt, no)
	if err != nil {
		return Line{}, nil, err
	}
	moves, err := s.env.Store.SettlementLineMoves(ctx, m, line, after, limit)
	if err != nil {
		return Line{}, nil, fmt.Errorf("read the postings of a line: %w", err)
	}
	return line, moves, nil
}
