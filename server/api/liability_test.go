package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
)

// What is owed is asked for by month, as a file, and down to its postings; what it is worth
// is a setting.
func TestWhatIsOwedIsShownAndValued(t *testing.T) {
	r := newRig(t)
	get := func(path string) answer { return r.do(call{method: "GET", path: "/api/v1/liability" + path}) }
	if a := get(""); a.status != http.StatusOK || !strings.Contains(string(a.body), `"months":[],"unit":"","units":[]`) {
		t.Errorf("nothing has moved: %d %s", a.status, a.body)
	}
	r.richMember(700)
	value := `{"unit":"points","currency":"EUR","from":"2020-01-01","per_thousand":501}`
	if a := r.do(call{method: "PUT", path: "/api/v1/liability/values", body: value}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	month := r.clock.Now().UTC().Format("2006-01")
	for path, want := range map[string]string{
		"":                 `"adjusted":700,"closing":700,"expired":0,"issued":0,"moved":0,"opening":0`,
		"?by=effective":    `"worth":[{"amount":351,"currency":"EUR","from":"2020-01-01","per_thousand":501,"source":"finance"}]`,
		"?from=" + month:   `"beside":{"broken":0,"lapsed":0,"overdraft":0,"overdrawn":0,"reserved":0,"spendable":700,"suspense":0,"unvested":0}`,
		"/file?format=csv": "points," + month + ",never,0,0,0,0,0,0,0,700,0,700,recorded,",
		"/values":          `"per_thousand":501`,
		"/breakage":        `"unit":"points"`,
		"/postings?month=" + month + "&column=adjusted":                 `"amount":700`,
		"/postings?month=" + month + "&column=adjusted&expires=never":   `"to_book":"free"`,
		"/postings?month=" + month + "&column=adjusted&expires=2031-01": `{"items":[]}`,
		"/postings?month=" + month + "&column=issued":                   `{"items":[]}`,
	} {
		if a := get(path); a.status != http.StatusOK || !strings.Contains(string(a.body), want) {
			t.Errorf("%s: %d %s, want %s", path, a.status, a.body, want)
		}
	}
	for _, path := range []string{"?unit=points&from=2026-13", "?from=2020-01&to=2026-01", "?from=2026-02&to=2026-01", "/postings?month=2026-01&column=issued&expires=soon", "/file?format=csv&unit="} {
		if a := get(path); a.code() != problem.InvalidField {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := get("/postings?month=" + month + "&column=issued&cursor=zz"); a.code() != problem.CursorInvalid {
		t.Errorf("a wrong cursor: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "PUT", path: "/api/v1/liability/values", body: strings.Replace(value, "EUR", "€", 1)}); a.code() != problem.InvalidField {
		t.Errorf("no currency: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: "/metrics"}); !strings.Contains(string(a.body), `tallystick_hq_liability{part="spendable",unit="points"} 700`) {
		t.Errorf("metrics: %s", a.body)
	}
}
