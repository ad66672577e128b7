package api_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/blank"
)

// step is one call of a scenario. {name} in path and body stands for what an
// earlier step kept; keep names the pattern whose first group is kept.
type step struct {
	method, path, body string
	status             int
	want, unwanted     []string
	keep, pattern      string
}

const anyID = `"id":"([0-9a-f-]{36})"`

var scenarios = map[string][]step{
	"people": {
		{"GET", "/api/v1/me", "", 200, []string{`"name":"admin"`, `"role":"administrator"`}, []string{"password", "argon"}, "", ""},
		{"DELETE", "/api/v1/sessions/current", "", 204, nil, nil, "", ""},
		{"GET", "/api/v1/me", "", 401, []string{`"code":"unauthenticated"`}, []string{"admin"}, "", ""},
	},
	"rules and caps": {
		{"GET", "/api/v1/programme/rule-set", "", 404, []string{"not_found"}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100,"category":"food"}]}`, 200, []string{`"version":1`, `"category":"food"`}, []string{"vest_days"}, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[]}`, 200, []string{`"version":2`}, nil, "", ""},
		{"GET", "/api/v1/programme/rule-set", "", 200, []string{`"version":2`, `"earn":[]`}, []string{"food"}, "", ""},
		{"PUT", "/api/v1/programme/policy", policyBody, 200, []string{`"version":1`}, nil, "", ""},
		{"GET", "/api/v1/programme/policy", "", 200, []string{`"per_sale":100`}, nil, "", ""},
		{"PUT", "/api/v1/programme/policy", strings.Replace(policyBody, "100,", "-1,", 1), 422, []string{`"/per_sale"`}, []string{"/unit"}, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"Points","points":0,"per":100}]}`, 422, []string{`"/earn/0/unit"`, `"/earn/0/points"`}, nil, "", ""},
	},
	"stores and terminals": {
		{"POST", "/api/v1/stores", storeBody, 201, []string{`"code":"s1"`}, nil, "store", anyID},
		{"POST", "/api/v1/stores", storeBody, 409, []string{"name_taken"}, []string{"UNIQUE", "SQL"}, "", ""},
		{"GET", "/api/v1/stores/{store}", "", 200, []string{`"name":"Store One"`}, nil, "", ""},
		{"GET", "/api/v1/stores/00000000-0000-0000-0000-000000000001", "", 404, []string{"not_found"}, nil, "", ""},
		{"POST", "/api/v1/terminals", `{"store":"{store}","name":"lane 1"}`, 201, []string{`"state":"new"`, `"code":"`}, nil, "terminal", `"terminal":{.*?` + anyID},
		{"POST", "/api/v1/terminals", `{"store":"{store}","name":"lane 1"}`, 409, []string{"name_taken"}, nil, "", ""},
		{"POST", "/api/v1/terminals", `{"store":"00000000-0000-0000-0000-000000000001","name":"x"}`, 404, []string{"no such store"}, nil, "", ""},
		{"GET", "/api/v1/terminals?store={store}", "", 200, []string{"lane 1"}, []string{`"code"`, "public_key"}, "", ""},
		{"POST", "/api/v1/terminals/{terminal}/enrolment-codes", "", 201, []string{`"code":"`}, nil, "", ""},
		{"POST", "/api/v1/terminals/{terminal}/revoke", "", 200, []string{`"state":"revoked"`}, nil, "", ""},
		{"POST", "/api/v1/terminals/{terminal}/revoke", "", 200, []string{`"state":"revoked"`}, nil, "", ""},
		{"GET", "/api/v1/terminals/{terminal}", "", 200, []string{`"state":"revoked"`}, nil, "", ""},
	},
	"members and passes": {
		{"POST", "/api/v1/members", `{"alias":"Ann","reference":"C-1"}`, 201, []string{`"issue":1`, `"blocked":false`}, []string{"salt"}, "member", anyID},
		{"POST", "/api/v1/members", `{"reference":"C-1"}`, 409, []string{"name_taken"}, []string{"UNIQUE"}, "", ""},
		{"POST", "/api/v1/members", `{}`, 201, nil, []string{"alias", "reference"}, "", ""},
		{"POST", "/api/v1/members/batch", `{"members":[{"alias":"Bob"},{"alias":"B%_b"}]}`, 201, []string{"Bob"}, nil, "", ""},
		{"POST", "/api/v1/members/batch", `{"members":[]}`, 422, []string{`"/members"`}, nil, "", ""},
		{"POST", "/api/v1/members/batch", `{"members":[{"alias":"Eve"},{"reference":"C-1"}]}`, 409, []string{"name_taken"}, nil, "", ""},
		{"GET", "/api/v1/members?q=eve", "", 200, []string{`"items":[]`}, []string{"Eve"}, "", ""},
		{"GET", "/api/v1/members?q=b%25", "", 200, []string{"B%_b"}, []string{"Bob"}, "", ""},
		{"GET", "/api/v1/members?q=c-1", "", 200, []string{"Ann"}, []string{"Bob"}, "", ""},
		{"GET", "/api/v1/members?q={member}", "", 200, []string{"Ann"}, []string{"Bob"}, "", ""},
		{"GET", "/api/v1/members/{member}/pass", "", 200, []string{`"text":"TS1`, `"form":"static"`, `"expires_on":"2028-12-31"`}, nil, "", ""},
		{"GET", "/api/v1/members/{member}/pass?form=rotating", "", 200, []string{`"form":"rotating"`}, nil, "", ""},
		{"GET", "/api/v1/members/{member}/pass?form=round", "", 422, []string{`"form"`}, nil, "", ""},
		{"GET", "/api/v1/members/{member}/pass.png?scale=2", "", 200, []string{"\x89PNG"}, nil, "", ""},
		{"GET", "/api/v1/members/{member}/pass.png?scale=99", "", 422, []string{`"scale"`}, nil, "", ""},
		{"GET", "/api/v1/members/{member}/pass.svg", "", 200, []string{"<svg"}, []string{"<script"}, "", ""},
		{"POST", "/api/v1/members/{member}/reissue", "", 200, []string{`"issue":2`}, nil, "", ""},
		{"POST", "/api/v1/members/{member}/block", "", 200, []string{`"blocked":true`}, nil, "", ""},
		{"GET", "/api/v1/members/{member}/pass", "", 409, []string{"state_conflict"}, []string{"TS1"}, "", ""},
		{"POST", "/api/v1/members/{member}/unblock", "", 200, []string{`"blocked":false`}, nil, "", ""},
	},
	"points and vouchers": {
		{"POST", "/api/v1/members", `{"alias":"Ann"}`, 201, nil, nil, "member", anyID},
		{"POST", "/api/v1/members/{member}/adjustments", `{"unit":"points","amount":500,"reason":"opening_balance"}`, 201, []string{`"amount":500`}, nil, "", ""},
		{"POST", "/api/v1/members/{member}/adjustments", `{"unit":"points","amount":0,"reason":"goodwill"}`, 422, []string{`"/amount"`}, nil, "", ""},
		{"POST", "/api/v1/members/{member}/adjustments", `{"unit":"points","amount":1,"reason":"theft"}`, 422, []string{`"/reason"`}, nil, "", ""},
		{"POST", "/api/v1/members/{member}/adjustments", `{"unit":"points","amount":1,"reason":"goodwill","expires_at":"2020-01-01T00:00:00Z"}`, 422, []string{`"/expires_at"`}, nil, "", ""},
		{"POST", "/api/v1/rewards", rewardBody, 201, []string{`"version":1`}, []string{"valid_from"}, "reward", anyID},
		{"PATCH", "/api/v1/rewards/{reward}", `{"active":false,"valid_from":"2026-01-01T00:00:00Z"}`, 200, []string{`"version":2`, `"active":false`, `"name":"5 off"`, `"valid_from":"2026-01-01T00:00:00Z"`}, nil, "", ""},
		{"PATCH", "/api/v1/rewards/{reward}", `{"cost":1}`, 400, []string{"unknown_field", `"/cost"`}, nil, "", ""},
		{"PATCH", "/api/v1/rewards/{reward}", `{"valid_to":"2025-01-01T00:00:00Z"}`, 422, []string{`"/valid_to"`}, nil, "", ""},
		{"GET", "/api/v1/rewards/{reward}", "", 200, []string{`"version":2`}, nil, "", ""},
		{"POST", "/api/v1/vouchers", `{"member":"{member}","reward":"{reward}","uses":2}`, 201, []string{`"left":2`}, nil, "voucher", anyID},
		{"POST", "/api/v1/vouchers", `{"member":"{reward}","reward":"{reward}"}`, 422, []string{`"/member"`}, nil, "", ""},
		{"POST", "/api/v1/vouchers", `{"member":"{member}","reward":"{member}"}`, 422, []string{`"/reward"`}, nil, "", ""},
		{"POST", "/api/v1/vouchers", `{"member":"{member}","reward":"{reward}","uses":0}`, 422, []string{`"/uses"`}, nil, "", ""},
		{"GET", "/api/v1/vouchers/{voucher}", "", 200, []string{`"left":2`}, nil, "", ""},
		{"GET", "/api/v1/vouchers?member={member}", "", 200, []string{"{voucher}"}, nil, "", ""},
		{"GET", "/api/v1/members/{member}", "", 200, []string{`"free":500`, `"{voucher}"`, `"to":"free"`}, []string{`"overdraft":0,"pending":0,"unit":"use:`}, "", ""},
		{"GET", "/api/v1/members/{member}/history?limit=1", "", 200, []string{`"next":"`}, nil, "", ""},
		{"GET", "/api/v1/ledger/trial-balance", "", 200, []string{`"balanced":true`, `"balance":-500`}, nil, "", ""},
		{"GET", "/api/v1/status", "", 200, []string{`"members":1`, `"unapplied":0`}, nil, "", ""},
		{"GET", "/api/v1/exceptions/00000000-0000-0000-0000-000000000001", "", 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/api/v1/entries/00000000-0000-0000-0000-000000000001/1/1", "", 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/api/v1/entries?state=lost", "", 422, []string{`"state"`}, nil, "", ""},
		{"GET", "/api/v1/exceptions?cause=%00", "", 422, []string{`"cause"`}, nil, "", ""},
		{"GET", "/api/v1/members?q=%00", "", 200, []string{`"items":[]`}, nil, "", ""},
		{"GET", "/api/v1/members?q=%FF", "", 200, []string{`"items":[]`}, nil, "", ""},
		{"GET", "/api/v1/entries?kind=gift", "", 422, []string{`"kind"`}, nil, "", ""},
		{"GET", "/api/v1/entries?cursor=%21", "", 400, []string{"cursor_invalid"}, nil, "", ""},
		{"GET", "/api/v1/stores?cursor=nonsense", "", 400, []string{"cursor_invalid"}, nil, "", ""},
		{"GET", "/api/v1/stores?limit=201", "", 422, []string{`"limit"`}, nil, "", ""},
		{"GET", "/api/v1/stores?limit=x", "", 422, []string{`"limit"`}, nil, "", ""},
		{"GET", "/api/v1/stores/nonsense", "", 422, []string{`"id"`}, nil, "", ""},
	},
	"addresses": {
		{"GET", "/healthz", "", 200, []string{"ok"}, nil, "", ""},
		{"GET", "/readyz", "", 200, []string{"ready"}, nil, "", ""},
		{"GET", "/.well-known/jwks.json", "", 200, []string{`"kty":"OKP"`, `"kid":"statement-1"`}, []string{"pass", `"d":`}, "", ""},
		{"GET", "/api/v1/openapi.json", "", 200, []string{`"openapi": "3.0.3"`}, nil, "", ""},
		{"GET", "/metrics", "", 200, []string{"tallystick_hq_entries", "tallystick_hq_requests_total"}, []string{"go_gc"}, "", ""},
		{"GET", "/nowhere", "", 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/API/v1/me", "", 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/api/v1/nowhere", "", 404, []string{"not_found"}, nil, "", ""},
		{"DELETE", "/api/v1/stores", "", 405, []string{"method_not_allowed"}, nil, "", ""},
	},
}

func TestScenarios(t *testing.T) {
	for name, steps := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newRig(t).play(steps)
		})
	}
}

// The records' SQL is one text for both engines; here it meets the other one, and
// the two races that only an engine with concurrent writers can lose.
func TestScenariosOnPostgreSQL(t *testing.T) {
	for name, steps := range scenarios {
		t.Run(name, func(t *testing.T) { newRigOn(t, blank.PostgreSQL(t)).play(steps) })
	}
	t.Run("one key from many at once", func(t *testing.T) { oneKeyFromMany(newRigOn(t, blank.PostgreSQL(t))) })
	t.Run("one code for many", func(t *testing.T) { oneCodeForMany(newRigOn(t, blank.PostgreSQL(t))) })
}

// play runs the steps of one scenario.
func (r *rig) play(steps []step) {
	t := r.t
	kept := []string{}
	for _, s := range steps {
		if s.method == settled.method {
			r.settle()
			continue
		}
		fill := strings.NewReplacer(kept...)
		a := r.do(call{method: s.method, path: fill.Replace(s.path), body: fill.Replace(s.body)})
		where := s.method + " " + s.path
		if a.status != s.status {
			t.Errorf("%s: status %d, want %d: %s", where, a.status, s.status, a.body)
		}
		for _, w := range s.want {
			if !strings.Contains(string(a.body), fill.Replace(w)) {
				t.Errorf("%s: no %s in %s", where, w, a.body)
			}
		}
		for _, u := range s.unwanted {
			if strings.Contains(string(a.body), u) {
				t.Errorf("%s: %s in %s", where, u, a.body)
			}
		}
		if s.keep != "" {
			found := regexp.MustCompile(s.pattern).FindSubmatch(a.body)
			if found == nil {
				t.Fatalf("%s: nothing to keep in %s", where, a.body)
			}
			kept = append(kept, "{"+s.keep+"}", string(found[1]))
		}
	}
}
