package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
)

func TestWhoMaySignIn(t *testing.T) {
	story := func(t *testing.T, r *rig) {
		admin := r.token
		refused := func(c call, status int, code problem.Code) {
			t.Helper()
			if a := r.do(c); a.status != status || a.code() != code {
				t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
			}
		}
		body := func(password string) string { return jsonOf(map[string]string{"password": password}) }
		const first, second = "a horse and a cart", "another long secret"
		grace := r.made("/api/v1/people", `{"name":"Grace","role":"operations","password":"`+first+`"}`)
		refused(call{method: "POST", path: "/api/v1/people", body: `{"name":"grace","role":"support","password":"` + first + `"}`}, http.StatusConflict, problem.NameTaken)
		refused(call{method: "POST", path: "/api/v1/people", body: `{"name":"Ada","role":"support","password":"short"}`}, http.StatusUnprocessableEntity, problem.InvalidField)

		hers := r.signIn("Grace", first)
		r.token = hers
		refused(call{method: "PUT", path: "/api/v1/people/" + grace + "/role", body: `{"role":"administrator"}`}, http.StatusForbidden, problem.Forbidden)
		r.token = admin
		refused(call{method: "PUT", path: "/api/v1/people/" + grace + "/role", body: `{"role":"king"}`}, http.StatusUnprocessableEntity, problem.InvalidField)
		if a := r.do(call{method: "PUT", path: "/api/v1/people/" + grace + "/role", body: `{"role":"marketing"}`}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		r.token = hers // counts at once, in a session that is open
		refused(call{method: "POST", path: "/api/v1/stores", body: `{"code":"1","name":"x","time_zone":"UTC","currency":"EUR"}`}, http.StatusForbidden, problem.Forbidden)
		r.token = hers
		refused(call{method: "POST", path: "/api/v1/people", body: `{"name":"Eve","role":"administrator","password":"` + first + `"}`}, http.StatusForbidden, problem.Forbidden)
		refused(call{method: "PUT", path: "/api/v1/people/" + grace + "/password", body: body(second)}, http.StatusForbidden, problem.Forbidden)

		r.token = admin
		if a := r.do(call{method: "PUT", path: "/api/v1/people/" + grace + "/password", body: body(second)}); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		r.token = hers
		refused(call{method: "GET", path: "/api/v1/me"}, http.StatusUnauthorized, problem.Unauthenticated)
		r.token = r.signIn("Grace", second)
		hers = r.token

		r.token = admin
		if a := r.do(call{method: "POST", path: "/api/v1/people/" + grace + "/shut-out"}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"shut_out":true`) {
			t.Fatalf("%d %s", a.status, a.body)
		}
		r.token = hers
		refused(call{method: "GET", path: "/api/v1/me"}, http.StatusUnauthorized, problem.Unauthenticated)
		for _, password := range []string{"", first, second} {
			if a := r.do(call{method: "POST", path: "/api/v1/sessions", key: "-", body: jsonOf(map[string]string{"name": "Grace", "password": password})}); a.status != http.StatusUnauthorized && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%q: %d %s", password, a.status, a.body)
			}
		}

		r.token = admin
		var me struct{ ID string }
		r.do(call{method: "GET", path: "/api/v1/me"}).into(t, &me)
		refused(call{method: "POST", path: "/api/v1/people/" + me.ID + "/shut-out"}, http.StatusConflict, problem.StateConflict)
		refused(call{method: "PUT", path: "/api/v1/people/" + me.ID + "/role", body: `{"role":"support"}`}, http.StatusConflict, problem.StateConflict)
		var all struct {
			Items []struct {
				Name    string
				ShutOut bool `json:"shut_out"`
			}
		}
		r.do(call{method: "GET", path: "/api/v1/people"}).into(t, &all)
		if len(all.Items) != 2 || all.Items[1].Name != "Grace" || !all.Items[1].ShutOut {
			t.Errorf("%+v", all)
		}
		if a := r.do(call{method: "GET", path: "/api/v1/people"}); strings.Contains(string(a.body), "argon2") {
			t.Error("the list tells passwords")
		}
	}
	t.Run("sqlite", func(t *testing.T) { story(t, newRig(t)) })
	t.Run("postgres", func(t *testing.T) { story(t, newRigOn(t, blank.PostgreSQL(t))) })
}
