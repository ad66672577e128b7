package settlement

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// EachLine calls fn for every line of a party's statement; the programme has all lines.
func (s *Service) EachLine(ctx context.Context, m Month, party uuid.UUID, fn func(Line) error) error {
	for after := int64(0); ; {
		lines, err := s.Lines(ctx, m, party, after, linesAtOnce)
		if err != nil {
			return err
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
	terms, _, err := s.Terms(ctx)
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
		return problem.Newf(problem.StateConflict, "the chart has no account for %s of %s, and for %d more", missing[0].Quote, missing[0].Party, len(missing)-1)
	}
	return nil
}
