package till

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tallystick/tallystick/sync/entry"
)

// What was earned on one line goes with that line alone.
func TestEarningsOfALineGoWithTheLine(t *testing.T) {
	left := newRemains(entry.Sale{
		Total:  entry.Money{Currency: "EUR", Minor: 300},
		Lines:  []entry.Line{{No: 1, Quantity: 2, Amount: 100}, {No: 2, Quantity: 1, Amount: 200}},
		Earned: []entry.Earning{{Unit: "points", Amount: 7, Line: 1, VestsAt: 5}, {Unit: "stamps", Amount: 3, Line: 2}},
	})
	for _, c := range []struct {
		back returned
		want []amount
	}{
		{returned{Lines: []entry.ReturnLine{{No: 1, Quantity: 1}}}, []amount{{Unit: "points", Amount: -4, VestsAt: 5}}},
		{returned{Lines: []entry.ReturnLine{{No: 1, Quantity: 1}}}, []amount{{Unit: "points", Amount: -3, VestsAt: 5}}},
		{returned{Lines: []entry.ReturnLine{{No: 2, Quantity: 1}}, Whole: true}, []amount{{Unit: "stamps", Amount: -3}}},
	} {
		if diff := cmp.Diff(c.want, left.takeBack(c.back)); diff != "" {
			t.Error(diff)
		}
		left.apply(c.back)
	}
}

// Lines that share a number are one, however much they are.
func TestRemainsOfHugeLines(t *testing.T) {
	line := entry.Line{No: 1, Quantity: math.MaxInt64, Amount: 1<<53 - 1}
	left := newRemains(entry.Sale{Total: entry.Money{Minor: 1<<53 - 1}, Lines: []entry.Line{line, {No: 1, Quantity: math.MaxInt64, Amount: 1}}})
	back, err := left.take(Return{Lines: []ReturnLine{{No: 1, Quantity: math.MaxInt64/2 + 1}}})
	if err != nil || back.Whole || back.Lines[0].Amount != 1<<52 {
		t.Fatalf("%+v, %v", back, err)
	}
	left.apply(back)
	if rest, err := left.take(Return{}); err != nil || !rest.Whole || rest.Lines[0].Quantity != math.MaxInt64/2 {
		t.Errorf("%+v, %v", rest, err)
	}
}

func TestPortion(t *testing.T) {
	for _, c := range [][4]int64{
		{10, 1, 3, 3},
		{10, 3, 3, 10},
		{10, 4, 3, 10},
		{10, -1, 3, 0},
		{10, 1, 0, 0},
		{0, 1, 3, 0},
		{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64, math.MaxInt64 - 1},
	} {
		if got := portion(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%d × %d ÷ %d is %d, want %d", c[0], c[1], c[2], got, c[3])
		}
	}
}
