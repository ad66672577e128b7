package storeday

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

// sum reads the entries of all spans, fills the certificate with what they say, and returns
// an exception for each figure that a terminal said otherwise.
func (s *Service) sum(ctx context.Context, store fleet.Store, date entry.Date, spans []Span, c *Certificate) ([]ledger.Exception, error) {
	t := newTally(date)
	kinds := map[string]Exceptions{}
	c.Journals = []Journal{}
	for _, span := range spans {
		covered, err := s.addLane(ctx, span, t)
		if err != nil {
			return nil, err
		}
		c.Journals = append(c.Journals, covered)
		rows, err := s.env.Store.ExceptionsWithin(ctx, span.Lane.Writer, span.First, span.Last)
		if err != nil {
			return nil, fmt.Errorf("count exceptions: %w", err)
		}
		for _, r := range rows {
			k := kinds[r.Kind]
			kinds[r.Kind] = Exceptions{r.Kind, k.Open + r.Open, k.Settled + r.Settled, k.Amount + r.Amount}
		}
	}
	for _, f := range t.figures() {
		if f.Date == c.Date {
			c.Day = f
		} else {
			c.Late = append(c.Late, f)
		}
	}
	c.Exceptions = slices.SortedFunc(maps.Values(kinds), func(a, b Exceptions) int { return cmp.Compare(a.Kind, b.Kind) })
	differences := t.differences()
	c.Differences = len(differences)
	out := make([]ledger.Exception, len(differences))
	for i, d := range differences {
		out[i] = exceptionOf(store, d, s.env.Clock.Now().UnixMilli())
	}
	return out, nil
}

// addLane adds one lane's span and says what it covers.
func (s *Service) addLane(ctx context.Context, span Span, t *tally) (Journal, error) {
	l := span.Lane
	covered := Journal{Terminal: l.Writer.ID, Name: l.Name, Epoch: l.Writer.Epoch, First: span.First, Last: span.Last, Over: l.Over, Gap: l.Gap}
	whole, err := s.behindAClose(ctx, span)
	if err != nil {
		return covered, err
	}
	if l.Forked {
		if covered.Forks, err = s.env.Store.Forks(ctx, l.Writer); err != nil {
			return covered, fmt.Errorf("read the branches of a journal: %w", err)
		}
	}
	t.begin(l.Writer, span.First, whole)
	for next := span.First; next <= span.Last; {
		entries, err := s.env.Store.DayEntries(ctx, l.Writer, next, span.Last, readAtOnce)
		if err != nil {
			return covered, fmt.Errorf("read the entries of a day: %w", err)
		}
		if len(entries) == 0 {
			return covered, fmt.Errorf("read the entries of a day: journal %d of terminal %s has none at %d", l.Writer.Epoch, l.Writer.ID, next)
		}
		deeds := readAll(entries)
		sales, err := s.undone(ctx, l.Writer, entries, deeds)
		if err != nil {
			return covered, err
		}
		rejected, err := s.rejected(ctx, l.Writer, entries)
		if err != nil {
			return covered, err
		}
		for i, e := range entries {
			r := counted{Seq: e.Seq, Hash: e.Hash, Deed: deeds[i], Nothing: rejected[e.Hash], Sale: sales[e.Seq]}
			if r.Nothing {
				covered.Rejected = append(covered.Rejected, e.Seq)
			}
			t.add(r)
		}
		last := entries[len(entries)-1]
		covered.Head, next = last.Hash.String(), last.Seq+1
	}
	return covered, nil
}

// behindAClose says whether a span begins where a close ended, or the journal does: a
// certificate ends at a close, unless the journal had none to come.
func (s *Service) behindAClose(ctx context.Context, span Span) (bool, error) {
	if span.First == 1 {
		return true, nil
	}
	before, err := s.env.Store.DayEntries(ctx, span.Lane.Writer, span.First-1, span.First-1, 1)
	if err != nil {
		return false, fmt.Errorf("read the entry before the day: %w", err)
	}
	return len(before) == 1 && before[0].Kind == entry.KindDayClose, nil
}

// Exception is the id of the exception that says the difference.
func (d Difference) Exception() uuid.UUID {
	return uuid.NewSHA1(uuid.Nil, append(d.Close[:], string(ledger.DayCloseDiffers)+d.Figure...))
}

func exceptionOf(store fleet.Store, d Difference, now int64) ledger.Exception {
	return ledger.Exception{
		ID: d.Exception(), Shard: shard.Of(d.Writer.ID), Kind: ledger.DayCloseDiffers, State: ledger.ExceptionOpen, Liable: "store",
		Cause:  fmt.Sprintf("the close of %s says of its %s %s; the entries say %s", d.Date, d.Figure, d.Said, d.Found),
		Source: d.Close, Terminal: d.Writer.ID, Epoch: d.Writer.Epoch, Seq: d.Seq, Store: store.ID, OccurredAt: now, RecordedAt: now,
	}
}
