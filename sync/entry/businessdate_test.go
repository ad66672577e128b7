package entry_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/sync/entry"
)

// The date turns at the hour on the wall, whatever the offset does that night.
func TestTheDateTurnsByTheWall(t *testing.T) {
	load := func(name string) *time.Location {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return zone
	}
	berlin, tokyo, cairo := load("Europe/Berlin"), load("Asia/Tokyo"), load("Africa/Cairo")
	utc := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	const four, ten = 4 * time.Hour, -2 * time.Hour
	for name, tc := range map[string]struct {
		at   string
		zone *time.Location
		ends time.Duration
		want entry.Date
	}{
		"before midnight":                         {"2026-03-10T22:59:59Z", berlin, 0, 20260310},
		"midnight":                                {"2026-03-10T23:00:00Z", berlin, 0, 20260311},
		"midnight of another zone":                {"2026-03-10T15:00:00Z", tokyo, 0, 20260311},
		"the bar before four":                     {"2026-03-11T02:59:59Z", berlin, four, 20260310},
		"the bar at four":                         {"2026-03-11T03:00:00Z", berlin, four, 20260311},
		"the shop before ten":                     {"2026-03-10T20:59:59Z", berlin, ten, 20260310},
		"the shop at ten":                         {"2026-03-10T21:00:00Z", berlin, ten, 20260311},
		"four on the night that loses an hour":    {"2026-03-29T02:00:00Z", berlin, four, 20260329},
		"before it":                               {"2026-03-29T01:59:59Z", berlin, four, 20260328},
		"four on the night that gains an hour":    {"2026-10-25T03:00:00Z", berlin, four, 20261025},
		"before that":                             {"2026-10-25T02:59:59Z", berlin, four, 20261024},
		"half past two, the first time":           {"2026-10-25T00:30:00Z", berlin, 150 * time.Minute, 20261025},
		"just past two, the second time":          {"2026-10-25T01:05:00Z", berlin, 150 * time.Minute, 20261024},
		"the night in Cairo that has no midnight": {"2026-04-23T22:00:00Z", cairo, 0, 20260424},
		"before that one":                         {"2026-04-23T21:59:59Z", cairo, 0, 20260423},
		"new year":                                {"2026-12-31T23:00:00Z", berlin, 0, 20270101},
		"leap day":                                {"2028-02-29T00:00:00Z", berlin, ten, 20280229},
	} {
		if got := entry.BusinessDateOf(utc(tc.at).In(tc.zone), tc.ends); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
}
