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
	rows := []string{"stored,us_per_entry,entries_per_second,cpu_us_per_entry"}
	for _, size := range flatSizes(o.flat) {
		fl.fill(t, size)
		stored := fl.stored()
		var costs, work []float64
		for range flatProbes {
			before := e.worked(t, f)
			cost, entries := fl.cost(t, max(1, o.probe/len(fl.terminals)))
			costs = append(costs, cost)
			work = append(work, float64((e.worked(t, f)-before).Microseconds())/float64(entries))
		}
		cost, cpu := benchtable.Median(costs), benchtable.Median(work)
		row := fmt.Sprintf("%d,%.1f,%.0f,%.1f", stored, cost, 1e6/cost, cpu)
		t.Log(row)
		rows = append(rows, row)
		first, firstCPU, target := cost, cpu, benchtable.Target{}
		if len(out) > 0 {
			first, firstCPU = out[0].Value, out[1].Value
		}
		if size == o.flat {
			target = benchtable.RatioAtMost(flatLimit)
		}
		name := fmt.Sprintf("flat_%s_%d", kind, size)
		out = append(out, benchtable.Against(name, "µs/entry", cost, first, target),
			benchtable.Against(name+"_cpu", "µs/entry", cpu, firstCPU, benchtable.Target{}))
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

// cost is the time from first push to all applied, in µs an entry, and how many
// entries there were.
func (fl *field) cost(t *testing.T, each int) (float64, int) {
	t.Helper()
	must(t, fl.sell(each))
	n := len(fl.waiting())
	began := time.Now()
	_, err := fl.drain(t.Context(), wire.MaxBatchEntries)
	must(t, err)
	must(t, fl.office.awaitApplied(t.Context(), seldom))
	return float64(time.Since(began).Microseconds()) / float64(n), n
}

// worked is the processor time that HQ and its database have used: unlike the time on
// the clock it is nearly the same when others work on the machine.
func (e engine) worked(t *testing.T, f *office) time.Duration {
	t.Helper()
	used := cpuTime(t, f.proc.PID())
	if e.server != nil {
		used += familyTime(t, e.server.cmd.Process.Pid)
	}
	return used
}
