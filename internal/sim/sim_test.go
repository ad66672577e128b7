package sim_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/sim"
	"github.com/tallystick/tallystick/internal/testkit/blank"
)

var (
	seeds   = flag.Int("sim.seeds", 0, "worlds to play; 0 is what fits in the time for tests")
	first   = flag.Uint64("sim.from", 1, "seed of the first world")
	rights  = flag.Bool("sim.rights", true, "false leaves out the worlds in which HQ gives rights")
	patient = flag.Duration("sim.time", 30*time.Second, "begin no further world after this, when sim.seeds is not set")
)

// atLeast is how many worlds must have been played for the test to say anything.
const atLeast = 12

// options are those of worlds whose databases lie in memory, where there is such a place.
func options(t testing.TB) sim.Options {
	t.Helper()
	dir := t.TempDir()
	if memory, err := os.MkdirTemp("/dev/shm", "sim"); err == nil {
		dir = memory
		t.Cleanup(func() {
			if err := os.RemoveAll(memory); err != nil {
				t.Error(err)
			}
		})
	}
	empty, err := blank.File()
	if err != nil {
		t.Fatal(err)
	}
	return sim.Options{Empty: empty, Dir: dir, Rights: *rights}
}

// campaign plays worlds until limit or the time says so, and returns the sum of them and
// the failure with the lowest seed.
func campaign(ctx context.Context, o sim.Options, from uint64, limit int, patience time.Duration) (*sim.Tally, sim.Result) {
	began := time.Now()
	var next atomic.Uint64
	var mu sync.Mutex
	sum, failed := sim.NewTally(), sim.Result{}
	var all sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		all.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= uint64(limit) || patience > 0 && n >= atLeast && time.Since(began) > patience {
					return
				}
				r := sim.Play(ctx, from+n, o)
				mu.Lock()
				sum.Add(r.Tally)
				if r.Failed != "" && (failed.Failed == "" || r.Seed < failed.Seed) {
					failed = r
				}
				stop := failed.Failed != ""
				mu.Unlock()
				if stop {
					return
				}
			}
		})
	}
	all.Wait()
	return sum, failed
}

// TestSim plays worlds with every fault. Its last line is what `make sim` prints.
func TestSim(t *testing.T) {
	o := options(t)
	limit, patience := *seeds, time.Duration(0)
	if limit == 0 {
		limit, patience = 1<<30, *patient
	}
	began := time.Now()
	sum, failed := campaign(t.Context(), o, *first, limit, patience)
	t.Log(line(sum, time.Since(began)))
	if failed.Failed != "" {
		short := sim.Shrink(t.Context(), failed, o)
		t.Fatalf("seed %d: %s\n%s\n%s", failed.Seed, failed.Failed, strings.Join(short.Story, "\n"), short.Failed)
	}
	if sum.Total() == 0 {
		t.Fatal("no fault was played")
	}
}

func line(sum *sim.Tally, took time.Duration) string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(sum.Faults)) {
		faults = append(faults, fmt.Sprintf("%d %s", sum.Faults[name], name))
	}
	return fmt.Sprintf("sim: %d seeds, %d events, %d faults (%s), %d sales acknowledged and at HQ once, %d forks found, %d redemptions on rights, %d loans, %d merges, %d members enrolled at tills, %d receipts shown, %d ended passes refused, worst real ÷ bound %.3f, %s",
		sum.Seeds, sum.Events, sum.Total(), strings.Join(faults, ", "), sum.Acknowledged, sum.ForksFound, sum.OnRights, sum.Loans, sum.Merges, sum.Enrolled, sum.Claims, sum.Ended, sum.Worst, took.Round(time.Second))
}

// One seed is one run: the trace covers every answer, every journal and every posting.
func TestOneSeedIsOneRun(t *testing.T) {
	t.Parallel()
	o := options(t)
	traces := map[string]bool{}
	for seed := range uint64(12) {
		one, two := sim.Play(t.Context(), seed, o), sim.Play(t.Context(), seed, o)
		if one.Trace != two.Trace || one.Failed != two.Failed {
			for i := range one.Story {
				if i >= len(two.Story) || one.Story[i] != two.Story[i] {
					t.Fatalf("seed %d: line %d is %q, and then %q", seed, i, one.Story[i], two.Story[min(i, len(two.Story)-1)])
				}
			}
			t.Fatalf("seed %d: traces %s and %s", seed, one.Trace, two.Trace)
		}
		traces[one.Trace] = true
	}
	if len(traces) != 12 {
		t.Errorf("12 seeds have %d traces", len(traces))
	}
}
