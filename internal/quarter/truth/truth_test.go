package truth

import (
	"testing"
	"time"
)

func at(day int) int64 { return time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC).UnixMilli() }

func name(n byte) ID { return ID{n} }

// A redemption takes the first expiry first, in whatever order facts are heard of; what is
// not heard of yet is not there.
func TestTheFirstExpiryIsSpentFirst(t *testing.T) {
	b, account := NewBook(), name(9)
	b.Add(account, &Fact{Kind: Sale, Name: name(3), At: at(3), Known: at(3), Store: 3, Total: 100, Redeemed: 70})
	b.Add(account, &Fact{Kind: Sale, Name: name(1), At: at(1), Known: at(5), Store: 1, Total: 100, Earned: 50, Expires: at(20)})
	b.Add(account, &Fact{Kind: Gift, At: at(2), Known: at(2), Earned: 60, Expires: at(25)})
	for _, c := range []struct {
		known              int64
		free, debt, issued int64
	}{{at(4), 0, 10, 60}, {at(5), 40, 0, 20}} {
		s := b.Fold(account, at(10), c.known)
		var programme int64
		for _, f := range s.Flows {
			if f.What == Redeemed && f.Lot != nil && f.Lot.Issuer == Programme {
				programme += f.Amount
			}
		}
		if s.Free() != c.free || s.Debt != c.debt || programme != c.issued {
			t.Errorf("known on %s: %d free, %d owed, %d of the programme, want %+v", time.UnixMilli(c.known), s.Free(), s.Debt, programme, c)
		}
	}
	if s := b.Fold(account, at(26), Ever); s.Free() != 0 {
		t.Errorf("%d points after the last has expired", s.Free())
	}
}

// However a sale comes back in parts, all parts are the whole.
func TestReturnsInPartsAreTheWhole(t *testing.T) {
	b, account := NewBook(), name(9)
	b.Add(account, &Fact{Kind: Gift, At: at(1), Earned: 100})
	b.Add(account, &Fact{Kind: Sale, Name: name(1), At: at(2), Total: 900, Redeemed: 70, Earned: 10})
	for i, want := range []int64{100 - 70 + 23 + 10 - 3, 100 - 70 + 46 + 10 - 6, 100, 100} {
		b.Add(account, &Fact{Kind: Return, Name: name(1), At: at(3 + i), Back: 300})
		if s := b.Fold(account, Ever, Ever); s.Free() != want || s.Debt != 0 {
			t.Errorf("after %d parts: %d points, %d owed, want %d", i+1, s.Free(), s.Debt, want)
		}
	}
}

func TestMonthsLater(t *testing.T) {
	for _, c := range []struct {
		from   string
		months int
		want   string
	}{
		{"2026-01-05", 1, "2026-02-06"},
		{"2026-01-31", 1, "2026-03-01"},
		{"2025-11-30", 3, "2026-03-01"},
		{"2026-12-31", 1, "2027-02-01"},
	} {
		from, err := time.Parse(time.DateOnly, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if got := time.UnixMilli(MonthsLater(from.Add(time.Hour).UnixMilli(), c.months)).UTC().Format(time.DateOnly); got != c.want {
			t.Errorf("%d months after %s: %s, want %s", c.months, c.from, got, c.want)
		}
	}
}

func TestRounded(t *testing.T) {
	for n, want := range map[int64]int64{0: 0, 499: 0, 500: 0, 501: 1, 1500: 2, 2500: 2, -499: 0, -500: 0, -501: -1, -1500: -2} {
		if got := rounded(n); got != want {
			t.Errorf("%d thousandths are %d, want %d", n, got, want)
		}
	}
}
