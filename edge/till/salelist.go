package till

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// SaleQuery says which sales of this terminal are listed. Zero fields do not matter.
type SaleQuery struct {
	Date    entry.Date
	Receipt string // the POS receipt number
	// After is the place of the last sale of the page before.
	After SalePlace
	Limit int // at least 1
}

// SalePlace is where a sale stands in the list.
type SalePlace struct {
	Date entry.Date
	Seq  uint64
}

// PlaceOf is where a sale that was found stands.
func PlaceOf(f Found) SalePlace {
	return SalePlace{Date: f.Sale.BusinessDate, Seq: f.Sale.At.Seq}
}

// Sales lists sales, newest business date and newest sale first; those with one receipt
// number newest first. more says that there are others. Sales that the journal keeps no
// longer are not in the list.
func (t *Till) Sales(ctx context.Context, q SaleQuery) (list []Found, more bool, err error) {
	end, err := t.begin()
	if err != nil {
		return nil, false, err
	}
	defer end()
	ids, err := t.salesOf(ctx, q)
	if err != nil {
		return nil, false, fmt.Errorf("list sales: %w", err)
	}
	for _, id := range ids {
		if len(list) == q.Limit {
			return list, true, nil
		}
		found, err := t.find(ctx, id)
		if problem.CodeOf(err) == problem.SaleUnknown {
			continue // pruned
		}
		if err != nil {
			return nil, false, err
		}
		if q.Date == 0 || found.Sale.BusinessDate == q.Date {
			list = append(list, found)
		}
	}
	return list, false, nil
}

// salesOf returns ids for a page: at least one more than fit on it, if there are so many.
func (t *Till) salesOf(ctx context.Context, q SaleQuery) (ids []uuid.UUID, err error) {
	err = t.look(ctx, func(l look) error {
		if q.Receipt != "" {
			ids, err = l.withReceipt(q)
			return err
		}
		var prefix, from []byte
		if q.Date != 0 {
			prefix = soldKey(q.Date, 0)[:4]
		}
		if q.After != (SalePlace{}) {
			from = soldKey(q.After.Date, q.After.Seq-1)
		}
		rows, err := l.first(TableSold, prefix, from, q.Limit+1)
		for _, row := range rows {
			id, err := decode[uuid.UUID](TableSold, row.value)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return err
	})
	return ids, err
}

// withReceipt finds the sales with one receipt number.
func (l look) withReceipt(q SaleQuery) (ids []uuid.UUID, err error) {
	found := map[uint64]uuid.UUID{}
	err = l.scan(TableReceipt, textKey(q.Receipt), nil, func(key, value []byte) error {
		id, err := decode[uuid.UUID](TableReceipt, value)
		if seq := seqOf(key); q.After.Seq == 0 || seq < q.After.Seq {
			found[seq] = id
		}
		return err
	})
	for _, seq := range slices.Backward(slices.Sorted(maps.Keys(found))) {
		ids = append(ids, found[seq])
	}
	return ids, err
}
