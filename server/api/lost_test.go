package api_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/sync/wire"
)

// A terminal is lost when two people say so: then it is revoked, what it held is taken
// back, and the gap is named with its bound. It can be found again.
func TestATerminalIsDeclaredLostByTwoPeople(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { declaredLost(newRigOn(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))) })
	t.Run("postgres", func(t *testing.T) { declaredLost(newRigOn(t, blank.PostgreSQL(t))) })
}

func declaredLost(r *rig) {
	t := r.t
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: rightsBody})
	l := r.enrolledLane("one", 11)
	r.must(r.rights.Round(t.Context()))
	member, account := r.richMember(500)
	l.ask(wire.PathAuthorise, wire.AuthoriseRequest{V: wire.Version, Right: uuid.New(), Member: member, Account: account, Unit: "points", Amount: 120})
	at := "/api/v1/terminals/" + l.id.String()
	r.clock.Advance(time.Minute)
	declare := func() answer {
		return r.do(call{method: "POST", path: at + "/lost", body: `{"reason":"the till burnt"}`})
	}
	confirm := func() answer { return r.do(call{method: "POST", path: at + "/lost/confirm"}) }
	has := func(what string, a answer, status int, parts ...string) {
		t.Helper()
		if a.status != status {
			t.Fatalf("%s: %d %s", what, a.status, a.body)
		}
		for _, part := range parts {
			if !strings.Contains(string(a.body), part) {
				t.Errorf("%s: %s is not in %s", what, part, a.body)
			}
		}
	}
	is := func(what string, a answer, code problem.Code) {
		t.Helper()
		if a.code() != code {
			t.Errorf("%s: %d %s, want %s", what, a.status, a.body, code)
		}
	}
	is("nobody declared it", r.do(call{method: "GET", path: at + "/lost"}), problem.NotFound)
	is("nothing to confirm", confirm(), problem.StateConflict)
	is("no reason", r.do(call{method: "POST", path: at + "/lost", body: `{"reason":" "}`}), problem.InvalidField)
	bound := `"bound":[{"amount":1120,"rights":120,"stand_in":1000,"unit":"points"},{"amount":10,"rights":0,"stand_in":10,"unit":"uses"}]`
	has("declared", declare(), http.StatusCreated, `"state":"declared"`, bound, `"expires_at":"2026-06-04T09:01:00Z"`)
	is("declared twice", declare(), problem.StateConflict)
	is("confirmed by the same", confirm(), problem.Forbidden)
	has("the terminal works still", r.do(call{method: "GET", path: at}), http.StatusOK, `"state":"enrolled"`, `"lost":"declared"`, `"identities":0`)
	has("withdrawn", r.do(call{method: "POST", path: at + "/lost/withdraw"}), http.StatusOK, `"state":"withdrawn"`)
	is("confirmed when withdrawn", confirm(), problem.StateConflict)
	has("declared again", declare(), http.StatusCreated)
	r.clock.Advance(72 * time.Hour)
	r.token = r.signIn(adminName, adminPassword)
	is("confirmed too late", confirm(), problem.StateConflict)
	has("expired", r.do(call{method: "GET", path: at + "/lost"}), http.StatusOK, `"state":"expired"`)
	has("declared a third time", declare(), http.StatusCreated)
	r.as("finance", func() {
		r.clock.Advance(time.Minute)
		l.proven("GET", wire.PathPull+"?cursor=&wait=0", nil) // the nonce is old
		if a := l.proven("GET", wire.PathPull+"?cursor=&wait=0", nil); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		is("heard of meanwhile", confirm(), problem.StateConflict)
		is("declared by who may not", declare(), problem.Forbidden)
		has("withdrawn by the other", r.do(call{method: "POST", path: at + "/lost/withdraw"}), http.StatusOK)
	})
	r.clock.Advance(time.Minute)
	has("declared at last", declare(), http.StatusCreated)
	r.as("support", func() { is("confirmed by who may not", confirm(), problem.Forbidden) })
	r.as("operations", func() { has("confirmed", confirm(), http.StatusOK, `"state":"confirmed"`, bound) })
	has("the terminal is revoked", r.do(call{method: "GET", path: at}), http.StatusOK, `"state":"revoked"`, `"lost":"confirmed"`)
	is("lost twice", declare(), problem.StateConflict)
	r.must(r.rights.Round(t.Context()))
	has("taken back", r.do(call{method: "GET", path: "/api/v1/exposure"}), http.StatusOK, `"taken_back":120`, `"unspent":0`, `"worst":1120`)
	has("the gap is named", r.do(call{method: "GET", path: "/api/v1/exceptions?cause=terminal_lost"}), http.StatusOK, `"amount":1120`, `"unit":"uses"`, `"state":"open"`)
	has("found", r.do(call{method: "POST", path: at + "/reinstate"}), http.StatusOK, `"state":"quarantined"`, `"lost":"found"`)
	has("the gap is not open any more", r.do(call{method: "GET", path: "/api/v1/exceptions?cause=terminal_lost"}), http.StatusOK, `"state":"withdrawn"`)
	if report, err := r.ledger.Verify(t.Context(), l.statement()); err != nil || !report.OK() {
		t.Errorf("verification: %+v, %v", report, err)
	}
}
