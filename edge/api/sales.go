package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

func (h handlers) FindSales(ctx context.Context, r FindSalesRequestObject) (FindSalesResponseObject, error) {
	if r.Params.Key != nil {
		return h.findByKey(ctx, r.Params)
	}
	q := till.SaleQuery{Date: dayOf(r.Params.BusinessDate), Receipt: value(r.Params.PosReceipt)}
	if n := len(q.Receipt); r.Params.PosReceipt != nil && (n == 0 || n > till.MaxText) {
		return nil, invalid("/pos_receipt", fmt.Sprintf("must have 1 to %d bytes", till.MaxText))
	}
	var err error
	if q.Limit, err = limitOf(r.Params.Limit); err != nil {
		return nil, err
	}
	if q.After, err = placeOf(r.Params.Cursor); err != nil {
		return nil, err
	}
	found, more, err := h.cfg.Till.Sales(ctx, q)
	if err != nil {
		return nil, err
	}
	out := FindSales200JSONResponse{Sales: []Sale{}}
	for _, f := range found {
		out.Sales = append(out.Sales, h.saleOf(f))
	}
	if more {
		out.NextCursor = optional(cursorOf(till.PlaceOf(found[len(found)-1])))
	}
	return out, nil
}

func (h handlers) findByKey(ctx context.Context, p FindSalesParams) (FindSalesResponseObject, error) {
	if p != (FindSalesParams{Key: p.Key}) {
		return nil, invalid("/key", "goes with no other parameter")
	}
	if err := checkKey(*p.Key); err != nil {
		return nil, invalid("/key", "is no Idempotency-Key")
	}
	out := FindSales200JSONResponse{Sales: []Sale{}}
	found, err := h.cfg.Till.SaleByKey(ctx, *p.Key)
	switch {
	case err == nil:
		out.Sales = append(out.Sales, h.saleOf(found))
	case problem.CodeOf(err) != problem.SaleUnknown:
		return nil, err
	}
	return out, nil
}

// Bounds of a page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

func limitOf(given *int) (int, error) {
	if given == nil {
		return defaultLimit, nil
	}
	if *given < 1 || *given > maxLimit {
		return 0, invalid("/limit", fmt.Sprintf("must be from 1 to %d", maxLimit))
	}
	return *given, nil
}

// cursorOf names the last record of a page. It is no secret, and no promise either.
func cursorOf(p till.SalePlace) string { return fmt.Sprintf("%d-%d", p.Date, p.Seq) }

// placeOf reads a cursor; a missing one is the beginning.
func placeOf(cursor *string) (till.SalePlace, error) {
	if cursor == nil {
		return till.SalePlace{}, nil
	}
	date, seq, _ := strings.Cut(*cursor, "-")
	d, err := strconv.ParseUint(date, 10, 32)
	if err == nil && entry.Date(d).Valid() {
		var n uint64
		if n, err = strconv.ParseUint(seq, 10, 63); err == nil && n > 0 && cursorOf(till.SalePlace{Date: entry.Date(d), Seq: n}) == *cursor {
			return till.SalePlace{Date: entry.Date(d), Seq: n}, nil
		}
	}
	return till.SalePlace{}, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
}

// linesOf are the lines of a sale, or nil when there are none.
func linesOf(lines []entry.Line) *[]Line {
	if len(lines) == 0 {
		return nil
	}
	out := make([]Line, len(lines))
	for i, l := range lines {
		no, quantity := int(l.No), l.Quantity
		out[i] = Line{No: &no, Sku: optional(l.SKU), Quantity: &quantity, Amount: l.Amount, Category: optional(l.Category)}
	}
	return &out
}

// stateOf says what became of a sale.
func stateOf(f till.Found) SaleState {
	switch {
	case f.Void != nil:
		return SaleStateVoided
	case f.Returned != nil && f.Returned.Whole:
		return SaleStateReturned
	case f.Returned != nil:
		return SaleStateReturnedInPart
	}
	return SaleStateCommitted
}
