package loyalty_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// Points, stamps and money-like credit are earned side by side on one basket, each
// rounded as its own rule says.
func TestUnitsAreRoundedEachInItsOwnWay(t *testing.T) {
	for _, c := range []struct {
		total                    int64
		down, up, halfUp, halfEv int64
	}{
		{49, 0, 1, 0, 0},
		{50, 0, 1, 1, 0}, // a half, to the even zero
		{51, 0, 1, 1, 1},
		{100, 1, 1, 1, 1},
		{150, 1, 2, 2, 2}, // a half, to the even two
		{250, 2, 3, 3, 2},
		{249, 2, 3, 2, 2},
		{350, 3, 4, 4, 4},
	} {
		rules := loyalty.RuleSet{Currency: "EUR"}
		names := []string{"points", "stamps", "credit", "even"}
		for i, r := range []loyalty.Rounding{loyalty.RoundDown, loyalty.RoundUp, loyalty.RoundHalfUp, loyalty.RoundHalfEven} {
			rules.Earn = append(rules.Earn, loyalty.EarnRule{Unit: names[i], Points: 1, Per: 100, Rounding: r})
		}
		earned, err := loyalty.Earn(rules, loyalty.Basket{Currency: "EUR", Total: c.total}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, e := range earned {
			got[e.Unit] = e.Amount
		}
		if want := map[string]int64{"points": c.down, "stamps": c.up, "credit": c.halfUp, "even": c.halfEv}; len(got) > len(want) {
			t.Errorf("%d: %v", c.total, got)
		} else {
			for unit, n := range want {
				if got[unit] != n {
					t.Errorf("%d: %d %s, want %d", c.total, got[unit], unit, n)
				}
			}
		}
	}
}

// Rounding half even is what big decimal arithmetic says, for every amount.
func TestRoundHalfEvenIsTheTextbooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		per := rapid.Int64Range(1, 1_000_000).Draw(t, "per")
		total := rapid.Int64Range(1, loyalty.MaxAmount).Draw(t, "total")
		rules := loyalty.RuleSet{Earn: []loyalty.EarnRule{{Unit: "u", Points: 1, Per: per, Rounding: loyalty.RoundHalfEven}}}
		earned, err := loyalty.Earn(rules, loyalty.Basket{Total: total}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got int64
		if len(earned) == 1 {
			got = earned[0].Amount
		}
		q, m := new(big.Int).DivMod(big.NewInt(total), big.NewInt(per), new(big.Int))
		twice := m.Mul(m, big.NewInt(2)).Cmp(big.NewInt(per))
		if twice > 0 || twice == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
		if q.Int64() != got {
			t.Fatalf("%d / %d: %d, want %s", total, per, got, q)
		}
	})
}

func TestTheCatalogueFindsUnits(t *testing.T) {
	rules := loyalty.RuleSet{
		Units: []loyalty.Unit{{Name: "credit", Kind: loyalty.UnitCredit, Decimals: 2}}, Earn: []loyalty.EarnRule{{Unit: "points"}, {Unit: "credit"}},
	}
	for name, want := range map[string]loyalty.Unit{"credit": rules.Units[0], "points": {Name: "points"}} {
		if got, ok := rules.Unit(name); !ok || got != want {
			t.Errorf("%s: %+v, %t", name, got, ok)
		}
	}
	if _, ok := rules.Unit("moons"); ok {
		t.Error("an unknown unit was found")
	}
}

// Every operation on amounts fails instead of wrapping, and leaves the holding as it
// was.
func TestNoOperationOverflows(t *testing.T) {
	const most = loyalty.MaxAmount
	full := func() loyalty.Holding {
		h := loyalty.Holding{Unit: "points"}
		if _, err := h.Earn(loyalty.Lot{ID: loyalty.ID{1}, Amount: most}, loyalty.BookIssue, 1); err != nil {
			t.Fatal(err)
		}
		return h
	}
	rules := func(points, per int64) loyalty.RuleSet {
		return loyalty.RuleSet{Earn: []loyalty.EarnRule{{Unit: "points", Points: points, Per: per}}}
	}
	for _, c := range []struct {
		name string
		do   func(h *loyalty.Holding) error
	}{
		{"add", func(*loyalty.Holding) error { _, err := loyalty.Add(most, 1); return err }},
		{"add below", func(*loyalty.Holding) error { _, err := loyalty.Add(-most, -1); return err }},
		{"add at the edge of int64", func(*loyalty.Holding) error { _, err := loyalty.Add(math.MaxInt64, math.MaxInt64); return err }},
		{"add at the other edge", func(*loyalty.Holding) error { _, err := loyalty.Add(math.MinInt64, math.MinInt64); return err }},
		{"multiply", func(*loyalty.Holding) error { _, err := loyalty.Mul(1<<27, 1<<27); return err }},
		{"multiply at the edge of int64", func(*loyalty.Holding) error { _, err := loyalty.Mul(math.MaxInt64, math.MaxInt64); return err }},
		{"multiply below zero", func(*loyalty.Holding) error { _, err := loyalty.Mul(-1, 1); return err }},
		{"earn by rule", func(*loyalty.Holding) error {
			_, err := loyalty.Earn(rules(2, 1), loyalty.Basket{Total: most}, 0, 0)
			return err
		}},
		{"a total too large", func(*loyalty.Holding) error {
			_, err := loyalty.Earn(rules(1, 1), loyalty.Basket{Total: math.MaxInt64}, 0, 0)
			return err
		}},
		{"a discount too large", func(*loyalty.Holding) error {
			_, err := loyalty.Earn(rules(1, 1), loyalty.Basket{Total: 5}, 6, 0)
			return err
		}},
		{"a time too large", func(*loyalty.Holding) error {
			_, err := loyalty.Earn(rules(1, 1), loyalty.Basket{Total: 5}, 0, math.MaxInt64)
			return err
		}},
		{"earn", func(h *loyalty.Holding) error {
			_, err := h.Earn(loyalty.Lot{ID: loyalty.ID{2}, Amount: 1}, loyalty.BookIssue, 1)
			return err
		}},
		{"earn pending", func(h *loyalty.Holding) error {
			_, err := h.Earn(loyalty.Lot{ID: loyalty.ID{2}, Amount: most, VestsAt: 9}, loyalty.BookIssue, 1)
			if err == nil {
				_, err = h.Earn(loyalty.Lot{ID: loyalty.ID{3}, Amount: 1, VestsAt: 9}, loyalty.BookIssue, 1)
			}
			return err
		}},
		{"redeem into an overdraft", func(h *loyalty.Holding) error {
			_, _, err := h.Redeem(most, loyalty.BookStore)
			for range 2 {
				if err == nil {
					_, _, err = h.Redeem(most, loyalty.BookStore)
				}
			}
			return err
		}},
	} {
		h := full()
		if err := c.do(&h); !errors.Is(err, loyalty.ErrOverflow) {
			t.Errorf("%s: %v", c.name, err)
		}
		if min(h.Free, h.Pending, h.Overdraft) < 0 || max(h.Free, h.Pending, h.Overdraft) > most {
			t.Errorf("%s left %+v", c.name, h)
		}
	}
}
