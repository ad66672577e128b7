package storeday

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

const (
	// earlyEnd is how long before midnight the next business date may begin at the earliest.
	earlyEnd = 12 * time.Hour
	// patience is how long after the latest end of a date its lanes may take to close it
	// before somebody has to look.
	patience = 24 * time.Hour
)

func zoneOf(store fleet.Store) *time.Location {
	zone, err := time.LoadLocation(store.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// begun is the latest date that can have begun at a store, whenever its business days end.
// A close of a later one is not believed before the date has come: neither does it begin
// the store's days, nor say that its lane has nothing for the days until then.
func (s *Service) begun(store fleet.Store) entry.Date {
	return entry.BusinessDateOf(s.env.Clock.Now().In(zoneOf(store)), -earlyEnd)
}

// over says whether a date has passed at a store, whenever its business day ends.
func (s *Service) over(store fleet.Store, date entry.Date) bool { return s.past(store, date, 0) }

func (s *Service) past(store fleet.Store, date entry.Date, by time.Duration) bool {
	return entry.BusinessDateOf(s.env.Clock.Now().In(zoneOf(store)).Add(-by), lateEnd) > date
}

// remind raises an exception for each lane that has not closed a date which is long over.
// One says once what it is about: the lane and the first date it has left open.
func (s *Service) remind(ctx context.Context, store fleet.Store, date entry.Date, waiting []Waiting) error {
	if !s.past(store, date, patience) {
		return nil
	}
	now := s.env.Clock.Now().UnixMilli()
	var rows []ledger.Exception
	for _, w := range waiting {
		if w.Why != WaitClose {
			continue
		}
		at := w.Lane.Writer
		rows = append(rows, ledger.Exception{
			ID:    uuid.NewSHA1(at.ID, fmt.Appendf(nil, "%s/%d/%s", ledger.DayOverdue, at.Epoch, date)),
			Shard: shard.Of(at.ID), Kind: ledger.DayOverdue, State: ledger.ExceptionOpen, Liable: "store",
			Cause: fmt.Sprintf("%s has not closed %s, and the store's days wait for it. It ends when the terminal is heard again and closes a day, "+
				"when it is retired or shut out, or when two people declare it lost", w.Lane.Name, date),
			Terminal: at.ID, Epoch: at.Epoch, Store: store.ID, OccurredAt: now, RecordedAt: now,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	if err := s.env.Store.AddExceptions(ctx, rows); err != nil {
		return fmt.Errorf("remind of lanes that have not closed: %w", err)
	}
	return nil
}

// heard withdraws what was said of the lanes of a store when a day is certified: nobody
// waits for one any more. One that was retired or replaced has no part of the day.
func (s *Service) heard(ctx context.Context, store fleet.Store, date entry.Date) error {
	if !s.past(store, date, patience) {
		return nil // nothing was said
	}
	terminals, err := s.terminals(ctx, store.ID)
	if err != nil {
		return err
	}
	for _, t := range terminals {
		for epoch := uint32(1); epoch <= t.Epoch; epoch++ {
			if err := s.env.Store.WithdrawExceptions(ctx, ledger.DayOverdue, t.ID, epoch, s.env.Clock.Now()); err != nil {
				return fmt.Errorf("withdraw reminders: %w", err)
			}
		}
	}
	return nil
}
