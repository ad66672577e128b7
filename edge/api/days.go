package api

import (
	"context"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

func (h handlers) GetDay(ctx context.Context, _ GetDayRequestObject) (GetDayResponseObject, error) {
	d, err := h.cfg.Till.Day(ctx)
	if err != nil {
		return nil, err
	}
	return GetDay200JSONResponse{
		BusinessDate: dateOf(d.Body.Date), Today: dateOf(d.Today), EndsAt: d.Ends.UTC(), Closable: d.Closable(),
		Figures: h.figuresOf(d.Body),
	}, nil
}

func (h handlers) CloseDay(ctx context.Context, r CloseDayRequestObject) (CloseDayResponseObject, error) {
	if err := checkKey(r.Params.IdempotencyKey); err != nil {
		return nil, err
	}
	call := till.NewDayClose{Date: dayOf(r.Body.BusinessDate), Cashier: value(r.Body.Cashier), Key: r.Params.IdempotencyKey, Caller: callerOf(ctx, nil)}
	var err error
	if call.KeyHash, err = hashOf("close day", r.Body); err != nil {
		return nil, err
	}
	closed, err := h.cfg.Till.CloseDay(ctx, call)
	if err != nil {
		return nil, err
	}
	out := h.closeOf(closed)
	if !closed.Replayed {
		h.committed(eventDayClose, out)
		h.printAfter(ctx, closed.Entry)
	}
	return CloseDay201JSONResponse(out), nil
}

func (h handlers) ListDays(ctx context.Context, r ListDaysRequestObject) (ListDaysResponseObject, error) {
	limit, err := limitOf(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	after, err := placeOf(r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	closed, more, err := h.cfg.Till.ClosedDays(ctx, after.Seq, limit)
	if err != nil {
		return nil, err
	}
	out := ListDays200JSONResponse{Days: []DayClose{}}
	for _, c := range closed {
		out.Days = append(out.Days, h.closeOf(c))
	}
	if more {
		last := closed[len(closed)-1]
		out.NextCursor = optional(cursorOf(till.SalePlace{Date: last.Body.Date, Seq: last.At.Seq}))
	}
	return out, nil
}

func (h handlers) GetClosedDay(ctx context.Context, r GetClosedDayRequestObject) (GetClosedDayResponseObject, error) {
	closed, err := h.cfg.Till.ClosedDay(ctx, dayOf(&r.BusinessDate))
	if err != nil {
		return nil, err
	}
	return GetClosedDay200JSONResponse(h.closeOf(closed)), nil
}

// dayOf is a date of the API; a missing one is zero.
func dayOf(d *openapi_types.Date) entry.Date {
	if d == nil {
		return 0
	}
	return entry.DateOf(d.Time)
}

func (h handlers) closeOf(c till.ClosedDay) DayClose {
	return DayClose{
		BusinessDate: dateOf(c.Body.Date), Seq: int64(c.At.Seq), Hash: c.At.Hash.Short(), At: c.OccurredAt.UTC(),
		Reason: DayCloseReason(c.Body.Reason.String()), Cashier: optional(c.Body.Cashier), Figures: h.figuresOf(c.Body), DoneBy: h.person(c.Body.CashierID),
	}
}

func (h handlers) figuresOf(b entry.DayClose) DayFigures {
	out := DayFigures{
		FirstSeq: int64(b.First), LastSeq: int64(b.Last), ClaimsPrinted: int64(b.Claims), HoldsOpen: int64(b.Held), Waiting: int64(b.Waiting),
		Kinds: []DayKind{}, Money: []DayMoney{}, Amounts: []DayAmount{}, Cashiers: []DayCashier{}, Holds: []DayHold{},
	}
	if len(b.Head) == len(journal.Hash{}) {
		out.Head = optional(journal.Hash(b.Head).Short())
	}
	for _, k := range b.Kinds {
		out.Kinds = append(out.Kinds, DayKind{Kind: k.Kind.String(), Count: int64(k.Count)})
	}
	for _, m := range b.Money {
		out.Money = append(out.Money, DayMoney{
			Kind: DayMoneyKind(m.Kind.String()), Currency: m.Currency, Count: int64(m.Count), Total: m.Total,
			Discount: m.Discount, Net: m.Total - m.Discount, Unmatched: optional(int64(m.Unmatched)),
		})
	}
	for _, a := range b.Amounts {
		row := DayAmount{
			Kind: DayAmountKind(a.Kind.String()), Flow: DayAmountFlow(a.Flow.String()), Unit: optional(a.Unit),
			Count: int64(a.Count), Amount: a.Amount, Discount: a.Discount,
		}
		if a.Basis != 0 {
			row.Basis = optional(DayAmountBasis(a.Basis.String()))
		}
		out.Amounts = append(out.Amounts, row)
	}
	for _, c := range b.Cashiers {
		out.Cashiers = append(out.Cashiers, DayCashier{
			Cashier: optional(c.Cashier), Person: h.person(c.CashierID), Others: optional(c.Others), Currency: c.Currency, Sales: int64(c.Sales), Voids: int64(c.Voids),
			Returns: int64(c.Returns), Taken: c.Taken, Undone: c.Undone, Refunded: c.Refunded,
		})
	}
	for _, held := range b.Holds {
		out.Holds = append(out.Holds, DayHold{Quote: held.Quote, Member: optional(held.Member), Unit: optional(held.Unit), Amount: held.Amount})
	}
	return out
}
