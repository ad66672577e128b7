//go:build linux

package ledger

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/benchtable"
)

// options are what docs/benchmarks.md says of the environment.
type options struct {
	long     bool
	parts    []string // which measurements
	engines  []string // sqlite, postgres
	rounds   int      // of each short figure
	entries  int      // of one round of full batches
	flat     int      // entries stored in the end
	probe    int      // entries of one probe of flat
	lanes    int      // terminals of the storm
	backlog  int      // entries each of them has
	storms   int      // rounds of the storm
	rssLimit float64  // MB that HQ may take at most in the storm
	on       string   // engine of the storm
	batches  []string // sizes of ingest
	layouts  []string // of ingest
	profile  bool
}

func readOptions(t *testing.T) options {
	t.Helper()
	o := options{
		long: os.Getenv("BENCH_LONG") != "", rounds: 5, entries: 10_000, flat: 50_000, probe: 4_000,
		lanes: 1_000, backlog: 100, storms: 3, profile: os.Getenv("TALLYSTICK_BENCH_PROFILE") != "",
	}
	if o.long {
		o.flat, o.probe, o.backlog = 2_000_000, 20_000, 1_000
	}
	number := func(name string, into *int) {
		n, err := benchtable.Setting("TALLYSTICK_BENCH_"+name, *into)
		must(t, err)
		*into = n
	}
	limit := 512
	number("ROUNDS", &o.rounds)
	number("ENTRIES", &o.entries)
	number("FLAT", &o.flat)
	number("PROBE", &o.probe)
	number("STORM_TERMINALS", &o.lanes)
	number("STORM_ENTRIES", &o.backlog)
	number("STORM_ROUNDS", &o.storms)
	number("STORM_RSS_MB", &limit)
	o.rssLimit = float64(limit)
	o.parts = choice(t, "ONLY", "ingest", "alone", "flat", "storm")
	o.engines = choice(t, "ENGINES", sqlite, postgres)
	o.batches = choice(t, "BATCHES", "500", "50", "1")
	o.layouts = choice(t, "LAYOUTS", "apart", "hot", "late")
	o.on = o.engines[len(o.engines)-1]
	return o
}

// choice reads a list with commas; unset is everything.
func choice(t *testing.T, name string, known ...string) []string {
	t.Helper()
	text := os.Getenv("TALLYSTICK_BENCH_" + name)
	if text == "" {
		return known
	}
	chosen := strings.Split(text, ",")
	for _, c := range chosen {
		if !slices.Contains(known, c) {
			t.Fatalf("TALLYSTICK_BENCH_%s names %q; there is %s", name, c, strings.Join(known, ", "))
		}
	}
	return chosen
}

func (o options) has(part string) bool { return slices.Contains(o.parts, part) }
