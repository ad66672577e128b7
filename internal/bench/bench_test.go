package bench

import (
	"errors"
	"io"
	"os"
	"testing"

	"github.com/tallystick/tallystick/internal/benchtable"
)

// rounds is how often each figure is taken; the median counts.
const rounds = 5

// TestEdge writes build/bench/edge.json.
func TestEdge(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench does)")
	}
	var results []benchtable.Result
	for _, m := range []struct {
		name    string
		measure func(*testing.T) []benchtable.Result
	}{
		{"journal_append_1", journalAppend1},
		{"journal_append_100", journalAppend100},
		{"sale_commit_1", saleCommit1},
		{"sale_commit_32", saleCommit32},
		{"ingest_sqlite", ingestSQLite},
		{"cached_100k", cached100k},
	} {
		if !t.Run(m.name, func(t *testing.T) { results = append(results, m.measure(t)...) }) {
			t.FailNow()
		}
	}
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "edge", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s (ratio %.3g), the target is %s", missed.Name, missed.Value, missed.Unit, missed.Ratio, missed.Target)
	}
}

// paired takes value and baseline in turns and returns the median of each.
func paired(value, baseline func() float64) (float64, float64) {
	var values, baselines []float64
	for range rounds {
		baselines = append(baselines, baseline())
		values = append(values, value())
	}
	return benchtable.Median(values), benchtable.Median(baselines)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// closed ends the measurement when something does not close well.
func closed(t *testing.T, c ...io.Closer) {
	t.Helper()
	var err error
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	must(t, err)
}
