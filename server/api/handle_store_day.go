package api

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/posbooks"
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
	first, last := entry.DateOf(from), entry.DateOf(to)
	list := h.o.Fleet.Stores
	differing := r.Params.Books != nil
	if differing {
		only, err := h.o.Books.Differing(ctx, first, last)
		if err != nil {
			return nil, err
		}
		list = h.storesOf(only)
	}
	out := ListStoreCalendars200JSONResponse{}
	stores, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]fleet.Store, error) {
		return list(ctx, after, limit)
	}, func(s fleet.Store) uuid.UUID { return s.ID }, func(s fleet.Store) fleet.Store { return s })
	if err != nil {
		return nil, err
	}
	out.Items, out.Next = []StoreCalendar{}, next
	for _, s := range stores {
		calendar, err := h.calendar(ctx, s, first, last, differing)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, calendar)
	}
	return out, nil
}

// storesOf lists some stores as the fleet lists all: by id.
func (h handlers) storesOf(ids []uuid.UUID) func(ctx context.Context, after uuid.UUID, limit int) ([]fleet.Store, error) {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	return func(ctx context.Context, after uuid.UUID, limit int) (out []fleet.Store, err error) {
		for _, id := range ids {
			if bytes.Compare(id[:], after[:]) <= 0 || len(out) == limit {
				continue
			}
			s, err := h.o.Fleet.Store(ctx, id)
			if err != nil {
				return nil, err
			}
			out = append(out, s)
		}
		return out, nil
	}
}

// calendar is that of one store; differing leaves out days that match the till software's
// books, or have none.
func (h handlers) calendar(ctx context.Context, s fleet.Store, first, last entry.Date, differing bool) (StoreCalendar, error) {
	days, err := h.o.StoreDays.Days(ctx, s.ID, first, last)
	if err != nil {
		return StoreCalendar{}, err
	}
	books, err := h.o.Books.Days(ctx, s.ID, first, last)
	if err != nil {
		return StoreCalendar{}, err
	}
	if differing {
		books = slices.DeleteFunc(books, func(d posbooks.Day) bool { return d.Standing() != posbooks.StandingDifferences })
		days = slices.DeleteFunc(days, func(d storeday.Day) bool {
			return !slices.ContainsFunc(books, func(b posbooks.Day) bool { return b.Date == d.Date })
		})
	}
	return StoreCalendar{Store: s.ID, Code: s.Code, Name: s.Name, Days: showAll(days, showStoreDay), Books: showAll(books, showPosDay)}, nil
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
