package liability

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/sync/entry"
)

// Value is what a thousand of a unit are worth from a day on, in minor units of a
// currency. It is a setting of finance: nothing in the books rests on it.
type Value struct {
	Unit        string
	Currency    string
	From        entry.Date
	PerThousand int64
	SetAt       time.Time
	SetBy       uuid.UUID
}

// Source is who says what a unit is worth.
type Source string

// Sources.
const (
	OfFinance  Source = "finance"  // a value that was set
	OfClearing Source = "clearing" // the price at which parties settle; no value was set
)

// Valued is an amount of points in money, in minor units. Amounts of several currencies
// are never summed.
type Valued struct {
	Currency    string
	PerThousand int64
	From        entry.Date
	Amount      int64
	Source      Source
}

// Prices knows at what parties settle a unit among each other.
type Prices interface {
	// PricesOn returns what a thousand of a unit are settled at on a day, one value for each
	// currency, with the day since when. SetAt and SetBy are not used.
	PricesOn(ctx context.Context, unit string, on entry.Date) ([]Value, error)
}

// values is the storage of what units are worth.
type values interface {
	// Values lists what a unit is worth, by currency and day; all units for none.
	Values(ctx context.Context, unit string) ([]Value, error)
	// PutValue replaces the value of the same unit, currency and day.
	PutValue(ctx context.Context, v Value) error
}

// Journal writes facts into HQ's own journal, in the transaction of ctx.
type Journal interface {
	Append(ctx context.Context, facts ...hqjournal.Fact) error
}

// mostPerThousand bounds a value.
const mostPerThousand = 1_000_000_000_000

// SetValue sets what a unit is worth from a day on.
func (s *Service) SetValue(ctx context.Context, by uuid.UUID, v Value) (Value, error) {
	v.Unit, v.Currency = strings.TrimSpace(v.Unit), strings.TrimSpace(v.Currency)
	if !currency.IsCode(v.Currency) || v.Unit == "" || len(v.Unit) > 64 || !v.From.Valid() || v.PerThousand < 0 || v.PerThousand > mostPerThousand {
		return Value{}, problem.New(problem.InvalidField, "a value has a unit, a currency of ISO 4217, a day, and an amount that is not negative")
	}
	v.SetAt, v.SetBy = s.env.Clock.Now().UTC().Truncate(time.Millisecond), by
	err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.env.Store.PutValue(ctx, v); err != nil {
			return err
		}
		return s.env.Journal.Append(ctx, hqjournal.Fact{Kind: entry.KindHQLiabilityValue, Body: entry.HQLiabilityValue{
			Unit: v.Unit, Currency: v.Currency, From: v.From, PerThousand: v.PerThousand, By: by,
		}})
	})
	if err != nil {
		return Value{}, fmt.Errorf("set value: %w", err)
	}
	return v, nil
}

// Values lists what units are worth, by unit, currency and day.
func (s *Service) Values(ctx context.Context) ([]Value, error) {
	all, err := s.env.Store.Values(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list values: %w", err)
	}
	return all, nil
}

// valued is an amount of a unit in each currency that it has a value in on a day; in the
// others by the clearing price of the day.
func (s *Service) valued(ctx context.Context, unit string, on Day, amount int64) ([]Valued, error) {
	date := dateOf(on)
	all, err := s.env.Store.Values(ctx, unit)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	var prices []Value
	if s.env.Prices != nil {
		if prices, err = s.env.Prices.PricesOn(ctx, unit, date); err != nil {
			return nil, fmt.Errorf("read clearing prices: %w", err)
		}
	}
	return InMoney(all, prices, on, amount), nil
}

// InMoney is an amount by the values that hold on a day, one for each currency, and by the
// clearing prices in currencies of which no value holds.
func InMoney(values, prices []Value, on Day, amount int64) []Valued {
	date := dateOf(on)
	set, cleared := holding(values, date), holding(prices, date)
	out := make([]Valued, 0, len(set)+len(cleared))
	for _, v := range set {
		out = append(out, Valued{v.Currency, v.PerThousand, v.From, worth(amount, v.PerThousand), OfFinance})
	}
	for _, v := range cleared {
		if _, ok := set[v.Currency]; !ok {
			out = append(out, Valued{v.Currency, v.PerThousand, v.From, worth(amount, v.PerThousand), OfClearing})
		}
	}
	slices.SortFunc(out, func(a, b Valued) int { return strings.Compare(a.Currency, b.Currency) })
	return out
}

// holding is the last value of each currency that holds on a date.
func holding(values []Value, on entry.Date) map[string]Value {
	holds := map[string]Value{}
	for _, v := range values {
		if v.From <= on && v.From >= holds[v.Currency].From {
			holds[v.Currency] = v
		}
	}
	return holds
}

func dateOf(d Day) entry.Date { return entry.DateOf(time.UnixMilli(d.start()).UTC()) }

// worth is amount times value over a thousand, rounded half away from zero.
func worth(amount, perThousand int64) int64 {
	n := new(big.Int).Mul(big.NewInt(amount), big.NewInt(perThousand))
	half := big.NewInt(500)
	if n.Sign() < 0 {
		half.Neg(half)
	}
	n.Quo(n.Add(n, half), big.NewInt(1000))
	if !n.IsInt64() {
		return int64(n.Sign()) * (1<<63 - 1)
	}
	return n.Int64()
}
