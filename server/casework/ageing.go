package casework

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Ages are the last days of the buckets of an ageing report; the one after them has no end.
// An exception is of age n when it came n whole days ago.
var Ages = [...]int{7, 30, 60, 90}

// Buckets is how many buckets there are.
const Buckets = len(Ages) + 1

// Aged sums the exceptions of one age that were unsettled at a time, of one kind, liable
// party, store, unit and currency. No sum is over two units or two currencies.
type Aged struct {
	Kind      string
	Liable    string
	Store     uuid.UUID
	StoreCode string
	Unit      string
	Currency  string
	Bucket    int
	N         int64
	Amount    int64
	Money     int64
}

// Cell is one bucket of a line of an ageing report.
type Cell struct{ N, Amount, Money int64 }

// Line is a line of an ageing report.
type Line struct {
	Kind      string
	Liable    string
	Store     uuid.UUID
	StoreCode string
	Unit      string
	Currency  string
	Cells     [Buckets]Cell
	Total     Cell
}

// Report is what was unsettled at a time, by age. Totals are the sums of all lines of a unit
// and currency.
type Report struct {
	At     time.Time
	Lines  []Line
	Totals []Line
}

// Ageing returns what was unsettled at a time, as it was known then: what came, ended, was
// settled or given to somebody else to answer for later is as it was. A zero time is now.
func (s *Service) Ageing(ctx context.Context, at time.Time) (Report, error) {
	if now := s.now(); at.IsZero() || at.After(now) {
		at = now
	}
	aged, err := s.env.Store.Standing(ctx, at)
	if err != nil {
		return Report{}, fmt.Errorf("sum unsettled exceptions: %w", err)
	}
	return Report{At: at, Lines: Lines(aged), Totals: Lines(totals(aged))}, nil
}

// totals leaves of each sum its unit, currency and age.
func totals(aged []Aged) []Aged {
	out := make([]Aged, len(aged))
	for i, a := range aged {
		out[i] = Aged{Unit: a.Unit, Currency: a.Currency, Bucket: a.Bucket, N: a.N, Amount: a.Amount, Money: a.Money}
	}
	return out
}

// Lines puts the ages of what is otherwise the same side by side.
func Lines(aged []Aged) []Line {
	at := map[Line]int{}
	var out []Line
	for _, a := range aged {
		key := Line{Kind: a.Kind, Liable: a.Liable, Store: a.Store, StoreCode: a.StoreCode, Unit: a.Unit, Currency: a.Currency}
		i, known := at[key]
		if !known {
			i = len(out)
			at[key] = i
			out = append(out, key)
		}
		for _, cell := range []*Cell{&out[i].Cells[a.Bucket], &out[i].Total} {
			cell.N, cell.Amount, cell.Money = cell.N+a.N, cell.Amount+a.Amount, cell.Money+a.Money
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Liable, b.Liable), cmp.Compare(a.StoreCode, b.StoreCode),
			cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Currency, b.Currency), slices.Compare(a.Store[:], b.Store[:]))
	})
	return out
}

// WithoutStores adds up the lines of all stores.
func WithoutStores(lines []Line) []Line {
	var aged []Aged
	for _, l := range lines {
		for i, c := range l.Cells {
			if c != (Cell{}) {
				aged = append(aged, Aged{Kind: l.Kind, Liable: l.Liable, Unit: l.Unit, Currency: l.Currency, Bucket: i, N: c.N, Amount: c.Amount, Money: c.Money})
			}
		}
	}
	return Lines(aged)
}

// Overdue counts unsettled exceptions that should have been settled by now.
func (s *Service) Overdue(ctx context.Context) (int64, error) {
	n, err := s.env.Store.Overdue(ctx, s.now())
	if err != nil {
		return 0, fmt.Errorf("count overdue exceptions: %w", err)
	}
	return n, nil
}
