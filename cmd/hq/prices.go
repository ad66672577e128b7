package main

import (
	"context"

	"github.com/tallystick/tallystick/server/liability"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/sync/entry"
)

// clearingPrices tells the service of what is owed at what parties settle, for the two
// know nothing of each other.
type clearingPrices struct{ settlement *settlement.Service }

// PricesOn implements liability.Prices.
func (p clearingPrices) PricesOn(ctx context.Context, unit string, on entry.Date) ([]liability.Value, error) {
	prices, err := p.settlement.PricesOn(ctx, unit, on)
	if err != nil {
		return nil, err
	}
	out := make([]liability.Value, len(prices))
	for i, v := range prices {
		out[i] = liability.Value{Unit: v.Unit, Currency: v.Currency, From: v.From, PerThousand: v.PerThousand}
	}
	return out, nil
}
