package sim_test

import (
	"context"
	"flag"
	"testing"

	"github.com/tallystick/tallystick/internal/sim"
)

var (
	recoveries = flag.Int("sim.recoveries", 400, "honest crash recoveries to play")
	copies     = flag.Int("sim.copies", 12, "copied terminals to play")
)

// TestG6_HonestCrashesRaiseNoAlarm kills and cuts the power of lanes that nobody copied or
// rolled back, at rest and in the middle of every kind of call: no fork and no rollback
// is ever seen, and nothing acknowledged is lost.
func TestG6_HonestCrashesRaiseNoAlarm(t *testing.T) {
	o := options(t)
	o.Only = sim.HonestCrashes
	o.Events = 1500
	o.Crashy = 60
	done := 0
	for seed := uint64(1); done < *recoveries; seed++ {
		r := sim.Play(context.Background(), seed, o)
		if r.Failed != "" {
			t.Fatalf("seed %d: %s\n%s", seed, r.Failed, tail(r.Story, 60))
		}
		if r.Tally.ForksFound > 0 {
			t.Fatalf("seed %d: a fork of an honest lane", seed)
		}
		done += r.Tally.Recoveries
	}
	t.Logf("%d recoveries", done)
}

// TestG6_EveryCopyIsFound copies data directories and rolls disks back, and lets both speak.
func TestG6_EveryCopyIsFound(t *testing.T) {
	o := options(t)
	o.Only = sim.Copies
	made, spoke, found := 0, 0, 0
	for seed := uint64(1); spoke < *copies; seed++ {
		r := sim.Play(context.Background(), seed, o)
		if r.Failed != "" {
			t.Fatalf("seed %d: %s\n%s", seed, r.Failed, tail(r.Story, 60))
		}
		made += r.Tally.Faults["clone"]
		spoke += r.Tally.BothSpoke
		found += r.Tally.BothFound
	}
	t.Logf("%d copies, both spoke in %d, found %d", made, spoke, found)
	if found != spoke {
		t.Errorf("of %d copies that spoke %d were found", spoke, found)
	}
}

func tail(story []string, n int) string {
	out := ""
	for _, line := range story[max(0, len(story)-n):] {
		out += line + "\n"
	}
	return out
}
