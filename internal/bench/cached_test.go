package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// cachedMembers is how many members the lane of edge_rss_100k holds.
const cachedMembers = 100_000

// cached100k fills a lane with 100,000 members from a real HQ, starts it again, and
// measures how soon it is ready and how much memory it keeps while selling.
func cached100k(t *testing.T) []benchtable.Result {
	s, err := stage.New(t.Context(), shipped(t), t.TempDir(), nil)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close(context.Background())) })
	_, err = s.OpenProgramme(t.Context(), stage.DefaultPolicy)
	must(t, err)
	_, lanes, err := s.AddStore(t.Context(), oneStore, "lane1")
	must(t, err)
	lane := lanes[0]
	fill(t, s)
	last, err := s.Enrol(t.Context(), "last", 1)
	must(t, err)
	must(t, stage.UntilWithin(t.Context(), 10*time.Minute, "the lane has all members", func() (bool, error) {
		scan, err := lane.Scan(t.Context(), last.Code)
		return scan.Free(stage.Points) == 1, err
	}))
	must(t, stage.UntilWithin(t.Context(), 10*time.Minute, "the lane has caught up with the feed", func() (bool, error) {
		status, err := lane.Status(t.Context())
		return err == nil && status.CacheAge != nil && *status.CacheAge <= 1, err
	}))
	var ready, whole, anonymous []float64
	for range rounds {
		must(t, lane.Stop(t.Context()))
		must(t, lane.Start(t.Context()))
		ready = append(ready, float64(lane.Process().ReadyAfter().Milliseconds()))
		for n := range 200 {
			_, err := lane.Sell(t.Context(), fmt.Sprintf("m%d-%d", len(ready), n), edgeclient.QuoteRequest{
				Code: last.Code, Currency: stage.Currency, Total: 1_00,
			})
			must(t, err)
		}
		whole = append(whole, memory(t, lane.Process().PID(), "VmRSS"))
		anonymous = append(anonymous, memory(t, lane.Process().PID(), "RssAnon"))
	}
	return []benchtable.Result{
		benchtable.Alone("edge_rss_100k", "MB", benchtable.Median(whole), benchtable.ValueAtMost(80)),
		benchtable.Alone("edge_rss_100k_anonymous", "MB", benchtable.Median(anonymous), benchtable.Target{}),
		benchtable.Alone("edge_ready_100k", "ms", benchtable.Median(ready), benchtable.ValueAtMost(300)),
	}
}

func fill(t *testing.T, s *stage.Stage) {
	t.Helper()
	batch := make([]hqclient.MemberNew, 1_000)
	for from := 0; from < cachedMembers; from += len(batch) {
		for i := range batch {
			batch[i].Alias = fmt.Sprintf("member %d", from+i)
		}
		_, err := s.Office.CreateMembers(t.Context(), batch)
		must(t, err)
		t.Logf("%d members at HQ", from+len(batch))
	}
}

// memory reads a figure of /proc/PID/status (proc(5)), in MB.
func memory(t *testing.T, pid int, name string) float64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			must(t, err)
			return kib * 1024 / 1e6
		}
	}
	t.Fatalf("process %d has no %s", pid, name)
	return 0
}
