package loyalty

import (
	"testing"

	"pgregory.net/rapid"
)

func TestFirstExpiry(t *testing.T) {
	lots := []Lot{
		{ID: ID{1}, Left: 5},
		{ID: ID{2}, ExpiresAt: 50},
		{ID: ID{3}, Left: 9, ExpiresAt: 60, Pending: true},
		{ID: ID{4}, Left: 40, ExpiresAt: 90},
		{ID: ID{5}, Left: 20, ExpiresAt: 70},
		{ID: ID{6}, Left: 3, ExpiresAt: 70, RollDays: 30},
	}
	if got, want := (Holding{Lots: lots}).FirstExpiry(), (Expiry{At: 70, Amount: 23, Rolls: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := (Holding{Lots: lots[:3]}).FirstExpiry(); got != (Expiry{}) {
		t.Errorf("of points that stay: %+v", got)
	}
}

func TestExpiryAfter(t *testing.T) {
	said := Expiry{At: 100, Amount: 50}
	rolling := Expiry{At: 100, Amount: 50, Rolls: true}
	for _, c := range []struct {
		name       string
		said       Expiry
		since      Since
		now, until int64
		want       int64
	}{
		{"nothing done", said, Since{}, 10, 200, 50},
		{"nothing said", Expiry{}, Since{}, 10, 200, 0},
		{"some redeemed", said, Since{Active: true, Redeemed: 20}, 10, 200, 30},
		{"all redeemed", said, Since{Active: true, Redeemed: 50}, 10, 200, 0},
		{"more redeemed", said, Since{Active: true, Redeemed: 70}, 10, 200, 0},
		{"given back", said, Since{Active: true, Redeemed: 20, Back: true}, 10, 200, 0},
		{"earned for later", said, Since{Active: true, EndsAt: 101}, 10, 200, 50},
		{"earned for the same moment", said, Since{Active: true, EndsAt: 100}, 10, 200, 0},
		{"earned for sooner", said, Since{Active: true, EndsAt: 60}, 10, 200, 0},
		{"rolls", rolling, Since{}, 10, 200, 50},
		{"rolled on", rolling, Since{Active: true}, 10, 200, 0},
		{"in the last moment", said, Since{}, 99, 100, 50},
		{"expired", said, Since{}, 100, 200, 0},
		{"far away", said, Since{}, 10, 99, 0},
	} {
		if got := c.said.After(c.since, c.now, c.until); got.Amount != c.want || c.want != 0 && got.At != 100 {
			t.Errorf("%s: %+v, want %d", c.name, got, c.want)
		}
	}
}

// What a terminal tells is what the ledger will say, or nothing.
func TestExpiryAfterAgreesWithTheLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const end = 1_000_000_000_000
		h := Holding{Unit: "points"}
		next, now := byte(0), int64(1)
		earn := func() Lot {
			next++
			lot := Lot{ID: ID{next}, Amount: rapid.Int64Range(1, 50).Draw(t, "earned"), EarnedAt: now}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
			case 1:
				lot.RollDays = rapid.Int32Range(1, 9).Draw(t, "roll")
				lot.ExpiresAt = endOfDayDaysLater(now, lot.RollDays)
			default:
				lot.ExpiresAt = rapid.Int64Range(end-5, end).Draw(t, "expires")
			}
			if _, err := h.Earn(lot, BookIssue, now); err != nil {
				t.Fatal(err)
			}
			return lot
		}
		for range rapid.IntRange(0, 6).Draw(t, "lots") {
			earn()
		}
		said := h.FirstExpiry()
		var since Since
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			now += rapid.Int64Range(1, 1_000).Draw(t, "wait")
			h.Touch(now)
			since.Active = true
			if rapid.Bool().Draw(t, "earns") {
				if lot := earn(); lot.ExpiresAt != 0 && (since.EndsAt == 0 || lot.ExpiresAt < since.EndsAt) {
					since.EndsAt = lot.ExpiresAt
				}
				continue
			}
			amount := rapid.Int64Range(1, 40).Draw(t, "redeemed")
			if _, _, err := h.Redeem(amount, BookStore); err != nil {
				t.Fatal(err)
			}
			since.Redeemed += amount
		}
		got, truth := said.After(since, now, end), h.FirstExpiry()
		if got != (Expiry{}) && got != truth {
			t.Fatalf("told %+v of %+v after %+v; it is %+v", got, said, since, truth)
		}
		if sure := !said.Rolls && since.EndsAt == 0 && since.Redeemed < said.Amount; sure && got != truth {
			t.Fatalf("told nothing of %+v", truth)
		}
	})
}
