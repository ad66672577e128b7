package loyalty_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// HQ's re-check hands Earn what a terminal wrote, which nobody has checked.
func TestG5_EarnAnswersForeignBasketsWithAnError(t *testing.T) {
	rules := loyalty.RuleSet{Earn: []loyalty.EarnRule{
		{Unit: "points", Points: 1, Per: 100, Category: "food"}, {Unit: "points", Points: 1, Per: 100},
	}}
	line := func(amount int64) loyalty.Line { return loyalty.Line{Quantity: 1000, Amount: amount, Category: "food"} }
	wrapping := loyalty.Basket{Total: 0}
	for range 3000 {
		wrapping.Lines = append(wrapping.Lines, line(loyalty.MaxAmount))
	}
	for _, l := range wrapping.Lines {
		wrapping.Total += l.Amount
	}
	wrapping.Total &= loyalty.MaxAmount
	for name, tt := range map[string]struct {
		basket   loyalty.Basket
		discount int64
	}{
		"negative discount":          {loyalty.Basket{Total: 1000}, -5},
		"discount above the total":   {loyalty.Basket{Total: 1000}, 1001},
		"no total":                   {loyalty.Basket{Lines: []loyalty.Line{line(1000)}}, 0},
		"negative total":             {loyalty.Basket{Total: -7}, 0},
		"total out of bounds":        {loyalty.Basket{Total: loyalty.MaxAmount + 1}, 0},
		"lines above the total":      {loyalty.Basket{Total: 10, Lines: []loyalty.Line{line(1000)}}, 10},
		"a negative line":            {loyalty.Basket{Total: 10, Lines: []loyalty.Line{line(-5), line(15)}}, 0},
		"lines that wrap an integer": {wrapping, wrapping.Total},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := loyalty.Earn(rules, tt.basket, tt.discount, 0); err == nil {
				t.Errorf("earned %v", got)
			}
		})
	}
}

func TestCacheAgeCapOfZeroRefuses(t *testing.T) {
	r := loyalty.Request{
		Member:  &loyalty.Member{Free: map[string]int64{"points": 100}},
		Wishes:  []loyalty.Wish{{Reward: loyalty.ID{1}, Times: 1}},
		Rewards: map[loyalty.ID]loyalty.Reward{{1}: {ID: loyalty.ID{1}, Unit: "points", Cost: 10, Discount: 1, Active: true}},
		Policy:  loyalty.Policy{Unit: "points", PerSale: 100, PerMemberDay: 100, PerTerminal: 100},
	}
	for _, limit := range []int64{0, -1} {
		r.Policy.MaxCacheAgeSeconds, r.CacheAge = limit, limit
		if got, refusal := loyalty.Redeemable(r); refusal == nil || refusal.Reason != loyalty.StandInOff {
			t.Errorf("at most %d s: %v %v", limit, got, refusal)
		}
	}
}

// A date that wraps would vest points at once, or make them last for ever.
func TestEarnRefusesTimesOutOfBounds(t *testing.T) {
	rules := loyalty.RuleSet{Earn: []loyalty.EarnRule{
		{Unit: "points", Points: 1, Per: 1, VestDays: 1<<31 - 1, ExpireMonths: 1<<31 - 1},
	}}
	basket := loyalty.Basket{Total: 100}
	for _, at := range []int64{1<<63 - 1, -1 << 63, 1 << 60, -1, loyalty.MaxAmount + 1} {
		if got, err := loyalty.Earn(rules, basket, 0, at); err == nil {
			t.Errorf("at %d: %+v", at, got)
		}
	}
	for _, at := range []int64{0, 1_800_000_000_000, loyalty.MaxAmount} {
		got, err := loyalty.Earn(rules, basket, 0, at)
		if err != nil || len(got) != 1 || got[0].VestsAt <= at || got[0].ExpiresAt <= got[0].VestsAt {
			t.Errorf("at %d: %+v, %v", at, got, err)
		}
	}
}
