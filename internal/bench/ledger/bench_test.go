//go:build linux

package ledger

import (
	"os"
	"runtime"
	"testing"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// TestLedger writes build/bench/ledger.json.
func TestLedger(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench-ledger does)")
	}
	o := readOptions(t)
	t.Logf("%d processors, load before: %.1f", runtime.NumCPU(), process.Load())
	var results []benchtable.Result
	measure := func(name string, part func(*testing.T) []benchtable.Result) {
		if !t.Run(name, func(t *testing.T) { results = append(results, part(t)...) }) {
			t.FailNow()
		}
	}
	for _, e := range o.engines {
		if o.has("ingest") {
			measure("ingest_"+e, func(t *testing.T) []benchtable.Result { return ingest(t, o, e) })
		}
		if o.has("alone") {
			measure("alone_"+e, func(t *testing.T) []benchtable.Result { return alone(t, o, e) })
		}
		if o.has("flat") {
			measure("flat_"+e, func(t *testing.T) []benchtable.Result { return flat(t, o, e) })
		}
	}
	if o.has("storm") {
		measure("storm_"+o.on, func(t *testing.T) []benchtable.Result { return storm(t, o) })
	}
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "ledger", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s (ratio %.3g), the target is %s", missed.Name, missed.Value, missed.Unit, missed.Ratio, missed.Target)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
