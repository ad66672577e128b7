package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// shrinkRuns bounds how many worlds are played to make a story shorter.
const shrinkRuns = 80

// Shrink looks for a shorter story that fails in the same way: it leaves out halves,
// quarters, and so on, and keeps what still fails (delta debugging). The same way is
// the same invariant: the words before the first colon.
func Shrink(ctx context.Context, failed Result, o Options) Result {
	best, events := failed, script(failed.Seed, o)
	events = events[:min(len(events), failed.Tally.Events)]
	runs := 0
	for size := (len(events) + 1) / 2; size >= 1 && runs < shrinkRuns; {
		smaller := false
		for from := 0; from < len(events) && runs < shrinkRuns; {
			to := min(from+size, len(events))
			without := slices.Concat(events[:from], events[to:])
			runs++
			if r := play(ctx, failed.Seed, o, without); r.Failed != "" && invariant(r.Failed) == invariant(failed.Failed) {
				best, events, smaller = r, without, true
				continue
			}
			from = to
		}
		if !smaller || size > len(events) {
			size /= 2
		}
	}
	best.Story = append([]string{fmt.Sprintf("seed %d, %d of its events:", failed.Seed, len(events))}, best.Story...)
	return best
}

func invariant(failure string) string {
	name, _, _ := strings.Cut(failure, ":")
	return name
}
