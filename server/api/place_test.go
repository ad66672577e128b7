package api_test

import (
	"context"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
)

// A phone offers a pass where the stores are, and hears of it when one is placed.
func TestPassesKnowWhereStoresAre(t *testing.T) {
	r := newRig(t)
	member, _ := r.richMember(10)
	serial, token := r.walletPass(member)
	store := r.made("/api/v1/stores", storeBody)
	place := func(body string) answer {
		return r.do(call{method: "PUT", path: "/api/v1/stores/" + store + "/place", body: body})
	}
	for body, want := range map[string]problem.Code{
		`{"latitude":91,"longitude":0}`: problem.InvalidField, `{"latitude":1,"longitude":-181}`: problem.InvalidField, `{"latitude":1}`: problem.InvalidField,
	} {
		if a := place(body); a.code() != want {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	shown := func() []float64 {
		t.Helper()
		for more := true; more; {
			var err error
			more, err = r.passes.Round(context.Background())
			r.must(err)
		}
		got := r.phoneCall("GET", "/wallet/apple/v1/passes/"+applePassType+"/"+serial, token, "")
		var c pass.Card
		got.into(t, &c)
		var out []float64
		for _, p := range c.Face.Stores {
			out = append(out, p.Latitude, p.Longitude)
		}
		return out
	}
	if a := place(`{"latitude":52.229676,"longitude":-21.012229}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := shown(); len(got) != 2 || got[0] != 52.229676 || got[1] != -21.012229 {
		t.Errorf("the pass knows of %v", got)
	}
	var s struct{ Latitude, Longitude *float64 }
	r.do(call{method: "GET", path: "/api/v1/stores/" + store}).into(t, &s)
	if s.Latitude == nil || *s.Latitude != 52.229676 {
		t.Errorf("the store is at %v", s)
	}
	if a := place(`{}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if got := shown(); len(got) != 0 {
		t.Errorf("the pass still knows of %v", got)
	}
}
