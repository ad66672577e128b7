package api

import (
	"context"
	"encoding/hex"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/sync/entry"
)

// ListDayCloses implements StrictServerInterface.
func (h handlers) ListDayCloses(ctx context.Context, r ListDayClosesRequestObject) (ListDayClosesResponseObject, error) {
	size, err := pageSize(r.Params.Limit)
	if err != nil {
		return nil, err
	}
	if _, err := h.o.Fleet.Store(ctx, r.ID); err != nil {
		return nil, err
	}
	filter := reconcile.Filter{Store: r.ID, From: dayOf(r.Params.From), To: dayOf(r.Params.To), Terminal: valueOf(r.Params.Terminal)}
	closes, next, err := h.o.Days.Closes(ctx, filter, opaque(r.Params.Cursor), size)
	if err != nil {
		return nil, err
	}
	out := ListDayCloses200JSONResponse{Items: []DayClose{}, Next: unlessEmpty(next)}
	for _, c := range closes {
		shown, err := showClose(c)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, shown)
	}
	return out, nil
}

// dayOf is a date of the API; a missing one is zero.
func dayOf(d *openapi_types.Date) entry.Date {
	if d == nil {
		return 0
	}
	return entry.DateOf(d.Time)
}

func showClose(c reconcile.Close) (DayClose, error) {
	b, err := c.Body()
	if err != nil {
		return DayClose{}, err // it was read when it was taken in
	}
	out := DayClose{
		Store: c.Store, Terminal: c.Terminal, Epoch: int64(c.Epoch), Seq: int64(c.Seq), Hash: hex.EncodeToString(c.Hash[:]), Proven: c.Proven,
		BusinessDate: showDate(b.Date), OccurredAt: entry.Moment(c.OccurredAt), RecordedAt: entry.Moment(c.RecordedAt),
		Reason: b.Reason.String(), Cashier: unlessEmpty(b.Cashier), Person: unlessEmpty(b.CashierID), FirstSeq: int64(b.First), LastSeq: int64(b.Last), Head: hex.EncodeToString(b.Head),
		ClaimsPrinted: int64(b.Claims), HoldsOpen: int64(b.Held), Waiting: int64(b.Waiting),
		Kinds: []DayKind{}, Money: []DayMoney{}, Amounts: []DayAmount{}, Cashiers: []DayCashier{}, Holds: []DayHold{},
	}
	for _, k := range b.Kinds {
		out.Kinds = append(out.Kinds, DayKind{Kind: k.Kind.String(), Count: int64(k.Count)})
	}
	for _, m := range b.Money {
		out.Money = append(out.Money, DayMoney{
			Kind: m.Kind.String(), Currency: m.Currency, Count: int64(m.Count), Total: m.Total, Discount: m.Discount, Unmatched: int64(m.Unmatched),
		})
	}
	for _, a := range b.Amounts {
		out.Amounts = append(out.Amounts, DayAmount{
			Kind: a.Kind.String(), Flow: a.Flow.String(), Unit: unlessEmpty(a.Unit), Basis: a.Basis.String(), Count: int64(a.Count), Amount: a.Amount,
			Discount: a.Discount,
		})
	}
	for _, x := range b.Cashiers {
		out.Cashiers = append(out.Cashiers, DayCashier{
			Cashier: x.Cashier, Person: unlessEmpty(x.CashierID), Others: x.Others, Currency: x.Currency, Sales: int64(x.Sales), Voids: int64(x.Voids), Returns: int64(x.Returns),
			Taken: x.Taken, Undone: x.Undone, Refunded: x.Refunded,
		})
	}
	for _, hold := range b.Holds {
		out.Holds = append(out.Holds, DayHold{
			Quote: hold.Quote, Member: unlessEmpty(hold.Member), Account: unlessEmpty(hold.Account), Unit: unlessEmpty(hold.Unit), Amount: hold.Amount,
		})
	}
	return out, nil
}
