package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/shard"
)

// raise puts an exception into HQ as the ledger does.
func (r *rig) raise(kind ledger.ExceptionKind, amount int64) uuid.UUID {
	r.t.Helper()
	id, terminal := uuid.New(), uuid.New()
	r.must(r.db.AddExceptions(r.t.Context(), []ledger.Exception{{
		ID: id, Shard: shard.Of(terminal), Kind: kind, State: ledger.ExceptionOpen, Liable: "programme", Cause: "for a test",
		Terminal: terminal, Epoch: 1, Seq: 1, Unit: "points", Amount: amount, RecordedAt: r.clock.Now().UnixMilli(),
	}}))
	return id
}

// policyOf500 has a person propose and another approve that more than 500 points take two.
func (r *rig) policyOf500() {
	r.t.Helper()
	r.made("/api/v1/people", `{"name":"Fatma","role":"finance","password":"a long password"}`)
	a := r.do(call{method: "POST", path: "/api/v1/case-policy", body: `{"due":[{"days":5},{"cause":"fork","days":1}],"limits":[{"unit":"points","above":500}]}`})
	if a.status != http.StatusCreated {
		r.t.Fatalf("%d %s", a.status, a.body)
	}
	approve := call{method: "POST", path: "/api/v1/case-settings/decide", body: `{"kind":"policy","number":0,"version":1,"verdict":"approve"}`}
	if a := r.do(approve); a.code() != problem.Forbidden {
		r.t.Fatalf("approved by who proposed it: %d %s", a.status, a.body)
	}
	own := r.token
	r.token = r.signIn("Fatma", "a long password")
	if a := r.do(approve); a.status != http.StatusOK || !strings.Contains(string(a.body), `"state":"in_force"`) {
		r.t.Fatalf("%d %s", a.status, a.body)
	}
	r.token = own
}

type workAnswer struct {
	Resolution string `json:"resolution"`
	Liable     string `json:"liable"`
	DueAt      string `json:"due_at"`
	NeedsTwo   bool   `json:"needs_two"`
	Overdue    bool   `json:"overdue"`
	Proposals  []struct{ ID, State string }
	Suggestion struct{ Action, Resolution, Reason string }
}

// Above the limit one person proposes and another approves, whatever sessions they use.
func TestAnExceptionAboveTheLimitTakesTwoPeople(t *testing.T) {
	r := newRig(t)
	r.policyOf500()
	id := r.raise(ledger.Overdraw, 501)
	at := "/api/v1/exceptions/" + id.String()
	post := func(path, body string) answer { return r.do(call{method: "POST", path: at + path, body: body}) }
	work := func(a answer) (w workAnswer) {
		t.Helper()
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		a.into(t, &w)
		return w
	}
	w := work(r.do(call{method: "GET", path: at + "/work"}))
	if !w.NeedsTwo || w.Suggestion.Resolution != "written_off" || w.DueAt != "2026-06-06T09:00:00Z" {
		t.Errorf("%+v", w)
	}
	for path, body := range map[string]string{
		"/resolve": `{"resolution":"written_off","text":"ours"}`, "/liable": `{"liable":"store","text":"theirs"}`,
	} {
		if a := post(path, body); a.code() != problem.SecondPersonNeeded {
			t.Errorf("%s alone: %d %s", path, a.status, a.body)
		}
	}
	w = work(post("/proposals", `{"action":"resolve","resolution":"written_off","text":"ours"}`))
	proposal := "/proposals/" + w.Proposals[0].ID
	if a := post("/proposals", `{"action":"liable","liable":"store","text":"theirs"}`); a.code() != problem.StateConflict {
		t.Errorf("a second proposal: %d %s", a.status, a.body)
	}
	const yes = `{"verdict":"approve","text":"I looked"}`
	if a := post(proposal, yes); a.code() != problem.Forbidden {
		t.Errorf("approved by who made it: %d %s", a.status, a.body)
	}
	r.token = r.signIn(adminName, adminPassword)
	if a := post(proposal, yes); a.code() != problem.Forbidden {
		t.Errorf("approved in another session of theirs: %d %s", a.status, a.body)
	}
	r.as(people.Support, func() {
		if a := post(proposal, yes); a.code() != problem.Forbidden {
			t.Errorf("approved by support: %d %s", a.status, a.body)
		}
	})
	r.token = r.signIn("Fatma", "a long password")
	if a := post("/proposals/"+uuid.NewString(), yes); a.code() != problem.NotFound {
		t.Errorf("no such proposal: %d %s", a.status, a.body)
	}
	w = work(post(proposal, yes))
	if w.Resolution != "written_off" || w.Proposals[0].State != "approved" || w.Suggestion.Action != "" {
		t.Errorf("%+v", w)
	}
	if a := post(proposal, yes); a.code() != problem.StateConflict {
		t.Errorf("approved twice: %d %s", a.status, a.body)
	}
	a := r.do(call{method: "GET", path: "/api/v1/lists/hq_entries?kind=hq_case"})
	if a.status != http.StatusOK || strings.Count(string(a.body), `"hq_case"`) != 1 {
		t.Errorf("HQ's journal: %d %s", a.status, a.body)
	}
}

// Below the limit one is enough, and the rest of the work is one person's anyway.
func TestTheWorkOnAnException(t *testing.T) {
	r := newRig(t)
	r.policyOf500()
	id := r.raise(ledger.Overdraw, 500)
	at := "/api/v1/exceptions/" + id.String()
	me := r.do(call{method: "GET", path: "/api/v1/me"})
	var admin struct{ ID string }
	me.into(t, &admin)
	for _, c := range []struct {
		path, body string
		status     int
		part       string
	}{
		{"/assign", `{"person":"` + admin.ID + `"}`, 200, `"owner":"` + admin.ID + `"`},
		{"/assign", `{"person":"` + uuid.NewString() + `"}`, 422, `"/person"`},
		{"/assign", `{}`, 200, `"owner_name":""`},
		{"/due", `{"due_at":"2026-06-02T08:00:00Z","text":"the store asked"}`, 200, `"due_by":"person"`},
		{"/due", `{"due_at":"2126-06-02T08:00:00Z","text":"never"}`, 422, `"/due_at"`},
		{"/liable", `{"liable":"store","text":"their till"}`, 200, `"liable":"store"`},
		{"/liable", `{"liable":"store","text":"their till"}`, 409, `state_conflict`},
		{"/liable", `{"liable":"nobody","text":"x"}`, 422, `"/liable"`},
		{"/proposals", `{"action":"resolve","text":"x"}`, 422, `"/resolution"`},
		{"/proposals", `{"action":"resolve","resolution":"charged","text":"another pair of eyes"}`, 200, `"state":"open"`},
		{"/resolve", `{"resolution":"charged","text":"paid"}`, 409, `a proposal`},
	} {
		if a := r.do(call{method: "POST", path: at + c.path, body: c.body}); a.status != c.status || !strings.Contains(string(a.body), c.part) {
			t.Errorf("%s %s: %d %s", c.path, c.body, a.status, a.body)
		}
	}
	r.clock.Advance(24*time.Hour + time.Minute)
	r.token = r.signIn(adminName, adminPassword)
	var home struct{ Overdue int }
	r.do(call{method: "GET", path: "/api/v1/console/home"}).into(t, &home)
	if home.Overdue != 1 {
		t.Errorf("overdue: %d", home.Overdue)
	}
	metrics := r.do(call{method: "GET", path: "/metrics"})
	if !strings.Contains(string(metrics.body), "tallystick_hq_overdue_exceptions 1") {
		t.Errorf("%s", metrics.body)
	}
	var page struct{ Rows [][]any }
	r.do(call{method: "GET", path: "/api/v1/lists/exceptions?proposed=true&due_before=2026-06-02T09:00:00Z&liable=store"}).into(t, &page)
	if len(page.Rows) != 1 {
		t.Errorf("%v", page.Rows)
	}
}

// A rule waits for a second person, works, and says what it did.
func TestARuleIsPutInForceByTwoPeople(t *testing.T) {
	r := newRig(t)
	r.policyOf500()
	small, large := r.raise(ledger.Overdraw, 5), r.raise(ledger.Overdraw, 50)
	const rule = `{"rule":{"name":"small change","cause":"overdraw","unit":"points","up_to":20,"outcome":"settle","resolution":"written_off","text":"not worth asking","daily_cap":100}}`
	if a := r.do(call{method: "POST", path: "/api/v1/case-rules/preview", key: "-", body: rule}); a.status != 200 || !strings.Contains(string(a.body), `"count":1`) || !strings.Contains(string(a.body), `"amount":5,"unit":"points"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/case-rules", body: strings.Replace(rule, "overdraw", "unproven", 1)}); a.status != 422 || !strings.Contains(string(a.body), `"/cause"`) {
		t.Errorf("a rule about facts in suspense: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/case-rules", body: rule}); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r.must(r.cases.Round(t.Context()))
	resolution := func(id uuid.UUID) string {
		var w workAnswer
		r.do(call{method: "GET", path: "/api/v1/exceptions/" + id.String() + "/work"}).into(t, &w)
		return w.Resolution
	}
	if got := resolution(small); got != "" {
		t.Errorf("a rule that nobody approved did %s", got)
	}
	own := r.token
	r.token = r.signIn("Fatma", "a long password")
	if a := r.do(call{method: "POST", path: "/api/v1/case-settings/decide", body: `{"kind":"rule","number":1,"version":1,"verdict":"approve"}`}); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r.token = own
	r.must(r.cases.Round(t.Context()))
	if a, b := resolution(small), resolution(large); a != "written_off" || b != "" {
		t.Errorf("%q %q", a, b)
	}
	a := r.do(call{method: "GET", path: "/api/v1/exceptions/" + small.String() + "/work"})
	if !strings.Contains(string(a.body), `"name":"rule 1 v1"`) {
		t.Errorf("%s", a.body)
	}
	a = r.do(call{method: "GET", path: "/api/v1/case-rules"})
	if !strings.Contains(string(a.body), `"days":[{"amount":5,"count":1,"day":"2026-06-01","number":1,"stopped":false}]`) {
		t.Errorf("%s", a.body)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/case-rules/1/stop", body: `{"text":"too quick"}`}); a.status != 200 || !strings.Contains(string(a.body), `"state":"stopped"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// A bulk works on as many as were counted, and never on those that take two people.
func TestBulksAreConfirmedByTheirCount(t *testing.T) {
	r := newRig(t)
	r.policyOf500()
	for _, amount := range []int64{1, 2, 3, 900} {
		r.raise(ledger.ClockAhead, amount)
	}
	const bulk = `{"filter":{"cause":"clock_ahead"},"action":"settle","resolution":"explained","text":"summer time"}`
	a := r.do(call{method: "POST", path: "/api/v1/exceptions/bulk/preview", key: "-", body: bulk})
	if !strings.Contains(string(a.body), `"count":4,"left_out":1`) || !strings.Contains(string(a.body), `"amount":6`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, count := range []string{"2", "4"} {
		if a := r.do(call{method: "POST", path: "/api/v1/exceptions/bulk", body: `{"count":` + count + `,"bulk":` + bulk + `}`}); a.code() != problem.StateConflict {
			t.Errorf("%s: %d %s", count, a.status, a.body)
		}
	}
	if a := r.do(call{method: "POST", path: "/api/v1/exceptions/bulk", body: `{"count":3,"bulk":` + bulk + `}`}); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
	var report struct {
		Totals []struct {
			Unit string
			Ages []struct{ Count, Amount int64 }
		}
	}
	a = r.do(call{method: "GET", path: "/api/v1/exception-ageing"})
	a.into(t, &report)
	if len(report.Totals) != 1 || report.Totals[0].Ages[0].Count != 1 || report.Totals[0].Ages[0].Amount != 900 {
		t.Errorf("%+v", report)
	}
	rows := r.do(call{method: "GET", path: "/api/v1/lists/exception_ageing/file?format=csv"})
	if rows.status != 200 || !strings.Contains(string(rows.body), "clock_ahead,programme,,,points,,1,900,0,1,900,0") {
		t.Errorf("%d %s", rows.status, rows.body)
	}
}
