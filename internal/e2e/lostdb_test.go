package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// HQ's database is killed in mid-batch, stays away for a while and comes back. Tills
// notice nothing, HQ says that it is not available and never that it failed, and
// nothing acknowledged is lost or doubled.
func TestG4_DatabaseKilledInMidBatchAndBack(t *testing.T) {
	t.Parallel()
	cluster := pg.Start(t)
	s := newScene(t, onDatabase(cluster.Database(t)))
	other := s.replica(t)
	lanes := []*stage.Lane{s.lane(t, "lane1"), s.laneAt(t, other, "lane2")}
	shoppers := s.crowd(t, names(workers), 0)
	loads, stop := s.sellEverywhere(t, lanes, shoppers)
	sold := func(more int) {
		t.Helper()
		for _, l := range loads {
			l.sellMore(t, more)
		}
	}
	for range 3 {
		sold(60)
		cluster.Kill(t)
		for _, hq := range []*stage.HQ{s.HQ, other} {
			wantAway(t, hq)
		}
		_, err := s.Office.Status(t.Context())
		wantCode(t, "a call without a database", err, problem.Unavailable)
		sold(30)
		cluster.Restart(t)
		for _, hq := range []*stage.HQ{s.HQ, other} {
			must(t, stage.Until(t.Context(), "HQ is ready again", func() (bool, error) {
				return ready(t, hq).StatusCode == http.StatusOK, nil
			}))
		}
	}
	sold(30)
	stop()
	s.checkAfterFaults(t, lanes, loads)
	for _, hq := range []*stage.HQ{s.HQ, other} {
		if line := failures(t, hq); line != "" {
			t.Errorf("%s: HQ failed instead of saying that it is away: %s", hq.Addr, line)
		}
	}
}

// get asks an hq for something that needs no sign-in.
func get(t *testing.T, hq *stage.HQ, path string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, hq.URL()+path, http.NoBody)
	must(t, err)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	var body strings.Builder
	_, err = io.Copy(&body, resp.Body)
	must(t, err)
	return resp, body.String()
}

func ready(t *testing.T, hq *stage.HQ) *http.Response {
	t.Helper()
	resp, _ := get(t, hq, "/readyz")
	return resp
}

// wantAway checks that a load balancer would take HQ out, and come again.
func wantAway(t *testing.T, hq *stage.HQ) {
	t.Helper()
	resp := ready(t, hq)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s: ready answers %s, Retry-After %q", hq.Addr, resp.Status, resp.Header.Get("Retry-After"))
	}
}

// failures returns the metric of the first route that answered 500.
func failures(t *testing.T, hq *stage.HQ) string {
	t.Helper()
	_, text := get(t, hq, "/metrics")
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "tallystick_hq_requests_total") && strings.Contains(line, `status="500"`) {
			return line
		}
	}
	return ""
}
