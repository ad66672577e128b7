package loyalty_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/loyalty"
)

func TestTillRules(t *testing.T) {
	limit, always := int64(5000), int64(0)
	for _, c := range []struct {
		name  string
		over  *int64
		total int64
		want  bool
	}{
		{"no limit", nil, 1 << 50, false},
		{"at the limit", &limit, 5000, false},
		{"over the limit", &limit, 5001, true},
		{"always", &always, 1, true},
	} {
		r := loyalty.TillRules{VoidOver: c.over, ReturnOver: c.over}
		if r.VoidNeedsApproval(c.total) != c.want || r.ReturnNeedsApproval(c.total) != c.want {
			t.Errorf("%s: want %v", c.name, c.want)
		}
	}
	for said, want := range map[int64]int64{0: 600, -1: 600, 30: 30, 1 << 40: 24 * 3600} {
		if got := (loyalty.TillRules{IdleSeconds: said}).Idle(); got != want {
			t.Errorf("idle %d: %d", said, got)
		}
	}
}

func TestKeyedNeedsApproval(t *testing.T) {
	for _, c := range []struct {
		keyed loyalty.FreshnessCaps
		want  bool
	}{
		{loyalty.FreshnessCaps{}, true},
		{loyalty.FreshnessCaps{PerSale: 5}, true},
		{loyalty.FreshnessCaps{Off: true}, false},
		{loyalty.FreshnessCaps{PerSale: 5, PerMemberDay: 5}, false},
	} {
		if got := (loyalty.Policy{Keyed: c.keyed}).KeyedNeedsApproval(); got != c.want {
			t.Errorf("%+v: %v", c.keyed, got)
		}
	}
}

func TestReadDayEnds(t *testing.T) {
	for text, want := range map[string]int64{"00:00": 0, "04:30": 270, "-02:00": -120, "12:00": 720, "-12:00": -720, "-00:30": -30} {
		got, err := loyalty.ReadDayEnds(text)
		if err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
		if again := (loyalty.TillRules{DayEnds: got}).DayEndsText(); again != text {
			t.Errorf("%s is written as %s", text, again)
		}
	}
	for _, text := range []string{"", "4", "4:00", "24:00", "12:01", "-13:00", "+04:00", "--01:00", "04:00 "} {
		if got, err := loyalty.ReadDayEnds(text); err == nil {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}
