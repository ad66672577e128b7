package posbooks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// begunSeeing notes, for a store that has had no books, where its journals end: what is
// there by now is matched with the books, what comes later is late.
func (s *Service) begunSeeing(ctx context.Context, store uuid.UUID) error {
	days, err := s.env.Store.PosDays(ctx, store, 0, lastDay)
	if err != nil || len(days) > 0 { // by the days: of a store without journals nothing was seen
		return err
	}
	_, heads, err := s.heads(ctx, store)
	if err != nil {
		return err
	}
	return s.env.Store.SetPosSeen(ctx, store, heads)
}

// Late has days be matched again of which entries came after they were matched. Round
// matches them. A store for which it fails is put off, as in Round.
func (s *Service) Late(ctx context.Context) error {
	stores, err := s.env.Store.PosStores(ctx)
	if err != nil {
		return fmt.Errorf("list stores with books: %w", err)
	}
	r, err := s.newRound(ctx, uuid.Nil)
	if err != nil {
		return err
	}
	for _, store := range stores {
		if r.waits(stint{store, WorkLate}) {
			continue
		}
		if err := r.did(ctx, store, WorkLate, s.lookForLateOf(ctx, store)); err != nil {
			return err
		}
	}
	return errors.Join(r.failed...)
}

func (s *Service) lookForLateOf(ctx context.Context, store uuid.UUID) error {
	seen, err := s.env.Store.PosSeen(ctx, store)
	if err != nil {
		return err
	}
	_, heads, err := s.heads(ctx, store)
	if err != nil || maps.Equal(seen, heads) {
		return err
	}
	place, err := s.place(ctx, store)
	if err != nil {
		return err
	}
	days := map[entry.Date]bool{}
	for w, head := range heads {
		if err := s.daysOf(ctx, place, w, seen[w]+1, head, days); err != nil {
			return err
		}
	}
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.env.Store.MarkPosDays(ctx, store, slices.Sorted(maps.Keys(days)), true); err != nil {
			return err
		}
		return s.env.Store.SetPosSeen(ctx, store, heads)
	})
}

// daysOf adds the days of sales, returns and voids of a span, and their neighbours.
func (s *Service) daysOf(ctx context.Context, place Place, w journal.Writer, first, last uint64, days map[entry.Date]bool) error {
	for first <= last {
		page, err := s.env.Store.MainEntries(ctx, w, first, last, readAtOnce)
		if err != nil {
			return fmt.Errorf("read entries: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		for _, e := range page {
			first = e.Seq + 1
			if !isFact(e.Kind) {
				continue
			}
			day := entry.BusinessDateOf(time.UnixMilli(e.EffectiveAt).In(place.Zone), place.Ends)
			days[day] = true
			for _, n := range neighbours(day) {
				days[n] = true
			}
		}
	}
	return nil
}
