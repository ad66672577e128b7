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
	scenes     = flag.Uint64("sim.scenes", 3, "worlds of each scene to play")
)

// TestG6_HonestCrashesRaiseNoAlarm kills and cuts the power of lanes that nobody copied or
// rolled back, at rest and in the middle of every kind of call: no fork and no rollback
// is ever seen, and nothing acknowledged is lost.
func TestG6_HonestCrashesRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Only, o.Blame = sim.HonestCrashes, true
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
	t.Parallel()
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

// TestG1_AOneLaneStoreRebootedDailyForAWeekOfflineKeepsRedeeming has a store that sees
// neither HQ nor another lane for a week, and dies each night.
func TestG1_AOneLaneStoreRebootedDailyForAWeekOfflineKeepsRedeeming(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Scene = sim.WeekAlone
	redeemed, starts := 0, 0
	for seed := uint64(1); seed <= *scenes; seed++ {
		r := sim.Play(context.Background(), seed, o)
		if r.Failed != "" {
			t.Fatalf("seed %d: %s\n%s", seed, r.Failed, tail(r.Story, 60))
		}
		redeemed += r.Tally.Treats
		starts += r.Tally.Recoveries
	}
	t.Logf("%d weeks, %d starts after a crash, %d redemptions, none refused", *scenes, starts, redeemed)
	if redeemed < int(*scenes)*7*2*2 {
		t.Errorf("%d redemptions", redeemed)
	}
}

// TestG2_AnOldWordOfHQRevivesNoRight has a relay repeat what HQ said before it recalled
// rights, to tills that have lost their caches.
func TestG2_AnOldWordOfHQRevivesNoRight(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Scene = sim.OldWord
	rights := 0
	for seed := uint64(1); seed <= *scenes; seed++ {
		r := sim.Play(context.Background(), seed, o)
		if r.Failed != "" {
			t.Fatalf("seed %d: %s\n%s", seed, r.Failed, tail(r.Story, 60))
		}
		rights += r.Tally.OnRights
	}
	t.Logf("%d worlds, %d redemptions on rights", *scenes, rights)
	if rights == 0 {
		t.Error("no right was ever used")
	}
}

func tail(story []string, n int) string {
	out := ""
	for _, line := range story[max(0, len(story)-n):] {
		out += line + "\n"
	}
	return out
}
