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

// undone finds the sales that the voids among entries undo, by the void's number. A sale
// of a member is found by its id. One without a member is in no account: it stands before
// the void in the same journal. near are those of the page before.
func (s *Service) undone(ctx context.Context, w journal.Writer, entries []Entry, deeds []deed, near map[uuid.UUID]*entry.Sale) (map[uint64]*entry.Sale, error) {
	voids := map[uint64]uuid.UUID{}
	var ids []uuid.UUID
	for i, d := range deeds {
		if d.anonymous() {
			near[d.sale.ID] = d.sale
		}
		if d.void != nil {
			voids[entries[i].Seq] = d.void.Sale
			ids = append(ids, d.void.Sale)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	sales, err := s.env.Store.SalesOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("find the sales of voids: %w", err)
	}
	out := map[uint64]*entry.Sale{}
	for seq, id := range voids {
		if sale, ok := sales[id]; ok {
			out[seq] = &sale
			continue
		}
		sale := near[id]
		if sale == nil {
			if sale, err = s.before(ctx, w, entries[0].Seq, id); err != nil {
				return nil, err
			}
		}
		if sale != nil {
			out[seq] = sale
		}
	}
	return out, nil
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
			if d := read(e.Raw); d.anonymous() && d.sale.ID == id {
				return d.sale, nil
			}
		}
		last = first - 1
	}
	return nil, nil
}
