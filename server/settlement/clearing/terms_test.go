package clearing

import (
	"slices"
	"testing"
)

// Of two prices from one date the later one counts, and none counts before its date.
func TestPricesOnADateAreOneForEachCurrency(t *testing.T) {
	terms := (&Terms{Prices: []Price{
		{Unit: "points", Currency: "PLN", From: 20260101, PerThousand: 4300},
		{Unit: "points", Currency: "EUR", From: 20260101, PerThousand: 900},
		{Unit: "points", Currency: "EUR", From: 20260301, PerThousand: 1100},
		{Unit: "points", Currency: "EUR", From: 20260101, PerThousand: 1000},
		{Unit: "points", Currency: "TRY", From: 20260401, PerThousand: 5},
		{Unit: "uses", Currency: "EUR", From: 20260101, PerThousand: 7},
	}}).Build()
	want := []Price{
		{Unit: "points", Currency: "EUR", From: 20260101, PerThousand: 1000},
		{Unit: "points", Currency: "PLN", From: 20260101, PerThousand: 4300},
	}
	if got := terms.PricesOn("points", 20260228); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := terms.PricesOn("points", 20251231); len(got) != 0 {
		t.Errorf("before any price: %+v", got)
	}
}
