package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/google"
)

// googleStub takes one callback and counts.
type googleStub struct{}

func (googleStub) Callback(_ context.Context, raw []byte) error {
	if string(raw) != "signed" {
		return problem.New(problem.Forbidden, "this callback is not believed")
	}
	return nil
}

func (googleStub) Answers() map[string]int64 { return map[string]int64{"429": 3} }

func TestGoogleTellsOfItsPasses(t *testing.T) {
	r := newRig(t)
	r.token = ""
	for body, want := range map[string]int{"signed": 200, "forged": 403, strings.Repeat("x", google.MaxCallback+1): 413} {
		if a := r.do(call{method: http.MethodPost, path: "/wallet/google/callback", body: body, key: "-"}); a.status != want {
			t.Errorf("%.10s: %d %s", body, a.status, a.body)
		}
	}
	if a := r.do(call{method: http.MethodGet, path: "/wallet/google/callback"}); a.status != http.StatusMethodNotAllowed && a.status != http.StatusNotFound {
		t.Errorf("read: %d", a.status)
	}
	if a := r.do(call{method: http.MethodGet, path: "/metrics"}); !strings.Contains(string(a.body), `tallystick_hq_google_answers_total{status="429"} 3`) {
		t.Error("the metrics do not have Google's answers")
	}
}
