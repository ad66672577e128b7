package settlement

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// EachLine calls fn for every line of a party's statement; the programme has all lines. All
// are of one draft: when the month is drafted anew meanwhile it is problem.Conflict.
func (s *Service) EachLine(ctx context.Context, m Month, party uuid.UUID, fn func(Line) error) error {
	month, err := s.readable(ctx, m)
	if err != nil {
		return err
	}
	for after := int64(0); ; {
		lines, err := s.env.Store.SettlementLines(ctx, m, month.Attempt, party, party == clearing.Programme, after, linesAtOnce)
		if err != nil {
			return fmt.Errorf("read lines: %w", err)
		}
		// A draft that is over loses its lines, so that a page may be empty before the end.
		if now, err := s.readable(ctx, m); err != nil {
			return err
		} else if now.Attempt != month.Attempt {
			return problem.Newf(problem.Conflict, "%s was drafted anew meanwhile", m)
		}
		for _, l := range lines {
			if err := fn(l); err != nil {
				return err
			}
			after = l.No
		}
		if len(lines) < linesAtOnce {
			return nil
		}
	}
}

// WriteBooks writes a month as a double-entry journal of the company's own books. It is
// problem.StateConflict when the chart lacks an account, which it names.
func (s *Service) WriteBooks(ctx context.Context, m Month, dialect clearing.Dialect, w io.Writer) error {
	month, err := s.readable(ctx, m)
	if err != nil {
		return err
	}
	terms, err := s.TermsOf(ctx, m)
	if err != nil {
		return err
	}
	numbers := map[uuid.UUID]string{}
	err = s.eachStatement(ctx, month, func(row StatementRow, _ Statement) error {
		if row.Number != "" {
			numbers[row.Party] = row.Number
		}
		return nil
	})
	if err != nil {
		return err
	}
	books := clearing.NewLedger(terms, m, numbers)
	err = s.EachLine(ctx, m, clearing.Programme, func(l Line) error {
		books.Add(l)
		return nil
	})
	if err != nil {
		return err
	}
	missing, err := books.Write(w, dialect)
	if err != nil {
		return fmt.Errorf("write books: %w", err)
	}
	if len(missing) > 0 {
		return problem.Newf(problem.StateConflict, "the chart has no account for %s of %s, and for %d more", missing[0].Role, missing[0].Party, len(missing)-1)
	}
	return nil
}
