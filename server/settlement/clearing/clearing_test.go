package clearing

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

var (
	north, south = uuid.UUID{1}, uuid.UUID{2}
	a, b, lira   = uuid.UUID{11}, uuid.UUID{12}, uuid.UUID{13}
)

func agreed() *Terms {
	return (&Terms{
		Parties:     []Party{{ID: north, Code: "NORTH"}, {ID: south, Code: "SOUTH"}},
		Places:      []Place{{ID: a, Currency: "EUR"}, {ID: b, Currency: "EUR"}, {ID: lira, Currency: "JPY"}},
		Assignments: []Assignment{{a, north, 20260101}, {b, south, 20260101}, {lira, south, 20260101}},
		Prices:      []Price{{"points", "EUR", 20260101, 1250}, {"points", "JPY", 20260101, 2001}},
		Rates:       []Rate{{"JPY", "EUR", 20260101, 6_111_111, "ECB"}},
	}).Build()
}

func TestFlowsOfPostings(t *testing.T) {
	lot := uuid.UUID{9}
	for _, c := range []struct {
		name string
		p    Posting
		want Flow
		ok   bool
	}{
		{"redeemed", Posting{From: loyalty.BookFree, To: loyalty.BookStore, Amount: 5, Lot: lot}, Flow{KindRedeemed, false, 5}, true},
		{"on a right", Posting{From: loyalty.BookAllowance, To: loyalty.BookStore, Amount: 5, Lot: lot}, Flow{KindRedeemed, false, 5}, true},
		{"given back", Posting{From: loyalty.BookStore, To: loyalty.BookPending, Amount: 5, Lot: lot}, Flow{KindRedeemed, false, -5}, true},
		{"overdrawn", Posting{From: loyalty.BookOverdraft, To: loyalty.BookStore, Amount: 5}, Flow{KindRedeemed, true, 5}, true},
		{"forgiven", Posting{From: loyalty.BookStore, To: loyalty.BookOverdraft, Amount: 5}, Flow{KindRedeemed, true, -5}, true},
		{"repaid", Posting{From: loyalty.BookFree, To: loyalty.BookOverdraft, Amount: 5, Lot: lot}, Flow{KindRepaid, false, 5}, true},
		{"not repaid after all", Posting{From: loyalty.BookOverdraft, To: loyalty.BookFree, Amount: 5, Lot: lot}, Flow{KindRepaid, false, -5}, true},
		{"taken back when it was spent", Posting{From: loyalty.BookOverdraft, To: loyalty.BookIssue, Amount: 5, Lot: lot}, Flow{KindRepaid, false, -5}, true},
		{"taken away into a debt", Posting{From: loyalty.BookOverdraft, To: loyalty.BookIssue, Amount: 5}, Flow{}, false},
		{"earned", Posting{From: loyalty.BookIssue, To: loyalty.BookFree, Amount: 5, Lot: lot}, Flow{}, false},
		{"vested", Posting{From: loyalty.BookPending, To: loyalty.BookFree, Amount: 5, Lot: lot}, Flow{}, false},
		{"lapsed", Posting{From: loyalty.BookFree, To: loyalty.BookLapsed, Amount: 5, Lot: lot}, Flow{}, false},
		{"in suspense", Posting{From: loyalty.BookSuspense, To: loyalty.BookStore, Amount: 5}, Flow{}, false},
		{"departs", Posting{From: loyalty.BookFree, To: loyalty.BookClearing, Amount: 5, Lot: lot}, Flow{}, false},
		{"arrives", Posting{From: loyalty.BookClearing, To: loyalty.BookFree, Amount: 5, Lot: lot, Arrival: true}, Flow{}, false},
		{"pays a debt that arrives", Posting{From: loyalty.BookFree, To: loyalty.BookClearing, Amount: 5, Lot: lot, Arrival: true}, Flow{KindRepaid, false, 5}, true},
		{"departs of another lot, as is known later", Posting{From: loyalty.BookFree, To: loyalty.BookClearing, Amount: 5, Lot: lot, Corrects: true}, Flow{KindRepaid, false, 5}, true},
	} {
		if got, ok := FlowOf(c.p); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v", c.name, got, ok)
		}
	}
}

func sumAt(from, to uuid.UUID, day entry.Date, points int64) Sum {
	return Sum{Kind: KindRedeemed, Unit: "points", FromStore: from, FromDay: day, ToStore: to, ToDay: day, Day: day, Points: points}
}

// Whatever is rounded, the lines of two parties sum to their total rounded half to even,
// and the statements of all parties to zero.
func TestWhatIsRoundedSumsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := agreed()
		p, book := NewPricer(terms, 202603), NewBook(terms, 202603)
		var exact, minor int64
		for i := range rapid.IntRange(1, 28).Draw(t, "days") {
			to := rapid.SampledFrom([]uuid.UUID{b, lira}).Draw(t, "store")
			s := sumAt(a, to, entry.Date(20260301+i), rapid.Int64Range(-500, 500).Draw(t, "points"))
			for _, l := range p.Lines(s.Spot(), []Sum{s}, nil) {
				book.Add(l)
				if l.Credit.Currency == "EUR" {
					exact, minor = exact+l.Credit.Exact, minor+l.Credit.Minor
				}
			}
		}
		if off := 2*minor*1000 - 2*exact; off > 1000 || off < -1000 || (off == 1000 || off == -1000) && minor%2 != 0 {
			t.Fatalf("%d thousandths are stated as %d", exact, minor)
		}
		sums := map[string]int64{}
		for _, s := range book.Statements() {
			for _, total := range s.Totals {
				sums[total.Currency] += total.Net
			}
		}
		for currency, sum := range sums {
			if sum != 0 {
				t.Fatalf("all statements sum to %d %s", sum, currency)
			}
		}
	})
}

// 1,000 points at 2,001 yen are 2,001 yen; at 0.006111111 euros 12.23.
func TestCurrenciesWithoutCentsAreConverted(t *testing.T) {
	p := NewPricer(agreed(), 202603)
	s := sumAt(a, lira, 20260301, 1000)
	lines := p.Lines(s.Spot(), []Sum{s}, nil)
	if len(lines) != 1 || lines[0].Credit != (Amount{"JPY", 2_001_000, 2001}) || lines[0].Debit.Minor != 1223 || lines[0].Debit.Currency != "EUR" {
		t.Errorf("%+v", lines)
	}
}

// Where a party redeems what it issued nobody owes anybody, and no price is missed; unless
// a fee is due there too.
func TestAPartyOwesItselfNothing(t *testing.T) {
	terms := agreed()
	terms.Prices = nil
	s := sumAt(b, lira, 20260301, 100)
	p := NewPricer(terms.Build(), 202603)
	if lines := p.Lines(s.Spot(), []Sum{s}, nil); len(lines) != 0 || len(p.Missing()) != 0 {
		t.Errorf("%+v, missing %+v", lines, p.Missing())
	}
	terms.Fees = []Fee{{Code: "OWN", From: 20260101, Payer: PaysHonouring, BasisPoints: 100, Own: true}}
	p = NewPricer(terms.Build(), 202603)
	if p.Lines(s.Spot(), []Sum{s}, nil); len(p.Missing()) != 1 {
		t.Errorf("missing %+v", p.Missing())
	}
	terms.Prices = []Price{{"points", "JPY", 20260101, 1_000_000}}
	p = NewPricer(terms.Build(), 202603)
	if lines := p.Lines(s.Spot(), []Sum{s}, nil); len(lines) != 1 || lines[0].Kind != KindFee || lines[0].Debit.Minor != 1000 {
		t.Errorf("%+v", lines)
	}
}

// An amount that does not fit is named, and no other amount stands in its place.
func TestAnAmountThatDoesNotFitIsNamed(t *testing.T) {
	terms := agreed()
	terms.Prices = []Price{{"points", "EUR", 20260101, loyalty.MaxAmount}}
	p := NewPricer(terms.Build(), 202603)
	s := sumAt(a, b, 20260301, loyalty.MaxAmount)
	if lines := p.Lines(s.Spot(), []Sum{s}, nil); len(lines) != 0 {
		t.Errorf("%+v", lines)
	}
	if m := p.Missing(); len(m) != 1 || m[0].What != "overflow" || m[0].Day != 20260301 {
		t.Errorf("%+v", m)
	}
}

func TestMonths(t *testing.T) {
	if m := Month(202612).Next(); m != 202701 || Month(202602).Last() != 20260228 || m.First() != 20270101 || Month(202613).Valid() || Month(0).Valid() {
		t.Error("months are counted wrong")
	}
	if Period(20260315, 202605) != 202605 || Period(20260615, 202605) != 202606 {
		t.Error("a day stands in the wrong month")
	}
}
