package match_test

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/server/posbooks/match"
)

const minute = int64(60_000)

var tolerance = match.Tolerance{Time: 5 * time.Minute, Minor: 2}

func theirs(receipt, lane string, at, amount int64) match.Theirs {
	return match.Theirs{Receipt: receipt, Lane: lane, At: at * minute, Timed: true, Kind: match.Sale, Currency: "EUR", Amount: amount, Expected: true}
}

func ours(receipt, lane string, at, amount int64) match.Ours {
	return match.Ours{Receipt: receipt, Lane: lane, At: at * minute, Kind: match.Sale, Currency: "EUR", Amount: amount}
}

// said writes a result as text, each row by its place.
func said(r match.Result) string {
	text := ""
	for _, p := range r.Pairs {
		text += fmt.Sprintf("%d=%d %s", p.Theirs, p.Ours, p.By)
		if p.Differs != 0 {
			text += " (" + p.Differs.String() + fmt.Sprintf(" %d", p.Amount) + ")"
		}
		text += "; "
	}
	return text + fmt.Sprint("here ", r.MissingHere, " there ", r.MissingThere, " outside ", r.Outside, " undone ", r.UndoneTheirs, r.UndoneOurs)
}

func TestRowsFindEachOther(t *testing.T) {
	with := func(r match.Theirs, change func(*match.Theirs)) match.Theirs { change(&r); return r }
	void := match.Ours{Receipt: "7", Lane: "1", At: 12 * minute, Kind: match.Void, Currency: "EUR", Amount: 100, Undoes: 1}
	for _, tc := range []struct {
		name   string
		theirs []match.Theirs
		ours   []match.Ours
		want   string
	}{
		{"by number", []match.Theirs{theirs("7", "1", 0, 100)}, []match.Ours{ours("7", "1", 90, 100)}, "0=0 receipt; here [] there [] outside [] undone [] []"},
		{"a cent off", []match.Theirs{theirs("7", "1", 0, 102)}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 receipt; here [] there [] outside [] undone [] []"},
		{"another amount", []match.Theirs{theirs("7", "1", 0, 130)}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 receipt (amount 30); here [] there [] outside [] undone [] []"},
		{"another currency", []match.Theirs{with(theirs("7", "1", 0, 100), func(r *match.Theirs) { r.Currency = "TRY" })}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 receipt (currency 0); here [] there [] outside [] undone [] []"},
		{"another kind", []match.Theirs{with(theirs("7", "1", 0, 100), func(r *match.Theirs) { r.Kind = match.Return })}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 receipt (kind 0); here [] there [] outside [] undone [] []"},
		{"another lane", []match.Theirs{theirs("7", "2", 0, 100)}, []match.Ours{ours("7", "1", 0, 100)}, "here [0] there [0] outside [] undone [] []"},
		{"a lane that is not said", []match.Theirs{theirs("7", "", 0, 100)}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 receipt; here [] there [] outside [] undone [] []"},
		{"no number", []match.Theirs{theirs("", "1", 3, 100)}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 amount; here [] there [] outside [] undone [] []"},
		{"no number, a cent off", []match.Theirs{theirs("", "1", 3, 99)}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 amount; here [] there [] outside [] undone [] []"},
		{"no number, too late", []match.Theirs{theirs("", "1", 6, 100)}, []match.Ours{ours("7", "1", 0, 100)}, "here [0] there [0] outside [] undone [] []"},
		{"other numbers", []match.Theirs{theirs("8", "1", 3, 100)}, []match.Ours{ours("7", "1", 0, 100)}, "0=0 amount (receipt 0); here [] there [] outside [] undone [] []"},
		{"a number that begins anew at midnight", []match.Theirs{theirs("1", "1", 0, 100), theirs("1", "1", 1000, 100)}, []match.Ours{ours("1", "1", 999, 100), ours("1", "1", 1, 100)}, "0=1 receipt; 1=0 receipt; here [] there [] outside [] undone [] []"},
		{"a number given twice", []match.Theirs{theirs("1", "1", 0, 100), theirs("1", "1", 1, 300)}, []match.Ours{ours("1", "1", 1, 300)}, "1=0 receipt; here [0] there [] outside [] undone [] []"},
		{"the nearer one", []match.Theirs{theirs("", "1", 0, 100), theirs("", "1", 4, 100)}, []match.Ours{ours("", "1", 5, 100)}, "1=0 amount; here [0] there [] outside [] undone [] []"},
		{"nobody expects it", []match.Theirs{with(theirs("7", "1", 0, 100), func(r *match.Theirs) { r.Expected = false })}, nil, "here [] there [] outside [0] undone [] []"},
		{"of two alike the expected one", []match.Theirs{with(theirs("7", "1", 0, 100), func(r *match.Theirs) { r.Expected = false }), theirs("7", "1", 0, 100)}, []match.Ours{ours("7", "1", 0, 100)}, "1=0 receipt; here [] there [] outside [0] undone [] []"},
		{"what was paid", []match.Theirs{with(theirs("", "1", 0, 80), func(r *match.Theirs) { r.Paid = true })}, []match.Ours{{Lane: "1", Kind: match.Sale, Currency: "EUR", Amount: 100, Discount: 20}}, "0=0 amount; here [] there [] outside [] undone [] []"},
		{"a discount of which the books know nothing", []match.Theirs{with(theirs("7", "1", 0, 100), func(r *match.Theirs) { r.HasDiscount = true })}, []match.Ours{{Receipt: "7", Lane: "1", Kind: match.Sale, Currency: "EUR", Amount: 100, Discount: 20}}, "0=0 receipt (discount 0); here [] there [] outside [] undone [] []"},
		{"only a date", []match.Theirs{with(theirs("", "1", 0, 100), func(r *match.Theirs) { r.Timed = false })}, []match.Ours{ours("7", "1", 600, 100)}, "0=0 amount; here [] there [] outside [] undone [] []"},
		{"undone, and the books say nothing", nil, []match.Ours{ours("7", "1", 0, 100), void}, "here [] there [] outside [] undone [] [0 1]"},
		{"undone, and the books say only that", []match.Theirs{with(theirs("7", "1", 0, 100), func(r *match.Theirs) { r.Kind = match.Void })}, []match.Ours{ours("7", "1", 0, 100), void}, "0=1 receipt; here [] there [] outside [] undone [] [0]"},
		{"undone here only", []match.Theirs{theirs("7", "1", 0, 100)}, []match.Ours{ours("7", "1", 0, 100), void}, "0=0 receipt; here [] there [1] outside [] undone [] []"},
		{"undone there, and never here", []match.Theirs{theirs("7", "1", 0, 100), with(theirs("7", "1", 2, 100), func(r *match.Theirs) { r.Kind = match.Void })}, nil, "here [] there [] outside [] undone [0 1] []"},
	} {
		if got := said(match.Match(tc.theirs, tc.ours, tolerance)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]string{"": "", " 007 ": "7", "0": "0", "000": "0", "a 1 b": "A1B", "F-0012": "F-0012"} {
		if got := match.Number(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

// books are two sides with few values, so that numbers, amounts and times come twice.
func books(r *rapid.T) ([]match.Theirs, []match.Ours) {
	receipt := rapid.SampledFrom([]string{"", "1", "2", "3"})
	lane := rapid.SampledFrom([]string{"a", "b"})
	kind := rapid.SampledFrom([]match.Kind{match.Sale, match.Sale, match.Return, match.Void})
	a := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) match.Theirs {
		return match.Theirs{
			Receipt: receipt.Draw(r, "receipt"), Lane: rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, "lane"), At: rapid.Int64Range(0, 20).Draw(r, "at") * minute, Timed: rapid.Bool().Draw(r, "timed"),
			Kind: kind.Draw(r, "kind"), Currency: "EUR", Amount: rapid.Int64Range(0, 9).Draw(r, "amount"), Paid: rapid.Bool().Draw(r, "paid"), Expected: rapid.Bool().Draw(r, "expected"),
		}
	}), 0, 12).Draw(r, "theirs")
	b := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) match.Ours {
		return match.Ours{
			Receipt: receipt.Draw(r, "receipt"), Lane: lane.Draw(r, "lane"), At: rapid.Int64Range(0, 20).Draw(r, "at") * minute, Kind: kind.Draw(r, "kind"), Currency: "EUR",
			Amount: rapid.Int64Range(0, 9).Draw(r, "amount"), Discount: rapid.Int64Range(0, 2).Draw(r, "discount"), Undoes: rapid.IntRange(0, 12).Draw(r, "undoes"),
		}
	}), 0, 12).Draw(r, "ours")
	return a, b
}

// Each row is somewhere, once, and no pair breaks the rules.
func TestEachRowIsSomewhereOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := books(r)
		got := match.Match(a, b, tolerance)
		left, right := slices.Concat(got.MissingHere, got.Outside, got.UndoneTheirs), slices.Concat(got.MissingThere, got.UndoneOurs)
		for _, p := range got.Pairs {
			left, right = append(left, p.Theirs), append(right, p.Ours)
			x, y := a[p.Theirs], b[p.Ours]
			switch {
			case x.Lane != "" && x.Lane != y.Lane:
				r.Fatalf("%+v is of another lane than %+v", x, y)
			case p.By == match.ByReceipt && x.Receipt != y.Receipt:
				r.Fatalf("%+v has another number than %+v", x, y)
			case p.By == match.ByAmount && (x.Kind != y.Kind || p.Amount > tolerance.Minor || p.Amount < -tolerance.Minor || x.Timed && p.Time.Abs() > tolerance.Time):
				r.Fatalf("%+v is too far from %+v: %+v", x, y, p)
			}
		}
		for side, places := range map[string][2][]int{"theirs": {left, upTo(len(a))}, "ours": {right, upTo(len(b))}} {
			if slices.Sort(places[0]); !slices.Equal(places[0], places[1]) {
				r.Fatalf("%s: %v", side, places[0])
			}
		}
	})
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Rows that come in another order give the same result, as far as rows can be told apart.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		a, b := books(r)
		for j := range b {
			b[j].Undoes = 0 // it is a place
		}
		result := func(a []match.Theirs, b []match.Ours) (out []string) {
			r := match.Match(a, b, tolerance)
			for _, p := range r.Pairs {
				out = append(out, fmt.Sprintf("%+v %+v %s", a[p.Theirs], b[p.Ours], p.By))
			}
			for name, places := range map[string][]int{"missing": r.MissingHere, "outside": r.Outside, "undone": r.UndoneTheirs} {
				for _, i := range places {
					out = append(out, fmt.Sprintf("%s %+v", name, a[i]))
				}
			}
			for _, j := range r.MissingThere {
				out = append(out, fmt.Sprintf("not there %+v", b[j]))
			}
			slices.Sort(out)
			return out
		}
		one, other := result(a, b), result(rapid.Permutation(a).Draw(r, "a"), rapid.Permutation(b).Draw(r, "b"))
		if !slices.Equal(one, other) {
			r.Fatalf("%v\n%v", one, other)
		}
	})
}

// The same books on both sides leave nothing over, whatever numbers are missing or twice.
func TestTheSameBooksMatchWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		_, b := books(r)
		a := make([]match.Theirs, len(b))
		for j, o := range b {
			b[j].Undoes = 0
			a[j] = match.Theirs{Receipt: o.Receipt, Lane: o.Lane, At: o.At, Timed: true, Kind: o.Kind, Currency: o.Currency, Amount: o.Amount, Discount: o.Discount, HasDiscount: true, Expected: true}
		}
		got := match.Match(rapid.Permutation(a).Draw(r, "a"), b, match.Tolerance{Time: tolerance.Time})
		if len(got.Pairs) != len(b) {
			r.Fatalf("%s", said(got))
		}
		for _, p := range got.Pairs {
			if p.Differs&^match.FieldDiscount != 0 {
				r.Fatalf("%+v", p)
			}
		}
	})
}

// Of rows with one amount, as many find a partner as there can: held against all ways.
func TestAsManyPairsAsThereCanBe(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 30), 0, 7)
		var a []match.Theirs
		var b []match.Ours
		for _, at := range times.Draw(r, "theirs") {
			a = append(a, theirs("", "1", at, 100))
		}
		for _, at := range times.Draw(r, "ours") {
			b = append(b, ours("", "1", at, 100))
		}
		if got, want := len(match.Match(a, b, match.Tolerance{Time: tolerance.Time}).Pairs), most(a, b, 0); got != want {
			r.Fatalf("%d pairs, there can be %d", got, want)
		}
	})
}

// most tries all ways.
func most(a []match.Theirs, b []match.Ours, used uint) int {
	best := 0
	if len(a) == 0 {
		return bits.OnesCount(used)
	}
	best = most(a[1:], b, used)
	for j, o := range b {
		if d := time.Duration(a[0].At-o.At) * time.Millisecond; used&(1<<j) == 0 && d.Abs() <= tolerance.Time {
			best = max(best, most(a[1:], b, used|1<<j))
		}
	}
	return best
}

func TestTotals(t *testing.T) {
	day := []match.Ours{
		{Lane: "1", Kind: match.Sale, Currency: "EUR", Amount: 1000, Discount: 100},
		{Lane: "2", Kind: match.Sale, Currency: "EUR", Amount: 500},
		{Lane: "2", Kind: match.Return, Currency: "EUR", Amount: 50},
	}
	whole := match.Total{TotalKey: match.TotalKey{Kind: match.Sale, Currency: "EUR"}, Amount: 1500, Count: 3, HasCount: true, HasDiscount: true, Discount: 100}
	lane := match.Total{TotalKey: match.TotalKey{Lane: "1", Kind: match.Sale, Currency: "EUR"}, Amount: 903, Paid: true}
	for _, tc := range []struct {
		theirs []match.Total
		want   string
	}{
		{[]match.Total{whole}, "sale here there count 0 0 1; return here 0 0 0; "},
		{[]match.Total{lane}, "1sale here there amount 3 0 0; 2sale here 0 0 0; 2return here 0 0 0; "},
		{[]match.Total{{TotalKey: match.TotalKey{Kind: match.Sale, Currency: "TRY"}, Amount: 7}}, "sale here 0 0 0; sale there amount 7 0 0; return here 0 0 0; "},
	} {
		got := ""
		for _, p := range match.Totals(tc.theirs, day, tolerance) {
			k := p.Ours.TotalKey
			if p.There {
				k = p.Theirs.TotalKey
			}
			got += k.Lane + k.Kind.String() + " "
			if p.Here {
				got += "here "
			}
			if p.There {
				got += "there "
			}
			if p.Differs != 0 {
				got += p.Differs.String() + " "
			}
			got += fmt.Sprintf("%d %d %d; ", p.Amount, p.Discount, p.Count)
		}
		if got != tc.want {
			t.Errorf("%s, want %s", got, tc.want)
		}
	}
}

// Rows that all look alike are the worst there is; a day of 100,000 takes no longer for it.
func BenchmarkADayThatLooksAlike(b *testing.B) {
	a, o := make([]match.Theirs, 100_000), make([]match.Ours, 100_000)
	for i := range a {
		a[i], o[i] = theirs("1", "1", int64(i%1440), 100), ours("1", "1", int64(i%1440)+2000, 200)
	}
	for b.Loop() {
		match.Match(a, o, tolerance)
	}
}
