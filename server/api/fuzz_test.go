package api_test

import (
	"net/http"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// fuzzBodies are the operations that FuzzAPIBody feeds, each with a good body.
var fuzzBodies = []struct{ method, path, good string }{
	{"POST", "/api/v1/stores", storeBody},
	{"PUT", "/api/v1/programme/policy", policyBody},
	{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100}]}`},
	{"POST", "/api/v1/members/batch", `{"members":[{"alias":"Ann"},{}]}`},
	{"POST", "/api/v1/rewards", rewardBody},
	{"POST", "/api/v1/sessions", `{"name":"x","password":"y"}`},
}

// Whatever is sent, HQ answers as documented and never that it is broken.
func FuzzAPIBody(f *testing.F) {
	for i, b := range fuzzBodies {
		f.Add(uint8(i), b.good)
		f.Add(uint8(i), b.good[:len(b.good)-1]+`,"x":null}`)
	}
	f.Add(uint8(3), `{"members":[[[[[[`)
	f.Add(uint8(1), `{"per_sale":1e400,"unit":"\ud800"}`)
	r := newRig(f)
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		r.t = t
		b := fuzzBodies[int(which)%len(fuzzBodies)]
		a := r.do(call{method: b.method, path: b.path, body: body})
		if a.status >= http.StatusInternalServerError || a.status >= 400 && a.code() == "" {
			t.Fatalf("%s %s %q: %d %s", b.method, b.path, body, a.status, a.body)
		}
	})
}

// Whatever a terminal sends, proven or not, HQ takes it or names what is wrong.
func FuzzSyncBody(f *testing.F) {
	r := newRig(f)
	l := r.enrolledLane("one", 11)
	f.Add(uint8(0), false, l.enrolRequest())
	f.Add(uint8(1), true, wire.Compress(l.batch()))
	f.Add(uint8(1), false, l.batch())
	f.Add(uint8(2), false, []byte{0xa0})
	f.Add(uint8(1), true, []byte("(\xb5/\xfd"))
	paths := []string{wire.PathEnrol, wire.PathPush, wire.PathHello}
	f.Fuzz(func(t *testing.T, which uint8, packed bool, body []byte) {
		r.t = t
		path := paths[int(which)%len(paths)]
		header := map[string]string{wire.HeaderProof: l.proof(nil, "POST", path, body)}
		if packed {
			header["Content-Encoding"] = "zstd"
		}
		a := l.raw("POST", path, body, header)
		if a.status >= http.StatusInternalServerError || a.status >= 400 && (a.code() == "" || a.code() == problem.Internal) {
			t.Fatalf("%s %x: %d %s", path, body, a.status, a.body)
		}
	})
}
