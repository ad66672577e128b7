package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

const rightsBody = `{"unit":"points","per_sale":500,"per_member_day":1000,"per_terminal_since_sync":1000,"vouchers_per_sale":1,
"vouchers_per_terminal_since_sync":10,"max_cache_age_seconds":604800,"per_store_since_sync":1500,"soft_limit":800,"static":{"per_sale":100},
"keyed":{"off":true},"age_steps":[{"after_seconds":3600,"percent":50},{"after_seconds":86400,"percent":0}],"restart_cap":200,"spend_earned":true,"unknown_sales":3,
"rights":{"share_percent":50,"cap":300,"min":10,"life_seconds":86400,"one_off_seconds":600,"clock_bound_seconds":60,"grace_seconds":3600,"clones":2}}`

// richMember is a member with some points.
func (r *rig) richMember(points int64) (member, account uuid.UUID) {
	r.t.Helper()
	member = uuid.MustParse(r.made("/api/v1/members", `{"alias":"Ann"}`))
	m, err := r.db.Member(context.Background(), member)
	r.must(err)
	r.must(r.ledger.Adjust(context.Background(), entry.HQAdjustment{Account: m.Account, Unit: "points", Amount: points, Reason: 1}))
	return member, m.Account
}

func (l *lane) ask(path string, question any) answer {
	l.r.t.Helper()
	raw, err := wire.Marshal(question)
	l.r.must(err)
	return l.proven("POST", path, raw)
}

func TestThePolicyKeepsHowRightsAreGiven(t *testing.T) {
	r := newRig(t)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: rightsBody})
	a := r.do(call{method: "GET", path: "/api/v1/programme/policy"})
	for _, want := range []string{
		`"per_store_since_sync":1500`, `"soft_limit":800`, `"static":{"per_sale":100}`, `"keyed":{"off":true}`, `"restart_cap":200`, `"spend_earned":true`,
		`"age_steps":[{"after_seconds":3600,"percent":50},{"after_seconds":86400,"percent":0}]`,
		`"rights":{"cap":300,"clock_bound_seconds":60,"clones":2,"grace_seconds":3600,"life_seconds":86400,"min":10,"one_off_seconds":600,"share_percent":50}`,
	} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%s is not in %s", want, a.body)
		}
	}
	for _, wrong := range [][2]string{
		{`"percent":0`, `"percent":101`},
		{`"after_seconds":86400`, `"after_seconds":3600`},
		{`"clock_bound_seconds":60`, `"clock_bound_seconds":700`},
		{`"min":10`, `"min":301`},
		{`"share_percent":50`, `"share_percent":150`},
		{`"soft_limit":800`, `"soft_limit":-1`},
		{`"unknown_sales":3`, `"unknown_sales":-1`},
		{`"unknown_sales":3`, `"unknown_sales":1000001`},
	} {
		body := strings.Replace(rightsBody, wrong[0], wrong[1], 1)
		if a := r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: body}); a.status != 422 && a.status != 400 {
			t.Errorf("%s: %d %s", wrong[1], a.status, a.body)
		}
	}
}

// A cap that may be left out is the usual one then, and none when it is zero.
func TestUnknownSalesLeftOutIsTheUsualCap(t *testing.T) {
	r := newRig(t)
	for said, want := range map[string]string{`"unknown_sales":3,`: `"unknown_sales":3`, `"unknown_sales":0,`: `"unknown_sales":0`, ``: `"unknown_sales":10`} {
		r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: strings.Replace(rightsBody, `"unknown_sales":3,`, said, 1)})
		if a := r.do(call{method: "GET", path: "/api/v1/programme/policy"}); !strings.Contains(string(a.body), want+",") {
			t.Errorf("after %q: %s is not in %s", said, want, a.body)
		}
	}
	for said, want := range map[string]string{`"issue_grace_days":3,`: `"issue_grace_days":3`, `"issue_grace_days":0,`: `"issue_grace_days":0`, ``: `"issue_grace_days":7`} {
		r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: strings.Replace(rightsBody, `"unknown_sales":3,`, said, 1)})
		if a := r.do(call{method: "GET", path: "/api/v1/programme/policy"}); !strings.Contains(string(a.body), want+",") {
			t.Errorf("after %q: %s is not in %s", said, want, a.body)
		}
	}
	body := strings.Replace(rightsBody, `"unknown_sales":3,`, `"issue_grace_days":31,`, 1)
	if a := r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: body}); a.code() != problem.InvalidField {
		t.Errorf("a month and a day of grace: %d %s", a.status, a.body)
	}
}

func TestATerminalAsksForARight(t *testing.T) {
	r := newRig(t)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: rightsBody})
	l := r.enrolledLane("one", 11)
	member, account := r.richMember(500)
	question := wire.AuthoriseRequest{V: wire.Version, Right: uuid.New(), Member: member, Account: account, Unit: "points", Amount: 120, Budget: 800}
	got, err := wire.Unmarshal[wire.AuthoriseAnswer](l.ask(wire.PathAuthorise, question).body)
	if err != nil || got.Refused != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	again, err := wire.Unmarshal[wire.AuthoriseAnswer](l.ask(wire.PathAuthorise, question).body)
	if err != nil || string(again.Grant.Signature) != string(got.Grant.Signature) {
		t.Errorf("asked again: %+v, %v", again, err)
	}
	question.Right, question.Amount = uuid.New(), 501
	if got, err := wire.Unmarshal[wire.AuthoriseAnswer](l.ask(wire.PathAuthorise, question).body); err != nil || got.Refused != string(problem.PointsInsufficient) || got.Free != 380 {
		t.Errorf("too much: %+v, %v", got, err)
	}
	question.Unit = ""
	if a := l.ask(wire.PathAuthorise, question); a.code() != problem.InvalidField {
		t.Errorf("no unit: %d %s", a.status, a.body)
	}
	page, err := wire.Open[wire.FeedPage](l.proven("GET", wire.PathPull+"?cursor=&wait=0", nil).body, wire.DomainFeed, l.statement(), r.clock.Now())
	if err != nil || page.Applied.Terminal != l.id || page.Applied.Epoch != l.epoch {
		t.Errorf("applied %+v, %v", page.Applied, err)
	}
	told := 0
	for _, item := range page.Items {
		if item.Kind == wire.ItemAllowance {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the feed tells of %d rights", told)
	}
	present := wire.PresentRequest{V: wire.Version, Epoch: 1, Grants: []wire.Signed{got.Grant}, Last: true}
	if a, err := wire.Unmarshal[wire.PresentAnswer](l.ask(wire.PathPresent, present).body); err != nil || a.Taken != 0 {
		t.Errorf("presented what HQ knows: %+v, %v", a, err)
	}
	present.Grants[0].Payload = append([]byte(nil), present.Grants[0].Payload...)
	present.Grants[0].Payload[5]++
	if a := l.ask(wire.PathPresent, present); a.code() != problem.InvalidField {
		t.Errorf("presented a forgery: %d %s", a.status, a.body)
	}
	r.do(call{method: "POST", path: "/api/v1/terminals/" + l.id.String() + "/revoke"})
	if a := l.ask(wire.PathAuthorise, question); a.code() != problem.TerminalRevoked {
		t.Errorf("revoked: %d %s", a.status, a.body)
	}
}

func TestTheExposureIsShown(t *testing.T) {
	r := newRig(t)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: rightsBody})
	l := r.enrolledLane("one", 11)
	r.must(r.rights.Round(context.Background()))
	member, account := r.richMember(500)
	l.ask(wire.PathAuthorise, wire.AuthoriseRequest{V: wire.Version, Right: uuid.New(), Member: member, Account: account, Unit: "points", Amount: 120})
	a := r.do(call{method: "GET", path: "/api/v1/exposure"})
	want := fmt.Sprintf(`{"clones":%d,"lost":[],"stand_in":1000,"store":"%s","taken_back":0,"uncovered":0,"unit":"points","unspent":120,"worst":1000}`, 2*(1000+120), l.store)
	if !strings.Contains(string(a.body), want) || !strings.Contains(string(a.body), `"copies":2`) {
		t.Errorf("%s is not in %s", want, a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/exposure/history?store=" + l.store.String()}); !strings.Contains(string(a.body), `"worst":1000`) {
		t.Errorf("history: %s", a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/exposure/history"}); !strings.Contains(string(a.body), `"total":[{"at"`) {
		t.Errorf("history in total: %s", a.body)
	}
	if a := r.do(call{method: "GET", path: "/metrics"}); !strings.Contains(string(a.body), `tallystick_hq_exposure{term="stand_in",unit="points"} 1000`) {
		t.Errorf("metrics: %s", a.body)
	}
}

// BenchmarkAuthorise is a till that asks HQ over loopback, with proof, journal and books
// on SQLite; it prints the median and the 99th percentile.
func BenchmarkAuthorise(b *testing.B) {
	r := newRig(b)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: rightsBody})
	l := r.enrolledLane("one", 11)
	type shopper struct{ member, account uuid.UUID }
	shoppers := make([]shopper, 64)
	for i := range shoppers {
		shoppers[i].member, shoppers[i].account = r.richMember(1_000_000)
	}
	took := make([]time.Duration, 0, b.N)
	for i := range b.N {
		s := shoppers[i%len(shoppers)]
		question := wire.AuthoriseRequest{V: wire.Version, Right: uuid.New(), Member: s.member, Account: s.account, Unit: "points", Amount: 1}
		start := time.Now()
		a := l.ask(wire.PathAuthorise, question)
		took = append(took, time.Since(start))
		if got, err := wire.Unmarshal[wire.AuthoriseAnswer](a.body); err != nil || got.Refused != "" {
			b.Fatalf("%+v, %v", got, err)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
