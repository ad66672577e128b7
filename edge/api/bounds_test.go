package api_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"testing"

	"github.com/tallystick/tallystick/edge/api"
)

// What the terminal may do by itself, and what that can cost, is all in the status.
func TestStatusShowsEveryBound(t *testing.T) {
	r := newRig(t)
	got := r.do(request{method: http.MethodGet, path: "/v1/status"})
	var status map[string]any
	if err := json.Unmarshal(got.body, &status); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"applied_seq": 2.0, "unit": "points",
		"caps": []any{
			map[string]any{"name": "share", "counts": "points", "limit": 10.0, "used": 4.0, "left": 6.0},
			map[string]any{"name": "vouchers_share", "counts": "uses", "limit": 3.0, "used": 5.0, "left": 0.0},
		},
		"rights":   map[string]any{"count": 2.0, "points": 70.0, "uses": 1.0},
		"exposure": map[string]any{"points": 10.0, "uses": 3.0, "clones": 1.0, "clone_points": 80.0, "clone_uses": 4.0},
		"clock": map[string]any{
			"trusted": false, "heard": true, "wall_off_ms": 1000.0, "drift_ppm": 2.5, "drift_over_seconds": 3600.0, "jumps": 1.0,
			"last_jump_ms": -60_000.0,
		},
		"witness": map[string]any{"confirmed": false, "seq": 5.0, "contradicted": true, "finding": "rollback", "branch_seq": 9.0},
	}
	for name, value := range want {
		if !reflect.DeepEqual(status[name], value) {
			t.Errorf("%s: %v, want %v", name, status[name], value)
		}
	}
}

// The page must know before a sale what the store wants, and where a card is opened.
func TestStatusSaysWhatASaleNeedsAndWhereACardIsOpened(t *testing.T) {
	const store = "?store=00000000-0000-0000-0000-000000000000"
	for _, c := range []struct {
		enrolled, said string
		want           any
	}{
		{"", "", nil},
		{"https://hq.example.com/card", "", "https://hq.example.com/card" + store},
		{"http://10.0.0.7:8080/card", "https://shop.example/card", "https://shop.example/card" + store},
	} {
		want := c.want
		r := newRigWith(t, func(cfg *api.Config) { cfg.CardPage = c.enrolled })
		r.till.cardPage = c.said
		got := r.do(request{method: http.MethodGet, path: "/v1/status"})
		var status map[string]any
		if err := json.Unmarshal(got.body, &status); err != nil {
			t.Fatal(err)
		}
		if status["card_url"] != want || status["receipt_required"] != true {
			t.Errorf("card %v, receipt %v; want %v, true", status["card_url"], status["receipt_required"], want)
		}
	}
}
