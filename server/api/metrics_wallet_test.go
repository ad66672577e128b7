package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

// All passes are counted once a minute, however often the metrics are asked for.
func TestPassesAreCountedOnceAMinute(t *testing.T) {
	r := newRig(t)
	issued := func() string {
		t.Helper()
		for line := range strings.Lines(string(r.do(call{method: "GET", path: "/metrics"}).body)) {
			if n, ok := strings.CutPrefix(line, `tallystick_hq_passes{channel="apple",stage="issued"} `); ok {
				return strings.TrimSpace(n)
			}
		}
		return ""
	}
	r.walletPass(uuid.MustParse(r.made("/api/v1/members", `{"alias":"Ada"}`)))
	if n := issued(); n != "1" {
		t.Fatalf("%q passes", n)
	}
	r.walletPass(uuid.MustParse(r.made("/api/v1/members", `{"alias":"Bob"}`)))
	r.clock.Advance(59 * time.Second)
	if n := issued(); n != "1" {
		t.Errorf("%q passes within the minute: they were counted again", n)
	}
	r.clock.Advance(time.Second)
	if n := issued(); n != "2" {
		t.Errorf("%q passes after a minute", n)
	}
}
