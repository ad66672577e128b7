package storeday

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// lanes are the journals of a store that a day may have to wait for or has something of, in
// the order of their terminals.
func (s *Service) lanes(ctx context.Context, of fleet.Store) ([]Lane, error) {
	store := of.ID
	terminals, err := s.terminals(ctx, store)
	if err != nil {
		return nil, err
	}
	covered, err := s.env.Store.Covered(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("read what is covered: %w", err)
	}
	kept, err := s.kept(ctx, terminals)
	if err != nil {
		return nil, err
	}
	var lanes []Lane
	for _, k := range kept {
		t := terminals[k.Writer.ID]
		lane := Lane{
			Writer: k.Writer, Name: t.Name, Covered: covered[k.Writer], Head: k.Head, Applied: k.Applied, Undecided: k.Undecided,
			Over: s.overOf(t, k.Writer.Epoch), Forked: k.Forked,
		}
		if lane.certified() {
			continue
		}
		if lane.Over == OverLost {
			lane.Gap = gapOf(t.Lost)
		}
		if lane.Closes, err = s.env.Store.ClosesBehind(ctx, store, lane.Writer, lane.Covered, s.begun(of), mostCloses); err != nil {
			return nil, fmt.Errorf("read closes: %w", err)
		}
		if lane.Over != "" {
			if lane.Dates, err = s.dates(ctx, lane); err != nil {
				return nil, err
			}
		}
		lanes = append(lanes, lane)
	}
	return lanes, nil
}

// kept are the journals of terminals, and those of which nothing has come yet.
func (s *Service) kept(ctx context.Context, terminals map[uuid.UUID]fleet.Terminal) ([]Kept, error) {
	kept, err := s.env.Store.KeptJournals(ctx, slices.Collect(maps.Keys(terminals)))
	if err != nil {
		return nil, fmt.Errorf("read journals: %w", err)
	}
	here := map[journal.Writer]bool{}
	for _, k := range kept {
		here[k.Writer] = true
	}
	for _, t := range terminals {
		if w := (journal.Writer{ID: t.ID, Epoch: t.Epoch}); t.Epoch > 0 && !here[w] {
			kept = append(kept, Kept{Writer: w})
		}
	}
	slices.SortFunc(kept, func(a, b Kept) int { return compareWriters(a.Writer, b.Writer) })
	return kept, nil
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
		entries, err := s.env.Store.DayEntries(ctx, lane.Writer, next, lane.Head, readAtOnce)
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
