//go:build linux

package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/sync/wire"
)

const (
	// flatProbes is how many probes make one row; the median counts.
	flatProbes = 3
	// flatLimit is how much more an entry may cost at the end than at the first row.
	flatLimit = 1.5
	// fillChunk bounds how many entries the terminals hold in memory.
	fillChunk = 20_000
)

// flatSizes are the numbers of entries stored at which the cost is taken.
func flatSizes(last int) []int {
	var out []int
	for _, n := range []int{10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000} {
		if n < last {
			out = append(out, n)
		}
	}
	return append(out, last)
}

// flat measures what an entry costs with more and more stored, prints rows to plot
// and writes them to build/bench/ledger_flat_ENGINE.csv.
func flat(t *testing.T, o options, kind string) []benchtable.Result {
	e := newEngine(t, o, kind)
	f := openOffice(t, o, e.database(t, "flat"), "flat_"+kind)
	fl := openField(t, f, apart)
	var out []benchtable.Result
	rows := []string{"stored,us_per_entry,entries_per_second"}
	for _, size := range flatSizes(o.flat) {
		fl.fill(t, size)
		stored := fl.stored()
		var costs []float64
		for range flatProbes {
			costs = append(costs, fl.cost(t, max(1, o.probe/len(fl.terminals))))
		}
		cost := median(costs)
		row := fmt.Sprintf("%d,%.1f,%.0f", stored, cost, 1e6/cost)
		t.Log(row)
		rows = append(rows, row)
		first, target := cost, benchtable.Target{}
		if len(out) > 0 {
			first = out[0].Value
		}
		if size == o.flat {
			target = benchtable.RatioAtMost(flatLimit)
		}
		out = append(out, benchtable.Against(fmt.Sprintf("flat_%s_%d", kind, size), "µs/entry", cost, first, target))
	}
	fl.check(t)
	writeRows(t, kind, rows)
	return out
}

func writeRows(t *testing.T, kind string, rows []string) {
	t.Helper()
	text := strings.Join(rows, "\n") + "\n"
	fmt.Printf("flat_%s\n%s", kind, text)
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, os.MkdirAll(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "ledger_flat_"+kind+".csv"), []byte(text), 0o644))
}

// stored is how many entries the terminals have put into batches.
func (fl *field) stored() int {
	n := 0
	for _, t := range fl.terminals {
		n += int(t.head.Seq)
	}
	return n
}

// fill pushes until size entries are stored.
func (fl *field) fill(t *testing.T, size int) {
	t.Helper()
	for missing := size - fl.stored(); missing > 0; missing = size - fl.stored() {
		must(t, fl.sell(max(1, min(missing, fillChunk)/len(fl.terminals))))
		_, err := fl.drain(t.Context(), wire.MaxBatchEntries)
		must(t, err)
		must(t, fl.office.awaitApplied(t.Context(), seldom))
	}
}

// cost is the time from first push to all applied, in µs an entry.
func (fl *field) cost(t *testing.T, each int) float64 {
	t.Helper()
	must(t, fl.sell(each))
	n := float64(len(fl.waiting()))
	began := time.Now()
	_, err := fl.drain(t.Context(), wire.MaxBatchEntries)
	must(t, err)
	must(t, fl.office.awaitApplied(t.Context(), seldom))
	return float64(time.Since(began).Microseconds()) / n
}
