package sim_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/sim"
)

// mostSeeds bounds how many worlds a broken build may survive.
const mostSeeds = 400

// TestSimCatchesBrokenBuilds plays builds that are wrong on purpose until a check fails.
// It is `make sim-mutants`, and says what caught each one.
func TestSimCatchesBrokenBuilds(t *testing.T) {
	for _, broken := range sim.BrokenBuilds {
		t.Run(string(broken), func(t *testing.T) {
			o := options(t)
			o.Broken = broken
			sum, failed := campaign(t.Context(), o, 1, mostSeeds, 0)
			if failed.Failed == "" {
				t.Fatalf("survived %d seeds", sum.Seeds)
			}
			t.Logf("caught after %d seeds: %s", sum.Seeds, failed.Failed)
		})
	}
}
