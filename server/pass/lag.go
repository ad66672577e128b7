package pass

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Lag is how long one change took from the sale behind it to a phone's fetch.
type Lag struct {
	Channel Channel
	At      time.Time // when it was fetched
	Took    time.Duration
}

// LagSpan is the lags of a span of time: half of them were at most Median, 95 in 100 at
// most Worst.
type LagSpan struct {
	From   time.Time
	Count  int
	Median time.Duration
	Worst  time.Duration
}

// Bounds of what Lags looks at.
const (
	lagSpans = 24
	mostLags = 50_000
)

// Lags are the lags of what was fetched in a time until now, in 24 equal spans, the
// oldest first; a span without any is left out. Of each pass only its last fetch counts.
func (s *Service) Lags(ctx context.Context, over time.Duration) ([]LagSpan, error) {
	now := s.now()
	lags, err := s.o.Store.PassLags(ctx, now.Add(-over), mostLags)
	if err != nil {
		return nil, fmt.Errorf("read lags: %w", err)
	}
	return spansOf(lags, now.Add(-over), over/lagSpans), nil
}

// spansOf sorts lags into spans of a length from a time on.
func spansOf(lags []Lag, from time.Time, length time.Duration) []LagSpan {
	in := map[int][]time.Duration{}
	for _, l := range lags {
		at := min(int(l.At.Sub(from)/length), lagSpans-1)
		in[at] = append(in[at], l.Took)
	}
	out := make([]LagSpan, 0, len(in))
	for at := range lagSpans {
		took := in[at]
		if len(took) == 0 {
			continue
		}
		slices.Sort(took)
		out = append(out, LagSpan{
			From: from.Add(time.Duration(at) * length), Count: len(took), Median: took[(len(took)-1)/2], Worst: took[(len(took)-1)*95/100],
		})
	}
	return out
}
