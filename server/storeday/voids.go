package storeday

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// rejected names the entries that count for nothing, as a person decided: only what a
// terminal that is shut out delivered can be among them.
func (s *Service) rejected(ctx context.Context, w journal.Writer, entries []Entry) (map[journal.Hash]bool, error) {
	if !slices.ContainsFunc(entries, func(e Entry) bool { return !e.Proven }) {
		return nil, nil
	}
	out, err := s.env.Store.Rejected(ctx, w, entries[0].Seq, entries[len(entries)-1].Seq)
	if err != nil {
		return nil, fmt.Errorf("read what was rejected: %w", err)
	}
	return out, nil
}

// undone finds the sales that the voids among entries undo, by the void's number. A void
// undoes a sale of its own journal, mostly one of the entries here. One of a member that
// stands farther off is found by its id; one without is in no account, and is searched for
// in the entries before.
func (s *Service) undone(ctx context.Context, w journal.Writer, entries []Entry, deeds []deed) (map[uint64]*entry.Sale, error) {
	voids := map[uint64]uuid.UUID{}
	here, found := map[uuid.UUID]*entry.Sale{}, map[uuid.UUID]*entry.Sale{}
	for i, d := range deeds {
		switch {
		case d.sale != nil && here[d.sale.ID] == nil: // the first of an id counts
			here[d.sale.ID] = d.sale
		case d.void != nil:
			voids[entries[i].Seq], found[d.void.Sale] = d.void.Sale, here[d.void.Sale]
		}
	}
	if len(voids) == 0 {
		return nil, nil
	}
	if err := s.elsewhere(ctx, w, entries[0].Seq, found); err != nil {
		return nil, err
	}
	out := map[uint64]*entry.Sale{}
	for seq, id := range voids {
		if found[id] != nil {
			out[seq] = found[id]
		}
	}
	return out, nil
}

// elsewhere finds sales that do not stand among the entries from seq on.
func (s *Service) elsewhere(ctx context.Context, w journal.Writer, seq uint64, found map[uuid.UUID]*entry.Sale) error {
	var ids []uuid.UUID
	for id, sale := range found {
		if sale == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	sales, err := s.env.Store.SalesOf(ctx, w.ID, ids)
	if err != nil {
		return fmt.Errorf("find the sales of voids: %w", err)
	}
	for _, id := range ids {
		if sale, ok := sales[id]; ok {
			found[id] = &sale
			continue
		}
		if found[id], err = s.before(ctx, w, seq, id); err != nil {
			return err
		}
	}
	return nil
}

// farthest is how many entries before a day are searched for a sale without a member: a
// till of a busy lane writes so many in a week.
const farthest = 20000

// before looks for a sale without a member in front of an entry; nil when there is none.
func (s *Service) before(ctx context.Context, w journal.Writer, seq uint64, id uuid.UUID) (*entry.Sale, error) {
	for last, stop := seq-1, seq-min(seq, farthest); last > stop; {
		first := last - min(last, readAtOnce) + 1
		entries, err := s.env.Store.DayEntries(ctx, w, first, last, readAtOnce)
		if err != nil {
			return nil, fmt.Errorf("find the sale of a void: %w", err)
		}
		for _, e := range entries {
			if d := read(e.Raw, &entry.Sale{}); d.anonymous() && d.sale.ID == id {
				return d.sale, nil
			}
		}
		last = first - 1
	}
	return nil, nil
}
