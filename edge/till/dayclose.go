package till

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// MaxHolds is how many holds a close names.
const MaxHolds = 100

// NewDayClose closes the open business date. Date, when it is not zero, says which one the
// caller means.
type NewDayClose struct {
	Date    entry.Date
	Cashier string
	Key     string
	KeyHash [32]byte
	Caller  Caller
}

// ClosedDay is a close as the journal has it.
type ClosedDay struct {
	Entry
	Body     entry.DayClose
	Replayed bool
}

// Day is the open business date as a close would write it now.
type Day struct {
	Body entry.DayClose
	// Today is the date by the clock, Ends when Body.Date is over. Body.Date is later than
	// Today after today was closed; it cannot be closed before it has come.
	Today entry.Date
	Ends  time.Time
}

// Closable says whether the day can be closed now.
func (d Day) Closable() bool { return d.Body.Date <= d.Today }

// Day tells how the open business date stands.
func (t *Till) Day(ctx context.Context) (Day, error) {
	end, err := t.begin()
	if err != nil {
		return Day{}, err
	}
	defer end()
	t.days.closing.RLock()
	defer t.days.closing.RUnlock()
	now, _ := t.time.now()
	d := Day{Body: t.dayBody(now, t.cfg.Journal.Head()), Today: t.natural(now)}
	d.Ends = t.endOf(d.Body.Date)
	return d, nil
}

// CloseDay journals that the open business date is over, and its figures. When it returns
// without error, the close is durable, and what is sold from then on belongs to a later
// date. A date that has not begun by the clock cannot be closed.
func (t *Till) CloseDay(ctx context.Context, c NewDayClose) (ClosedDay, error) {
	end, err := t.begin()
	if err != nil {
		return ClosedDay{}, err
	}
	defer end()
	if err := errors.Join(checkKey(c.Key), checkText("cashier", c.Cashier, MaxText)); err != nil {
		return ClosedDay{}, err
	}
	unlock, err := t.locks.lock(ctx, lockKey(c.Key))
	if err != nil {
		return ClosedDay{}, fmt.Errorf("close day: %w", err)
	}
	defer unlock()
	before, found, err := t.madeBy(ctx, c.Key, entry.KindDayClose, c.KeyHash)
	if err != nil {
		return ClosedDay{}, err
	}
	if found {
		body, at, err := readBody[entry.DayClose](ctx, t.cfg.Journal, before.Seq)
		return ClosedDay{Entry: at, Body: body, Replayed: true}, err
	}
	who, err := t.actForReal(c.Caller)
	if err != nil {
		return ClosedDay{}, err
	}
	if err := errors.Join(t.catalogue.Load().ready(), t.room(t.cfg.Limits.MinFreeSale)); err != nil {
		return ClosedDay{}, err
	}
	if err := t.observeClock(ctx); err != nil {
		return ClosedDay{}, err
	}
	t.days.closing.Lock()
	defer t.days.closing.Unlock()
	now, _ := t.time.now()
	body := t.dayBody(now, t.cfg.Journal.Head())
	switch {
	case c.Date != 0 && c.Date < body.Date:
		return ClosedDay{}, problem.Newf(problem.DayClosed, "the open date is %s", body.Date)
	case c.Date != 0 && c.Date != body.Date, body.Date > t.natural(now):
		return ClosedDay{}, problem.Newf(problem.DayNotBegun, "the open date is %s", body.Date)
	}
	body.Reason, body.Cashier, body.Hands = entry.DayCloseByHand, who.cashierText(c.Cashier), who.hands
	body.Key, body.KeyHash = c.Key, c.KeyHash[:]
	return t.closeWith(ctx, now, body)
}

// closeOver closes the open date when it is not the date of a moment any more.
func (t *Till) closeOver(ctx context.Context, at time.Time) error {
	t.days.closing.Lock()
	defer t.days.closing.Unlock()
	if open := t.days.opened(); open == 0 || open == t.dateOf(at) {
		return nil
	}
	return t.closeItself(ctx, at)
}

// closeItself closes the day because it is over. The caller holds days.closing for writing.
func (t *Till) closeItself(ctx context.Context, at time.Time) error {
	body := t.dayBody(at, t.cfg.Journal.Head())
	body.Reason = entry.DayCloseOver
	_, err := t.closeWith(ctx, at, body)
	return err
}

// closeWith journals a close. The caller holds days.closing for writing.
func (t *Till) closeWith(ctx context.Context, at time.Time, body entry.DayClose) (ClosedDay, error) {
	e, err := t.write(ctx, at, body.Date, entry.KindDayClose, body)
	if err != nil {
		return ClosedDay{}, err
	}
	t.days.close(body.Date, e.At.Seq)
	return ClosedDay{Entry: e, Body: body}, nil
}

// tendDay closes what is over by the clock, also a day on which nothing was sold, as long
// as the terminal ran when it ended: HQ need not wait for it.
func (t *Till) tendDay(ctx context.Context) error {
	if t.catalogue.Load().store == nil || t.linkNow().Heard == 0 {
		return nil // HQ has not told all, and so perhaps not when a day ends
	}
	now, _ := t.time.now()
	if err := t.closeOver(ctx, now); err != nil {
		return err
	}
	today := t.natural(now)
	seen := t.seen
	t.seen = today
	if seen == 0 || seen >= today || t.days.date(seen) != seen {
		return nil // nothing has ended, or it is closed
	}
	t.days.closing.Lock()
	defer t.days.closing.Unlock()
	if t.days.opened() != 0 || t.days.date(seen) != seen {
		return nil
	}
	body := t.dayBody(now, t.cfg.Journal.Head())
	body.Date, body.Reason = seen, entry.DayCloseOver
	_, err := t.closeWith(ctx, now, body)
	return err
}

// dayBody is the open day as a close would write it. The caller holds days.closing, and
// what is not counted yet is not in it.
func (t *Till) dayBody(now time.Time, head journal.Head) entry.DayClose {
	acked, _ := t.Acked()
	natural := t.natural(now)
	d := &t.days
	d.mu.Lock()
	defer d.mu.Unlock()
	body := entry.DayClose{Date: cmp.Or(d.open, d.dateLocked(natural)), First: d.last + 1, Last: head.Seq}
	if head.Seq > 0 {
		body.Head = bytes.Clone(head.Hash[:])
	}
	if body.Waiting = head.Seq - min(acked.Seq, head.Seq); body.Last+1 < body.First {
		body.Last = body.First - 1
	}
	d.figures.Fill(&body)
	body.Holds, body.Held = t.desk.dayHolds()
	return body
}

// dayHolds names what open quotes hold, and counts it.
func (d *desk) dayHolds() (named []entry.DayHold, all uint64) {
	d.open(func(q quoted) {
		for _, r := range q.quote.Decision.Redeemed {
			named = append(named, entry.DayHold{Quote: q.quote.ID, Member: q.member, Account: q.account, Unit: r.Unit, Amount: r.Amount})
		}
	})
	slices.SortFunc(named, func(a, b entry.DayHold) int {
		return cmp.Or(bytes.Compare(a.Quote[:], b.Quote[:]), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Amount, b.Amount))
	})
	return named[:min(len(named), MaxHolds)], uint64(len(named))
}

// ClosedDays returns closes, newest first, at most limit. before is the number of an entry:
// only closes with lower numbers; zero is no bound. more says that there are others.
func (t *Till) ClosedDays(ctx context.Context, before uint64, limit int) (list []ClosedDay, more bool, err error) {
	end, err := t.begin()
	if err != nil {
		return nil, false, err
	}
	defer end()
	var from []byte
	if before > 0 {
		from = newestFirst(before - 1)
	}
	var seqs []uint64
	err = t.look(ctx, func(l look) error {
		rows, err := l.first(TableClose, nil, from, limit+1)
		for _, row := range rows {
			seqs = append(seqs, math.MaxUint64-seqOf(row.key))
		}
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list closed days: %w", err)
	}
	for _, seq := range seqs[:min(len(seqs), limit)] {
		body, at, err := readBody[entry.DayClose](ctx, t.cfg.Journal, seq)
		if gone(err) {
			return list, false, nil // so are all before it
		}
		if err != nil {
			return nil, false, err
		}
		list = append(list, ClosedDay{Entry: at, Body: body})
	}
	return list, len(seqs) > limit, nil
}

// ClosedDay returns the close of a date, or problem.NotFound.
func (t *Till) ClosedDay(ctx context.Context, date entry.Date) (ClosedDay, error) {
	end, err := t.begin()
	if err != nil {
		return ClosedDay{}, err
	}
	defer end()
	t.days.mu.Lock()
	seq := t.days.closed[date]
	t.days.mu.Unlock()
	if seq == 0 {
		return ClosedDay{}, problem.Newf(problem.NotFound, "%s is not closed at this terminal", date)
	}
	body, at, err := readBody[entry.DayClose](ctx, t.cfg.Journal, seq)
	if gone(err) {
		return ClosedDay{}, problem.Newf(problem.NotFound, "the close of %s is not kept here any more", date)
	}
	return ClosedDay{Entry: at, Body: body}, err
}

// soldKey sorts sales by date and number, newest first.
func soldKey(date entry.Date, seq uint64) []byte {
	return key(binary.BigEndian.AppendUint32(nil, math.MaxUint32-uint32(date)), newestFirst(seq))
}
