package till

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
)

// days keeps which dates this journal has closed, and what the entries since the last
// close add up to: the open day.
type days struct {
	// closing is held for reading from the date of an entry until it is counted, and for
	// writing by a close: what stands before a close is in its figures.
	closing sync.RWMutex

	mu      sync.Mutex
	closed  map[entry.Date]uint64 // date → the entry that closed it
	last    uint64                // the last of them
	open    entry.Date            // the date of what was traded since; zero: nothing was
	figures daybook.Figures
}

// date is the business date of a moment whose date by the clock is natural: the first one
// from there on that is not closed.
func (d *days) date(natural entry.Date) entry.Date {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dateLocked(natural)
}

func (d *days) dateLocked(natural entry.Date) entry.Date {
	for d.closed[natural] != 0 {
		natural = natural.Next()
	}
	return natural
}

// enter gives an entry its date. One that trades opens the day; it does not fit while
// another date is open.
func (d *days) enter(natural entry.Date, trades bool) (date entry.Date, fits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	date = d.dateLocked(natural)
	if !trades {
		return date, true
	}
	if d.open == 0 {
		d.open = date
	}
	return date, d.open == date
}

// opened is the open date; zero is none.
func (d *days) opened() entry.Date {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// close notes that an entry closed a date. The caller holds closing for writing, or
// nothing else runs.
func (d *days) close(date entry.Date, seq uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed[date], d.last, d.open, d.figures = seq, max(d.last, seq), 0, daybook.Figures{}
}

// natural is the date of a moment by the clock on the shop's wall and the store's rule of
// when a day ends. While HQ has not told all, the open date goes on.
func (t *Till) natural(at time.Time) entry.Date {
	cat := t.catalogue.Load()
	if open := t.days.opened(); open != 0 && (cat.store == nil || t.linkNow().Heard == 0) {
		return open
	}
	return entry.BusinessDateOf(at.In(cat.zone), t.dayEnds(cat))
}

// dayEnds is when a business date is over, from the midnight after it.
func (t *Till) dayEnds(cat *catalogue) time.Duration {
	if own := t.cfg.DayEnds; own != nil {
		return *own
	}
	return time.Duration(cat.tillRules.DayEnds) * time.Minute
}

// dateOf is the business date of an entry made at a moment.
func (t *Till) dateOf(at time.Time) entry.Date { return t.days.date(t.natural(at)) }

// endOf is when a business date is over by the clock on the wall.
func (t *Till) endOf(date entry.Date) time.Time {
	cat := t.catalogue.Load()
	next, ends := date.Next().Time(), t.dayEnds(cat)
	if ends < 0 {
		next, ends = date.Time(), 24*time.Hour+ends
	}
	h, m := int(ends/time.Hour), int(ends%time.Hour/time.Minute)
	return time.Date(next.Year(), next.Month(), next.Day(), h, m, 0, 0, cat.zone)
}

// count adds an entry to the open day. Body is of the kind's type, and nil for kinds of
// which only the number counts.
func (t *Till) count(ctx context.Context, kind entry.Kind, body any) error {
	var sale *entry.Sale
	if void, ok := body.(entry.Void); ok {
		found, _, err := t.saleOf(ctx, void.Sale)
		if err != nil && !gone(err) {
			return fmt.Errorf("find the sale of a void: %w", err)
		}
		if err == nil {
			sale = &found
		}
	}
	t.days.mu.Lock()
	defer t.days.mu.Unlock()
	f := &t.days.figures
	f.Count(kind)
	switch b := body.(type) {
	case entry.Sale:
		f.Sale(b)
	case entry.Void:
		if sale != nil {
			f.Void(b, *sale)
		}
	case entry.Return:
		f.Return(b)
	}
	return nil
}

// loadDays works out from the journal which dates are closed and what the open day adds
// up to. It reads the entries since the last close.
func (t *Till) loadDays(ctx context.Context) error {
	t.days.closed = map[entry.Date]uint64{}
	err := t.look(ctx, func(l look) error {
		return l.scan(TableClose, nil, nil, func(key, value []byte) error {
			date, err := decode[entry.Date](TableClose, value)
			if err == nil {
				t.days.close(date, math.MaxUint64-seqOf(key))
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("read closed days: %w", err)
	}
	head := t.cfg.Journal.Head().Seq
	for next := max(t.days.last+1, t.cfg.Journal.First()); next <= head; {
		run, err := t.cfg.Journal.Read(ctx, next, replayChunk, replayBytes)
		if err != nil {
			return fmt.Errorf("read the open day from entry %d: %w", next, err)
		}
		if len(run.Entries) == 0 {
			return fmt.Errorf("read the open day from entry %d: the journal has none", next)
		}
		for i, raw := range run.Entries {
			if err := t.countAgain(ctx, raw); err != nil {
				return fmt.Errorf("read entry %d: %w", next+uint64(i), err)
			}
		}
		next += uint64(len(run.Entries))
	}
	return nil
}

// countAgain adds an entry of the journal to the open day.
func (t *Till) countAgain(ctx context.Context, raw []byte) error {
	e, err := entry.Decode(raw)
	if err != nil {
		return nil // a newer release wrote it; it counts for nothing here, as in derive
	}
	if daybook.Trades(e.Kind) {
		t.days.enter(e.BusinessDate, true)
	}
	body, err := bodyOf(e)
	if err != nil {
		return err
	}
	return t.count(ctx, e.Kind, body)
}

// bodyOf decodes the bodies that figures are made of.
func bodyOf(e entry.Entry) (any, error) {
	switch e.Kind {
	case entry.KindSale:
		return entry.DecodeBody[entry.Sale](e)
	case entry.KindVoid:
		return entry.DecodeBody[entry.Void](e)
	case entry.KindReturn:
		return entry.DecodeBody[entry.Return](e)
	}
	return nil, nil
}

// deriveClose works out what a close means here: its key, and that its date is closed.
func deriveClose(seq uint64, c entry.DayClose) (derived, error) {
	var d derived
	if c.Key != "" {
		if err := d.put(TableKey, textKey(c.Key), made{Seq: seq, Kind: entry.KindDayClose, Hash: c.KeyHash}); err != nil {
			return derived{}, err
		}
	}
	return d, d.put(TableClose, newestFirst(seq), c.Date)
}

// newestFirst is a key that sorts later entries before earlier ones.
func newestFirst(seq uint64) []byte { return seqKey(math.MaxUint64 - seq) }
