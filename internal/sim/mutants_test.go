package sim_test

import (
	"flag"
	"testing"

	"github.com/tallystick/tallystick/internal/sim"
)

var general = flag.Bool("sim.general", false, "look for broken builds in worlds of every kind, not only in those where they show soon")

// How many worlds a broken build may survive: of those where it shows soon, and of all.
const (
	mostShowing = 25
	mostSeeds   = 400
)

// TestSimCatchesBrokenBuilds plays builds that are wrong on purpose until a check fails,
// and says what caught each one. The world that shows it is clean with a sound build.
// `make sim-mutants` plays worlds of every kind.
func TestSimCatchesBrokenBuilds(t *testing.T) {
	for _, broken := range sim.BrokenBuilds {
		t.Run(string(broken), func(t *testing.T) {
			o, most := options(t), mostSeeds
			o.Rights = true
			o.Broken = broken
			if !*general {
				o, most = o.Showing(broken), mostShowing
			}
			sum, failed := campaign(t.Context(), o, *first, most, 0)
			if failed.Failed == "" {
				t.Fatalf("survived %d seeds", sum.Seeds)
			}
			t.Logf("caught by seed %d of %d: %s", failed.Seed, sum.Seeds, failed.Failed)
			o.Broken = sim.Sound
			if r := sim.Play(t.Context(), failed.Seed, o); r.Failed != "" {
				t.Errorf("a sound build fails there too: %s", r.Failed)
			}
		})
	}
}
