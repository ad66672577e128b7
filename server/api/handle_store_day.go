package api

import (
	"context"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
)

// How many days a list has, when it is not said and at most.
const (
	usualDays = 62
	mostDays  = 400
)

// ListStoreDays implements StrictServerInterface.
func (h handlers) ListStoreDays(ctx context.Context, r ListStoreDaysRequestObject) (ListStoreDaysResponseObject, error) {
	to := h.o.Clock.Now().AddDate(0, 0, 1) // it may be tomorrow there
	if r.Params.To != nil {
		to = r.Params.To.Time
	}
	from := to.AddDate(0, 0, -usualDays)
	if r.Params.From != nil {
		from = r.Params.From.Time
	}
	first, last, err := readSpan(from, to)
	if err != nil {
		return nil, err
	}
	days, err := h.o.StoreDays.Days(ctx, r.ID, first, last)
	if err != nil {
		return nil, err
	}
	return ListStoreDays200JSONResponse{Items: showAll(days, showStoreDay)}, nil
}

// readSpan reads the first and the last of some days in a row.
func readSpan(from, to time.Time) (first, last entry.Date, err error) {
	if to.Sub(from) > mostDays*24*time.Hour || to.Before(from) {
		return 0, 0, badParameter("from", "must be at most 400 days before to")
	}
	return entry.DateOf(from), entry.DateOf(to), nil
}

// ListStoreCalendars implements StrictServerInterface.
func (h handlers) ListStoreCalendars(ctx context.Context, r ListStoreCalendarsRequestObject) (ListStoreCalendarsResponseObject, error) {
	from, to := r.Params.From.Time, r.Params.To.Time
	if to.Sub(from) > usualDays*24*time.Hour || to.Before(from) {
		return nil, badParameter("from", "must be at most 62 days before to")
	}
	out := ListStoreCalendars200JSONResponse{}
	stores, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]fleet.Store, error) {
		return h.o.Fleet.Stores(ctx, after, limit)
	}, func(s fleet.Store) uuid.UUID { return s.ID }, func(s fleet.Store) fleet.Store { return s })
	if err != nil {
		return nil, err
	}
	out.Items, out.Next = []StoreCalendar{}, next
	for _, s := range stores {
		days, err := h.o.StoreDays.Days(ctx, s.ID, entry.DateOf(from), entry.DateOf(to))
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, StoreCalendar{Store: s.ID, Code: s.Code, Name: s.Name, Days: showAll(days, showStoreDay)})
	}
	return out, nil
}

// GetDayCertificate implements StrictServerInterface.
func (h handlers) GetDayCertificate(ctx context.Context, r GetDayCertificateRequestObject) (GetDayCertificateResponseObject, error) {
	c, err := h.o.StoreDays.Certificate(ctx, r.ID, entry.DateOf(r.Date.Time))
	if err != nil {
		return nil, err
	}
	return GetDayCertificate200JSONResponse{
		BusinessDate: showDate(c.Date), Number: int64(c.Number), CutAt: time.UnixMilli(c.CutAt).UTC(), Digest: c.Digest, Certificate: c.Text,
	}, nil
}

func showStoreDay(d storeday.Day) BusinessDay {
	out := BusinessDay{
		BusinessDate: showDate(d.Date), State: BusinessDayState(d.State), Waiting: []DayWaiting{}, Blocking: append([]openapi_types.UUID{}, d.Blocking...),
	}
	for _, w := range d.Waiting {
		out.Waiting = append(out.Waiting, DayWaiting{Terminal: w.Lane.Writer.ID, Name: w.Lane.Name, Epoch: int64(w.Lane.Writer.Epoch), Why: DayWaitingWhy(w.Why)})
	}
	if d.Certified != nil {
		number, cut := int64(d.Certified.Number), time.UnixMilli(d.Certified.CutAt).UTC()
		out.Number, out.CutAt, out.Digest = &number, &cut, &d.Certified.Digest
	}
	return out
}
