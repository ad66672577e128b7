package storeday

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// lanes are the journals of a store that a day may have to wait for or has something of,
// and what is not known of those that are lost.
func (s *Service) lanes(ctx context.Context, store uuid.UUID) ([]Lane, map[journal.Writer]*Gap, error) {
	terminals, err := s.terminals(ctx, store)
	if err != nil {
		return nil, nil, err
	}
	covered, err := s.env.Store.Covered(ctx, store)
	if err != nil {
		return nil, nil, fmt.Errorf("read what is covered: %w", err)
	}
	ids := make([]uuid.UUID, 0, len(terminals))
	for id := range terminals {
		ids = append(ids, id)
	}
	kept, err := s.env.Store.KeptJournals(ctx, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("read journals: %w", err)
	}
	here := map[journal.Writer]Kept{}
	for _, k := range kept {
		here[k.Writer] = k
	}
	for _, t := range terminals {
		w := journal.Writer{ID: t.ID, Epoch: t.Epoch}
		if _, ok := here[w]; !ok && t.Epoch > 0 {
			here[w] = Kept{Writer: w} // enrolled, and nothing of it has come yet
		}
	}
	var lanes []Lane
	gaps := map[journal.Writer]*Gap{}
	for w, k := range here {
		t := terminals[w.ID]
		lane := Lane{
			Writer: w, Name: t.Name, Covered: covered[w], Head: k.Head, Applied: k.Applied, Undecided: k.Undecided, Over: s.overOf(t, w.Epoch),
		}
		if lane.Over == OverLost {
			gaps[w] = gapOf(t.Lost)
		}
		if lane.Over != "" && lane.Head <= lane.Covered && lane.Over != OverLost && lane.Over != OverVirtual {
			continue // it has ended and all of it is certified
		}
		if lane.Closes, err = s.env.Store.ClosesBehind(ctx, store, w, lane.Covered, mostCloses); err != nil {
			return nil, nil, fmt.Errorf("read closes: %w", err)
		}
		if lane.Over != "" {
			if lane.Dates, err = s.dates(ctx, lane); err != nil {
				return nil, nil, err
			}
		}
		lanes = append(lanes, lane)
	}
	return lanes, gaps, nil
}

func (s *Service) terminals(ctx context.Context, store uuid.UUID) (map[uuid.UUID]fleet.Terminal, error) {
	out := map[uuid.UUID]fleet.Terminal{}
	var after uuid.UUID
	for {
		page, err := s.env.Fleet.Terminals(ctx, store, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("list terminals: %w", err)
		}
		for _, t := range page {
			out[t.ID], after = t, t.ID
		}
		if len(page) < pageSize {
			return out, nil
		}
	}
}

// overOf says why an epoch of a terminal closes no more days.
func (s *Service) overOf(t fleet.Terminal, epoch uint32) Over {
	switch {
	case epoch < t.Epoch:
		return OverReplaced
	case t.Lost.Step == entry.LostConfirmed && t.Lost.Epoch == epoch:
		return OverLost
	case t.State == fleet.StateRevoked:
		return OverRevoked
	case s.env.Virtual(t.Name):
		return OverVirtual
	}
	return ""
}

func gapOf(d fleet.Declaration) *Gap {
	gap := &Gap{Declaration: d.ID, After: d.Gap.Head.Seq, Said: d.Gap.Said, Bound: []Bound{}}
	for _, b := range d.Gap.Bound {
		gap.Bound = append(gap.Bound, Bound{b.Unit, b.Rights, b.StandIn})
	}
	return gap
}

// dates finds where each business date begins behind what is covered of a lane. Dates of
// a journal never fall; one that does counts to the date before it.
func (s *Service) dates(ctx context.Context, lane Lane) (out []Begins, err error) {
	for next := lane.Covered + 1; next <= lane.Head; {
		entries, err := s.env.Store.MainEntries(ctx, lane.Writer, next, lane.Head, readAtOnce)
		if err != nil {
			return nil, fmt.Errorf("read entries: %w", err)
		}
		if len(entries) == 0 {
			return out, nil
		}
		for _, e := range entries {
			next = e.Seq + 1
			if !daybook.Trades(e.Kind) {
				continue
			}
			env, err := entry.Decode(e.Raw)
			if err != nil || !env.BusinessDate.Valid() {
				continue
			}
			if len(out) == 0 || env.BusinessDate > out[len(out)-1].Date {
				out = append(out, Begins{e.Seq, env.BusinessDate})
			}
		}
	}
	return out, nil
}
