package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/edge/till"
)

// Pages of sales and closed days are asked for by the cursor of the page before.
func TestListsArePaged(t *testing.T) {
	r := newRig(t)
	page := func(path string) (next string) {
		t.Helper()
		got := r.do(request{method: http.MethodGet, path: path})
		var body struct {
			Next string `json:"next_cursor"`
		}
		if err := json.Unmarshal(got.body, &body); err != nil || got.status != 200 {
			t.Fatalf("%d %s: %v", got.status, got.body, err)
		}
		return body.Next
	}
	r.till.more = true
	next := page("/v1/sales?business_date=2026-03-01&pos_receipt=R1&limit=7")
	if want := (till.SaleQuery{Date: 20260301, Receipt: "R1", Limit: 7}); r.till.listed != want || next != "20260301-3" {
		t.Fatalf("asked for %+v, next %q", r.till.listed, next)
	}
	r.till.more = false
	if next = page("/v1/sales?cursor=" + next); next != "" {
		t.Fatalf("the last page has a next one: %q", next)
	}
	if want := (till.SaleQuery{After: till.SalePlace{Date: 20260301, Seq: 3}, Limit: 50}); r.till.listed != want {
		t.Fatalf("asked for %+v", r.till.listed)
	}
	r.till.more = true
	if next = page("/v1/days"); next != "20260301-9" {
		t.Fatalf("next %q", next)
	}
	if page("/v1/days?cursor=" + next); r.till.before != 9 {
		t.Fatalf("asked for days before %d", r.till.before)
	}
}

func TestADayIsClosed(t *testing.T) {
	r := newRig(t)
	if got := r.do(request{method: http.MethodGet, path: "/v1/day"}); got.status != 200 || !strings.Contains(string(got.body), `"closable":true`) {
		t.Fatalf("%d %s", got.status, got.body)
	}
	got := r.do(request{path: "/v1/day/close", body: `{"business_date":"2026-03-01","cashier":"7"}`})
	call := r.till.closed
	if got.status != 201 || call.Date != 20260301 || call.Cashier != "7" || call.Key != "key-1" || r.woken != 1 {
		t.Fatalf("%d %s of %+v", got.status, got.body, call)
	}
	var body struct {
		Reason  string
		Figures struct {
			Money []map[string]any
			Head  string
		}
	}
	if err := json.Unmarshal(got.body, &body); err != nil || body.Reason != "by_hand" || body.Figures.Money[0]["net"] != 800.0 || body.Figures.Head != "00000000" {
		t.Fatalf("%s: %v", got.body, err)
	}
	if r.do(request{path: "/v1/day/close", body: `{"cashier":"7"}`}); r.till.closed.KeyHash == call.KeyHash || r.till.closed.Date != 0 {
		t.Fatal("another request has the same hash")
	}
	if got := r.do(request{method: http.MethodGet, path: "/v1/days/2026-02-28"}); got.status != 200 || r.till.closed.Date != 20260228 {
		t.Fatalf("%d %s", got.status, got.body)
	}
}
