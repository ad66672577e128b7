package currency_test

import (
	"math"
	"testing"

	"github.com/tallystick/tallystick/internal/currency"
)

func TestDecimalIsExact(t *testing.T) {
	for _, tc := range []struct {
		currency string
		minor    int64
		want     string
	}{
		{"EUR", 1250, "12.50"},
		{"EUR", 5, "0.05"},
		{"EUR", -5, "-0.05"},
		{"EUR", 0, "0.00"},
		{"JPY", 1250, "1250"},
		{"KWD", 1250, "1.250"},
		{"XYZ", 99, "0.99"},
		{"USD", math.MaxInt64, "92233720368547758.07"},
		{"USD", math.MinInt64, "-92233720368547758.08"},
	} {
		if got := currency.Decimal(tc.currency, tc.minor); got != tc.want {
			t.Errorf("%d of %s is %q, want %q", tc.minor, tc.currency, got, tc.want)
		}
	}
}

func TestACodeHasThreeCapitalLetters(t *testing.T) {
	for text, want := range map[string]bool{"EUR": true, "XYZ": true, "": false, "EU": false, "EURO": false, "eur": false, "E R": false, "EU\n": false, "ĘU": false} {
		if currency.IsCode(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
