package bench

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// TestEdgeMembers writes build/bench/edge_members.json: a lane of a store with very many
// members (TALLYSTICK_BENCH_MEMBERS, 1,000,000).
func TestEdgeMembers(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench does)")
	}
	n, err := benchtable.Setting("TALLYSTICK_BENCH_MEMBERS", 1_000_000)
	must(t, err)
	results := manyMembers(t, n)
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "edge_members", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s, the target is %s", missed.Name, missed.Value, missed.Unit, missed.Target)
	}
}

func manyMembers(t *testing.T, n int) []benchtable.Result {
	hq := newFeedHQ(t, n)
	lane, err := stage.Enrol(t.Context(), shipped(t), "lane1", filepath.Join(t.TempDir(), "lane"), hq.URL, "code", os.Stderr)
	must(t, err)
	must(t, lane.Start(t.Context()))
	t.Cleanup(func() { _ = lane.Stop(t.Context()) })
	began := time.Now()
	select {
	case <-hq.read:
	case <-lane.Process().Done():
		t.Fatal("the lane ended while it was filled")
	case <-time.After(20 * time.Minute):
		t.Fatal("the lane is not filled within 20 minutes")
	}
	filled := time.Since(began)
	results := []benchtable.Result{
		benchtable.Alone("fill", "s", filled.Seconds(), benchtable.Target{}),
		benchtable.Alone("fill_peak_rss", "MB", memory(t, lane.Process().PID(), "VmHWM"), benchtable.Target{}),
		benchtable.Alone("fill_rss_anonymous", "MB", memory(t, lane.Process().PID(), "RssAnon"), benchtable.Target{}),
	}
	results = append(results, weigh(t, hq)...)
	must(t, lane.Stop(t.Context()))
	results = append(results, benchtable.Alone("cache_on_disk", "MB", onDisk(t, filepath.Join(lane.Data, "cache")), benchtable.Target{}))
	return append(results, startAndSell(t, hq, lane)...)
}

// weigh says what members and changes weigh in the feed.
func weigh(t *testing.T, hq *feedHQ) []benchtable.Result {
	var all sent
	for page := 1; page <= hq.pages(); page++ {
		w := hq.weight(page)
		all = sent{all.items + w.items, all.raw + w.raw, all.packed + w.packed}
	}
	bytesOf := func(name string, w sent) []benchtable.Result {
		return []benchtable.Result{
			benchtable.Alone("feed_"+name+"_raw", "bytes", float64(w.raw)/float64(w.items), benchtable.Target{}),
			benchtable.Alone("feed_"+name+"_zstd", "bytes", float64(w.packed)/float64(w.items), benchtable.Target{}),
		}
	}
	results := bytesOf("member", all)
	for i, n := range []int{1, 100} {
		page := hq.change(n, int64(9_000+i))
		select {
		case <-hq.read:
		case <-time.After(time.Minute):
			t.Fatal("the lane does not take in a change")
		}
		results = append(results, bytesOf(fmt.Sprintf("change_of_%d", n), hq.weight(page))...)
	}
	return results
}

// startAndSell starts the full lane again and again, and sells to many shoppers.
func startAndSell(t *testing.T, hq *feedHQ, lane *stage.Lane) []benchtable.Result {
	const sales = 500
	var ready, cold, first, firstAnon, sold, soldAnon, peak []float64
	for round := range rounds {
		if dropped(t, lane.Data) {
			must(t, lane.Start(t.Context()))
			cold = append(cold, float64(lane.Process().ReadyAfter().Milliseconds()))
			must(t, lane.Stop(t.Context()))
		}
		must(t, lane.Start(t.Context()))
		ready = append(ready, float64(lane.Process().ReadyAfter().Milliseconds()))
		pid := lane.Process().PID()
		first, firstAnon = append(first, memory(t, pid, "VmRSS")), append(firstAnon, memory(t, pid, "RssAnon"))
		for i := range sales {
			_, err := lane.Sell(t.Context(), fmt.Sprintf("m%d-%d", round, i), edgeclient.QuoteRequest{
				Code: hq.code(t, (round*sales+i)*7907%hq.members), Currency: "EUR", Total: 1_00,
			})
			must(t, err)
		}
		sold, soldAnon = append(sold, memory(t, pid, "VmRSS")), append(soldAnon, memory(t, pid, "RssAnon"))
		peak = append(peak, memory(t, pid, "VmHWM"))
		must(t, lane.Stop(t.Context()))
	}
	var results []benchtable.Result
	if len(cold) > 0 {
		results = append(results, benchtable.Alone("ready_from_disk", "ms", benchtable.Median(cold), benchtable.ValueAtMost(1000)))
	}
	return append(results,
		benchtable.Alone("ready", "ms", benchtable.Median(ready), benchtable.ValueAtMost(1000)),
		benchtable.Alone("rss_ready", "MB", benchtable.Median(first), benchtable.ValueAtMost(150)),
		benchtable.Alone("rss_ready_anonymous", "MB", benchtable.Median(firstAnon), benchtable.Target{}),
		benchtable.Alone("rss_selling", "MB", benchtable.Median(sold), benchtable.ValueAtMost(150)),
		benchtable.Alone("rss_selling_anonymous", "MB", benchtable.Median(soldAnon), benchtable.Target{}),
		benchtable.Alone("peak_rss", "MB", benchtable.Median(peak), benchtable.ValueAtMost(150)),
	)
}

// dropped takes the files of a directory out of the system's cache, as after the machine
// was switched on; it reports whether it could.
func dropped(t *testing.T, dir string) bool {
	t.Helper()
	all := true
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		all = all && dropPages(f) == nil
		return f.Close()
	}))
	return all
}

// onDisk is what the files below a directory take, in MB.
func onDisk(t *testing.T, dir string) float64 {
	t.Helper()
	var sum int64
	must(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	}))
	return float64(sum) / 1e6
}
