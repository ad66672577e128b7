package console

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
)

// Sum is one figure summed up. N counts what it is about.
type Sum struct {
	Figure string
	Unit   string
	N      int64
	Amount int64
}

// Shop is a store as the first page needs it.
type Shop struct {
	ID       uuid.UUID
	Code     string
	Name     string
	TimeZone string
	DayEnds  time.Duration // when its business date is over; see entry.BusinessDateOf
	Online   bool          // one of its terminals is
}

// StoreFigure is a figure of a store's business date.
type StoreFigure struct {
	Store uuid.UUID
	Figure
}

// ShopDay is what a store did on its business date of today.
type ShopDay struct {
	Shop
	Date entry.Date
	Sums []Sum
}

// Cause is the exceptions of one cause and unit that are not settled.
type Cause struct {
	Cause    string
	Unit     string
	Currency string
	N        int64
	Amount   int64
	Money    int64
}

// Waiting is entries under way: at terminals as far as HQ knows, and at HQ, taken in and
// not applied.
type Waiting struct{ Terminals, HQ int64 }

// Home is the first page. Today sums what stores did on their business dates of today;
// Busiest are the stores that sold most of it.
type Home struct {
	At           time.Time
	Stores       int
	StoresOnline int
	Waiting      Waiting
	Today        []Sum
	Busiest      []ShopDay
	Exceptions   []Cause
}

// Day is what all stores did on a business date.
type Day struct {
	Date entry.Date
	Sums []Sum
}

// WorstCase is what all stores together could cost at a moment.
type WorstCase struct {
	At     time.Time
	Unit   string
	Worst  int64
	Clones int64
}

// Figures is the storage of the first page.
type Figures interface {
	// StoresOnline returns all stores; one is online when a terminal of it in service was heard
	// since a time.
	StoresOnline(ctx context.Context, onlineSince time.Time) ([]Shop, error)
	// StoreFigures returns the figures of business dates by store.
	StoreFigures(ctx context.Context, dates []entry.Date) ([]StoreFigure, error)
	// DayFigures returns the figures of business dates between two, of all stores, the
	// oldest first.
	DayFigures(ctx context.Context, from, to entry.Date) ([]Figure, error)
	// Causes counts exceptions that are not settled.
	Causes(ctx context.Context) ([]Cause, error)
	Waiting(ctx context.Context) (Waiting, error)
	// Worst returns the exposure of all stores together as kept at some minutes, Unix
	// milliseconds, the oldest first.
	Worst(ctx context.Context, at []int64) ([]WorstCase, error)
}

const (
	// homeLife is how long an answer is given again, so that many who look cost as much
	// as one. It is well below pulseEvery: who asks because of a second change must not
	// get the answer to the first, since nothing would have them ask again.
	homeLife = pulseEvery / 4
	busiest  = 10
)

// Desk answers the first page. It is safe for concurrent use.
type Desk struct {
	figures Figures
	clock   clock.Clock
	online  time.Duration

	mu   sync.Mutex
	last Home
}

// NewDesk returns a desk. A terminal counts as online that was heard within a time.
func NewDesk(f Figures, c clock.Clock, online time.Duration) *Desk {
	return &Desk{figures: f, clock: c, online: online}
}

// Home returns the figures of now, at most a second old.
func (d *Desk) Home(ctx context.Context) (Home, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now().UTC()
	if age := now.Sub(d.last.At); age >= 0 && age < homeLife {
		return d.last, nil
	}
	h, err := d.home(ctx, now)
	if err != nil {
		return Home{}, err
	}
	d.last = h
	return h, nil
}

func (d *Desk) home(ctx context.Context, now time.Time) (Home, error) {
	h := Home{At: now}
	shops, err := d.figures.StoresOnline(ctx, now.Add(-d.online))
	if err != nil {
		return h, fmt.Errorf("read stores: %w", err)
	}
	today := datesOf(shops, now)
	var dates []entry.Date
	for i, s := range shops {
		h.Stores++
		if s.Online {
			h.StoresOnline++
		}
		if !slices.Contains(dates, today[i]) {
			dates = append(dates, today[i])
		}
	}
	figures, err := d.figures.StoreFigures(ctx, dates)
	if err != nil {
		return h, fmt.Errorf("read figures: %w", err)
	}
	h.Today, h.Busiest = add(shops, today, figures)
	if h.Exceptions, err = d.figures.Causes(ctx); err != nil {
		return h, fmt.Errorf("count exceptions: %w", err)
	}
	if h.Waiting, err = d.figures.Waiting(ctx); err != nil {
		return h, fmt.Errorf("count entries: %w", err)
	}
	return h, nil
}

// datesOf returns the business date of today of each store, as its tills reckon it.
func datesOf(shops []Shop, now time.Time) []entry.Date {
	zones := map[string]*time.Location{}
	out := make([]entry.Date, len(shops))
	for i, s := range shops {
		zone := zones[s.TimeZone]
		if zone == nil {
			var err error
			if zone, err = time.LoadLocation(s.TimeZone); err != nil {
				zone = time.UTC // a zone this machine does not know
			}
			zones[s.TimeZone] = zone
		}
		out[i] = entry.BusinessDateOf(now.In(zone), s.DayEnds)
	}
	return out
}

// add sums the figures of each store's own date.
func add(shops []Shop, today []entry.Date, figures []StoreFigure) ([]Sum, []ShopDay) {
	at := map[uuid.UUID]int{}
	days := make([]ShopDay, len(shops))
	for i, s := range shops {
		at[s.ID], days[i] = i, ShopDay{Shop: s, Date: today[i]}
	}
	var total []Sum
	for _, f := range figures {
		i, known := at[f.Store]
		if !known || f.Date != today[i] {
			continue
		}
		days[i].Sums = plus(days[i].Sums, f.Figure)
		total = plus(total, f.Figure)
	}
	days = slices.DeleteFunc(days, func(d ShopDay) bool { return len(d.Sums) == 0 })
	slices.SortStableFunc(days, func(a, b ShopDay) int { return -cmp.Compare(sold(a), sold(b)) })
	return total, days[:min(len(days), busiest)]
}

func sold(d ShopDay) (n int64) {
	for _, s := range d.Sums {
		if s.Figure == FigureSale {
			n += s.N
		}
	}
	return n
}

func plus(sums []Sum, f Figure) []Sum {
	for i := range sums {
		if sums[i].Figure == f.Figure && sums[i].Unit == f.Unit {
			sums[i].N, sums[i].Amount = sums[i].N+f.N, sums[i].Amount+f.Amount
			return sums
		}
	}
	return append(sums, Sum{f.Figure, f.Unit, f.N, f.Amount})
}

// mostDays bounds one answer of Days.
const mostDays = 400

// Days returns what all stores did on the last business dates, the oldest first, those on
// which nothing happened too: 1 to 400.
func (d *Desk) Days(ctx context.Context, n int) ([]Day, error) {
	if n < 1 || n > mostDays {
		return nil, refuse("days", "must be 1 to 400")
	}
	// Where it is already tomorrow stores may have sold on that date.
	last := d.clock.Now().UTC().Add(14 * time.Hour)
	first := last.AddDate(0, 0, 1-n)
	figures, err := d.figures.DayFigures(ctx, entry.DateOf(first), entry.DateOf(last))
	if err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	var out []Day
	for i := range n {
		out = append(out, Day{Date: entry.DateOf(first.AddDate(0, 0, i))})
	}
	for _, f := range figures {
		i := slices.IndexFunc(out, func(d Day) bool { return d.Date == f.Date })
		if i >= 0 {
			out[i].Sums = plus(out[i].Sums, f)
		}
	}
	return out, nil
}

// What one answer of Trend covers.
const (
	trendPoints = 96
	mostHours   = 7 * 24
)

// Trend returns the worst case at up to 96 whole minutes of the last hours, 1 to 168.
func (d *Desk) Trend(ctx context.Context, hours int) ([]WorstCase, error) {
	if hours < 1 || hours > mostHours {
		return nil, refuse("hours", "must be 1 to 168")
	}
	step := max(time.Minute, (time.Duration(hours) * time.Hour / trendPoints).Truncate(time.Minute))
	var at []int64
	now := d.clock.Now().UTC()
	for t := now.Truncate(step); now.Sub(t) <= time.Duration(hours)*time.Hour; t = t.Add(-step) {
		at = append(at, t.UnixMilli())
	}
	points, err := d.figures.Worst(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("read exposure: %w", err)
	}
	return points, nil
}
