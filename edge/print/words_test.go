package print

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestEveryPhraseIsInEveryLanguage(t *testing.T) {
	for _, l := range []Language{English, Turkish, Polish} {
		v := reflect.ValueOf(l.words())
		for i := range v.NumField() {
			if text := v.Field(i).String(); text == "" {
				t.Errorf("%s has no %s", l, v.Type().Field(i).Name)
			}
		}
		if strings.Count(l.words().takeOff, "%s") != 1 {
			t.Errorf("%s: %q", l, l.words().takeOff)
		}
	}
}

func TestMoneyIsWrittenAsPeopleDo(t *testing.T) {
	for _, tc := range []struct {
		language Language
		currency string
		minor    int64
		want     string
	}{
		{English, "EUR", 123456789, "1,234,567.89"},
		{Turkish, "TRY", 123456789, "1.234.567,89"},
		{Polish, "PLN", 123456789, "1 234 567,89"},
		{English, "EUR", 0, "0.00"},
		{English, "EUR", -5, "-0.05"},
		{English, "JPY", 1500, "1,500"},
		{English, "KWD", 1500, "1.500"},
		{English, "JPY", 999, "999"},
		{English, "EUR", math.MinInt64, "-92,233,720,368,547,758.08"},
		{English, "XXX", 100, "1.00"},
	} {
		if got := tc.language.money(tc.currency, tc.minor); got != tc.want {
			t.Errorf("%s %s %d: %q, want %q", tc.language, tc.currency, tc.minor, got, tc.want)
		}
	}
}
