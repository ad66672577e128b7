package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// Days are asked for by dates that make sense, of stores that are there. What is certified
// is played by internal/e2e with terminals that close their days.
func TestDaysAreAskedForByDates(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	lane := "?terminal=" + uuid.NewString()
	for path, want := range map[string]problem.Code{
		"/stores/" + store + "/days":                                                                           "",
		"/stores/" + store + "/days?from=2026-01-01&to=2026-12-31":                                             "",
		"/stores/" + store + "/days?from=2026-02-01&to=2026-01-01":                                             problem.InvalidField,
		"/stores/" + store + "/days?from=2020-01-01&to=2026-01-01":                                             problem.InvalidField,
		"/stores/" + uuid.NewString() + "/days":                                                                problem.NotFound,
		"/stores/" + store + "/days/2026-01-01/certificate":                                                    problem.NotFound,
		"/stores/" + uuid.NewString() + "/days/2026-01-01/certificate":                                         problem.NotFound,
		"/stores/" + store + "/days/2026-01-01/waterfall":                                                      problem.NotFound,
		"/stores/" + uuid.NewString() + "/days/2026-01-01/waterfall":                                           problem.NotFound,
		"/stores/" + store + "/days/2026-01-01/entries" + lane + "&epoch=1&kind=sale&currency=EUR":             problem.NotFound,
		"/stores/" + store + "/days/2026-01-01/entries" + lane + "&epoch=1&kind=sale":                          problem.InvalidField,
		"/stores/" + store + "/days/2026-01-01/entries" + lane + "&epoch=0&kind=sale&currency=EUR":             problem.InvalidField,
		"/stores/" + store + "/days/2026-01-01/entries" + lane + "&epoch=1&kind=sale&currency=EUR&flow=earned": problem.InvalidField,
		"/stores/" + store + "/days/2026-01-01/entries" + lane + "&epoch=1&kind=sale&currency=EUR&cursor=x":    problem.CursorInvalid,
		"/store-days?from=2026-01-01&to=2026-01-31":                                                            "",
		"/store-days?from=2026-01-01&to=2026-06-30":                                                            problem.InvalidField,
		"/store-days?from=2026-01-31&to=2026-01-01":                                                            problem.InvalidField,
	} {
		a := r.do(call{method: "GET", path: "/api/v1" + path})
		if want == "" && a.status != http.StatusOK || want != "" && a.code() != want {
			t.Errorf("%s: %d %s, want %q", path, a.status, a.body, want)
		}
	}
	var calendar struct {
		Items []struct {
			Store uuid.UUID
			Days  []struct{}
		}
	}
	r.do(call{method: "GET", path: "/api/v1/store-days?from=2026-01-01&to=2026-01-31"}).into(t, &calendar)
	if len(calendar.Items) != 1 || calendar.Items[0].Store.String() != store || len(calendar.Items[0].Days) != 0 {
		t.Errorf("a store that never closed a day: %+v", calendar)
	}
}

// The waterfall of a certified day is the certificate's.
func TestTheWaterfallOfACertifiedDay(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	r.certified(store, 2)
	var fall struct {
		Number   int64 `json:"number"`
		HQEpoch  int64 `json:"hq_epoch"`
		Lanes    []struct{}
		Rows     []struct{}
		LateIn   []struct{} `json:"late_in"`
		Business string     `json:"business_date"`
	}
	r.do(call{method: "GET", path: "/api/v1/stores/" + store + "/days/2026-03-01/waterfall"}).into(t, &fall)
	if fall.Number != 1 || fall.HQEpoch != 2 || fall.Lanes == nil || fall.Rows == nil || fall.LateIn == nil || fall.Business != "2026-03-01" {
		t.Errorf("%+v", fall)
	}
}
