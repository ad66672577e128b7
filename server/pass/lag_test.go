package pass

import (
	"testing"
	"time"
)

func TestLagsOfASpan(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var lags []Lag
	for i := range 100 {
		lags = append(lags, Lag{Channel: Apple, At: from.Add(time.Hour), Took: time.Duration(100-i) * time.Second})
	}
	lags = append(lags, Lag{At: from, Took: time.Second}, Lag{At: from.Add(24 * time.Hour), Took: time.Minute})
	got := spansOf(lags, from, time.Hour)
	want := []LagSpan{
		{From: from, Count: 1, Median: time.Second, Worst: time.Second},
		{From: from.Add(time.Hour), Count: 100, Median: 50 * time.Second, Worst: 95 * time.Second},
		{From: from.Add(23 * time.Hour), Count: 1, Median: time.Minute, Worst: time.Minute},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("span %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	if none := spansOf(nil, from, time.Hour); len(none) != 0 {
		t.Errorf("%+v", none)
	}
}
