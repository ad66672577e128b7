package settlement

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// MonthState is how far a month is. Missing is what its draft had needed.
type MonthState struct {
	MonthRow
	Missing []clearing.Missing
}

func stateOf(row MonthRow) (MonthState, error) {
	out := MonthState{MonthRow: row}
	if len(row.Body) == 0 {
		return out, nil
	}
	missing, err := wire.Unmarshal[[]clearing.Missing](row.Body)
	out.Missing = missing
	return out, err
}

// Month returns a month that somebody asked for, or an open one.
func (s *Service) Month(ctx context.Context, m Month) (MonthState, error) {
	if !m.Valid() {
		return MonthState{}, problem.New(problem.NotFound, "there is no such month")
	}
	row, err := s.env.Store.SettlementMonth(ctx, m)
	if problem.CodeOf(err) == problem.NotFound {
		return MonthState{MonthRow: MonthRow{Month: m, State: clearing.Open}}, nil
	}
	if err != nil {
		return MonthState{}, fmt.Errorf("read month: %w", err)
	}
	return stateOf(row)
}

// Months lists months before one, or all for zero, the newest first: those that somebody
// asked for, and the open ones that come behind them, through the running one.
func (s *Service) Months(ctx context.Context, before Month, limit int) ([]MonthState, error) {
	out, err := s.openMonths(ctx, before, limit)
	if err != nil || len(out) == limit {
		return out, err
	}
	rows, err := s.env.Store.SettlementMonths(ctx, before, limit-len(out))
	if err != nil {
		return nil, fmt.Errorf("list months: %w", err)
	}
	for _, row := range rows {
		st, err := stateOf(row)
		if err != nil {
			return nil, fmt.Errorf("read month %s: %w", row.Month, err)
		}
		out = append(out, st)
	}
	return out, nil
}

// openMonths are the open months behind those that somebody asked for, the newest first.
func (s *Service) openMonths(ctx context.Context, before Month, limit int) ([]MonthState, error) {
	newest, err := s.env.Store.SettlementMonths(ctx, 0, 1)
	if err != nil {
		return nil, fmt.Errorf("read the newest month: %w", err)
	}
	from := Month(0)
	if len(newest) == 1 {
		from = newest[0].Month.Next()
	} else if from, err = s.env.Store.FirstSettlementMonth(ctx); err != nil {
		return nil, fmt.Errorf("find the first month: %w", err)
	}
	running := clearing.MonthOf(entry.DateOf(s.env.Clock.Now().UTC().Add(14 * time.Hour))) // it has begun somewhere
	var out []MonthState
	for m := from; m.Valid() && m <= running && (before == 0 || m < before); m = m.Next() {
		out = append(out, MonthState{MonthRow: MonthRow{Month: m, State: clearing.Open}})
	}
	slices.Reverse(out)
	return out[:min(len(out), limit)], nil
}

// next is the month that can be drafted when all others are locked: the one behind the
// newest, or the first with moves.
func (s *Service) next(ctx context.Context, newest []MonthRow) (Month, error) {
	if len(newest) == 0 {
		return s.env.Store.FirstSettlementMonth(ctx)
	}
	if newest[0].State != clearing.Locked {
		return 0, nil
	}
	return newest[0].Month.Next(), nil
}

// Draft asks for the draft of a month. The month must be over everywhere, and all months
// before it locked. Asked again, the month is drafted anew with what was applied meanwhile,
// and one whose draft failed is tried at once.
func (s *Service) Draft(ctx context.Context, by uuid.UUID, m Month) (MonthState, error) {
	if !m.Valid() {
		return MonthState{}, problem.New(problem.NotFound, "there is no such month")
	}
	if entry.DateOf(s.env.Clock.Now().UTC().Add(-12*time.Hour)) <= m.Last() {
		return MonthState{}, problem.Newf(problem.StateConflict, "%s is not over everywhere", m)
	}
	var out MonthState
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		newest, err := s.env.Store.SettlementMonths(ctx, 0, 1)
		if err != nil {
			return fmt.Errorf("read months: %w", err)
		}
		var row MonthRow
		if len(newest) == 1 && newest[0].Month == m {
			row = newest[0]
		} else if err := s.draftable(ctx, m, newest); err != nil {
			return err
		}
		switch row.State {
		case clearing.Locked:
			return problem.Newf(problem.StateConflict, "%s is locked", m)
		case clearing.Drafting:
			if row.Failure.Times == 0 {
				out, err = stateOf(row)
				return err
			}
		}
		row.Month, row.State, row.DraftedBy, row.Body, row.CutAt, row.Failure = m, clearing.Drafting, by, nil, 0, Failure{}
		row.Attempt++
		row.Version++
		out = MonthState{MonthRow: row}
		return s.env.Store.PutSettlementMonth(ctx, row)
	})
	return out, err
}

// draftable refuses a month that is not the next one.
func (s *Service) draftable(ctx context.Context, m Month, newest []MonthRow) error {
	if len(newest) == 1 && newest[0].Month > m {
		return problem.Newf(problem.StateConflict, "%s comes before %s, which was drafted", m, newest[0].Month)
	}
	next, err := s.next(ctx, newest)
	switch {
	case err != nil:
		return fmt.Errorf("find the next month: %w", err)
	case len(newest) == 1 && next == 0:
		return problem.Newf(problem.StateConflict, "%s is not locked yet", newest[0].Month)
	case next != 0 && m != next:
		return problem.Newf(problem.StateConflict, "%s is the month to draft", next)
	}
	return nil
}

// Lock locks a drafted month: its statements get their numbers and never change again. It
// takes another person than the one who asked for the draft, and nothing may be missing.
func (s *Service) Lock(ctx context.Context, by uuid.UUID, m Month) (MonthState, error) {
	return s.LockSeen(ctx, by, m, 0)
}

// LockSeen locks the draft that was cut at a time, in Unix milliseconds, or whichever there
// is for zero. When the month was drafted anew since, it is problem.Conflict: nobody locks
// what they have not seen.
func (s *Service) LockSeen(ctx context.Context, by uuid.UUID, m Month, cutAt int64) (MonthState, error) {
	var out MonthState
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		row, err := s.env.Store.SettlementMonth(ctx, m)
		if err != nil {
			return err
		}
		if out, err = stateOf(row); err != nil {
			return err
		}
		if err := lockable(out, by); err != nil {
			return err
		}
		if cutAt != 0 && cutAt != out.CutAt {
			return problem.Newf(problem.Conflict, "%s was drafted anew", m)
		}
		out.State, out.LockedBy, out.LockedAt = clearing.Locked, by, s.env.Clock.Now().UnixMilli()
		out.Version++
		if err := s.env.Store.PutSettlementMonth(ctx, out.MonthRow); err != nil {
			return err
		}
		if err := s.keepNames(ctx, m); err != nil {
			return err
		}
		facts, err := s.numberAll(ctx, out.MonthRow)
		if err != nil {
			return err
		}
		body := entry.HQSettlementMonth{
			Month: uint32(m), Terms: out.Terms, CutAt: out.CutAt, Statements: uint32(len(facts)), Drafted: out.DraftedBy, Locked: by,
		}
		return s.env.Journal.Append(ctx, append(facts, hqjournal.Fact{
			Shard: shard.Of(uuid.Nil), Kind: entry.KindHQSettlementMonth, NotBefore: out.LockedAt, Body: body,
		})...)
	})
	return out, err
}

func lockable(m MonthState, by uuid.UUID) error {
	switch {
	case m.State != clearing.Drafted:
		return problem.Newf(problem.StateConflict, "%s is %s, not drafted", m.Month, m.State)
	case m.DraftedBy == by:
		return problem.New(problem.Forbidden, "another person than the one who drafted the month locks it")
	case len(m.Missing) > 0:
		words := make([]string, 0, 3)
		for _, x := range m.Missing[:min(3, len(m.Missing))] {
			words = append(words, x.String())
		}
		return problem.Newf(problem.StateConflict, "%d things are missing: %s", len(m.Missing), strings.Join(words, "; "))
	}
	return nil
}

// statementsAtOnce is how many statements are read at once.
const statementsAtOnce = 200

// numberAll gives the statements of a month their numbers, in the order of parties, and
// returns what HQ's journal says of them.
func (s *Service) numberAll(ctx context.Context, m MonthRow) (facts []hqjournal.Fact, err error) {
	err = s.eachStatement(ctx, m, func(row StatementRow, st Statement) error {
		fact, err := s.number(ctx, m, row, st)
		facts = append(facts, fact)
		return err
	})
	return facts, err
}

// number gives a statement and its notes the next numbers of their party's year.
func (s *Service) number(ctx context.Context, m MonthRow, row StatementRow, st Statement) (hqjournal.Fact, error) {
	series := Series{Party: row.Party, Year: m.Month.Year(), Epoch: max(s.env.Epoch, 1)}
	first, err := s.env.Store.NextNumbers(ctx, series, 1+len(st.Notes))
	if err != nil {
		return hqjournal.Fact{}, fmt.Errorf("take numbers of party %s: %w", st.Party.Code, err)
	}
	st.Number, st.State, st.LockedAt = documentNumber(st.Party.Code, series, first), clearing.Locked, m.LockedAt
	for i := range st.Notes {
		st.Notes[i].Number = documentNumber(st.Party.Code, series, first+1+uint64(i))
	}
	row.Number = st.Number
	if row.Body, err = wire.Marshal(st); err != nil {
		return hqjournal.Fact{}, err
	}
	if err := s.env.Store.NumberStatement(ctx, m.Attempt, row); err != nil {
		return hqjournal.Fact{}, fmt.Errorf("number statement of party %s: %w", st.Party.Code, err)
	}
	digest := sha256.Sum256(row.Body)
	return hqjournal.Fact{
		Shard: shard.Of(row.Party), Kind: entry.KindHQStatement, NotBefore: m.LockedAt,
		Body: entry.HQStatement{Party: row.Party, Month: uint32(m.Month), Number: row.Number, Digest: digest[:]},
	}, nil
}

// numberOf is the number of a party's statement of a locked month, empty when it had none.
func (s *Service) numberOf(ctx context.Context, m Month, party uuid.UUID) (string, error) {
	of, err := s.env.Store.SettlementMonth(ctx, m)
	if err == nil {
		var row StatementRow
		if row, err = s.env.Store.SettlementStatement(ctx, m, of.Attempt, party); err == nil {
			return row.Number, nil
		}
	}
	if problem.CodeOf(err) == problem.NotFound {
		return "", nil
	}
	return "", fmt.Errorf("read the statement that a note is about: %w", err)
}

// documentNumber is the number of a document: F001-2026-0003. After a restore the series has
// the epoch of HQ to base 36: F001-2026.TLQ8C1-0003. No code has a dot, so that no two
// series have one number.
func documentNumber(code string, of Series, n uint64) string {
	series := fmt.Sprintf("%s-%04d", code, of.Year)
	if of.Epoch > 1 {
		series += "." + strings.ToUpper(strconv.FormatUint(uint64(of.Epoch), 36))
	}
	return fmt.Sprintf("%s-%04d", series, n)
}

// eachStatement calls fn for every statement of a month.
func (s *Service) eachStatement(ctx context.Context, m MonthRow, fn func(StatementRow, Statement) error) error {
	after, first := uuid.Nil, true
	for {
		rows, err := s.env.Store.SettlementStatements(ctx, m.Month, m.Attempt, after, first, statementsAtOnce)
		if err != nil {
			return fmt.Errorf("read statements: %w", err)
		}
		for _, row := range rows {
			st, err := wire.Unmarshal[Statement](row.Body)
			if err != nil {
				return fmt.Errorf("read statement: %w", err)
			}
			if err := fn(row, st); err != nil {
				return err
			}
			after, first = row.Party, false
		}
		if len(rows) < statementsAtOnce {
			return nil
		}
	}
}
