package loyalty_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
)

func dayOf(text string) loyalty.Day {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return loyalty.DayOf(at.UnixMilli(), time.UTC)
}

var twoLevels = []loyalty.TierLevel{{Key: "silver", Threshold: 100}, {Key: "gold", Threshold: 300}}

func TestATierIsReachedAndKept(t *testing.T) {
	year := loyalty.Tiers{Levels: twoLevels}
	rolling := loyalty.Tiers{Days: 30, Levels: twoLevels}
	based := loyalty.Tiers{Days: 30, Levels: append([]loyalty.TierLevel{{Key: "base"}}, twoLevels...)}
	spring := []loyalty.EarnedOn{{Day: dayOf("2026-03-01"), Amount: 60}, {Day: dayOf("2026-03-20"), Amount: 60}}
	for name, c := range map[string]struct {
		tiers  loyalty.Tiers
		earned []loyalty.EarnedOn
		on     string
		want   loyalty.Standing
	}{
		"nothing earned":          {rolling, nil, "2026-03-01", loyalty.Standing{Level: -1, Next: 0, Missing: 100}},
		"no tiers":                {loyalty.Tiers{Days: 30}, spring, "2026-03-20", loyalty.Standing{Level: -1, Next: -1, Counted: 120}},
		"a level for all":         {based, nil, "2026-03-01", loyalty.Standing{Level: 0, Next: 1, Missing: 100}},
		"not yet":                 {rolling, spring, "2026-03-19", loyalty.Standing{Level: -1, Next: 0, Counted: 60, Missing: 40}},
		"reached":                 {rolling, spring, "2026-03-20", loyalty.Standing{Level: 0, KeptUntil: dayOf("2026-04-29"), Next: 1, Counted: 120, Missing: 180}},
		"the first drops out":     {rolling, spring, "2026-03-31", loyalty.Standing{Level: 0, KeptUntil: dayOf("2026-04-29"), Next: 1, Counted: 60, Missing: 240}},
		"the last day":            {rolling, spring, "2026-04-29", loyalty.Standing{Level: 0, KeptUntil: dayOf("2026-04-29"), Next: 1, Missing: 300}},
		"the day after":           {rolling, spring, "2026-04-30", loyalty.Standing{Level: -1, Next: 0, Missing: 100}},
		"in the year":             {year, spring, "2026-12-31", loyalty.Standing{Level: 0, KeptUntil: dayOf("2027-12-31"), Next: 1, Counted: 120, Missing: 180}},
		"in the year after":       {year, spring, "2027-12-31", loyalty.Standing{Level: 0, KeptUntil: dayOf("2027-12-31"), Next: 1, Missing: 300}},
		"two years after":         {year, spring, "2028-01-01", loyalty.Standing{Level: -1, Next: 0, Missing: 100}},
		"two halves of two years": {year, []loyalty.EarnedOn{{Day: dayOf("2026-12-31"), Amount: 60}, {Day: dayOf("2027-01-01"), Amount: 60}}, "2027-01-01", loyalty.Standing{Level: -1, Next: 0, Counted: 60, Missing: 40}},
		"more than there is":      {rolling, []loyalty.EarnedOn{{Day: dayOf("2026-03-01"), Amount: math.MaxInt64}, {Day: dayOf("2026-03-01"), Amount: 5}}, "2026-03-01", loyalty.Standing{Level: 1, KeptUntil: dayOf("2026-04-29"), Next: -1, Counted: math.MaxInt64}},
	} {
		if got := c.tiers.Standing(c.earned, dayOf(c.on)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// A day begins at midnight of the programme's zone: a New Year's Eve of Istanbul is
// over when that of UTC is not.
func TestADayIsOfTheZone(t *testing.T) {
	istanbul, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 12, 31, 22, 30, 0, 0, time.UTC).UnixMilli()
	if got := loyalty.DayOf(late, istanbul); got != dayOf("2027-01-01") {
		t.Errorf("in Istanbul it is %s", got.Date())
	}
	if got := loyalty.DayOf(late, time.UTC); got != dayOf("2026-12-31") {
		t.Errorf("in UTC it is %s", got.Date())
	}
}

// drawn are tiers and what somebody earned around a day.
func drawn(t *rapid.T) (loyalty.Tiers, []loyalty.EarnedOn, loyalty.Day) {
	tiers := loyalty.Tiers{Days: rapid.SampledFrom([]int32{0, 1, 2, 7, 30}).Draw(t, "days")}
	at := rapid.Int64Range(0, 20).Draw(t, "first")
	for range rapid.IntRange(1, 4).Draw(t, "levels") {
		tiers.Levels = append(tiers.Levels, loyalty.TierLevel{Threshold: at})
		at += rapid.Int64Range(1, 60).Draw(t, "step")
	}
	today := dayOf("2026-12-30") + loyalty.Day(rapid.IntRange(0, 400).Draw(t, "today"))
	back := 3 * max(int(tiers.Days), 1)
	if tiers.Days == 0 {
		back = 900
	}
	earned := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) loyalty.EarnedOn {
		return loyalty.EarnedOn{Day: today - loyalty.Day(rapid.IntRange(-3, back).Draw(t, "ago")), Amount: rapid.Int64Range(0, 50).Draw(t, "amount")}
	}), 0, 12).Draw(t, "earned")
	return tiers, earned, today
}

// slow finds the level day by day, as the rule is told.
func slow(t loyalty.Tiers, earned []loyalty.EarnedOn, today loyalty.Day) int {
	sum := func(first, last loyalty.Day) (n int64) {
		for _, e := range earned {
			if e.Day >= first && e.Day <= min(last, today) {
				n += e.Amount
			}
		}
		return n
	}
	level := -1
	for i, l := range t.Levels {
		if t.Days > 0 {
			for d := today - loyalty.Day(t.Days); d <= today; d++ {
				if sum(d-loyalty.Day(t.Days)+1, d) >= l.Threshold {
					level = i
				}
			}
			continue
		}
		for _, y := range []int{today.Date().Year(), today.Date().Year() - 1} {
			first := loyalty.DayOf(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), time.UTC)
			last := loyalty.DayOf(time.Date(y, 12, 31, 0, 0, 0, 0, time.UTC).UnixMilli(), time.UTC)
			if sum(first, last) >= l.Threshold {
				level = i
			}
		}
	}
	return level
}

func TestATierIsWhatTheRuleSaysDayByDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiers, earned, today := drawn(t)
		if got, want := tiers.Standing(earned, today).Level, slow(tiers, earned, today); got != want {
			t.Fatalf("level %d, want %d", got, want)
		}
	})
}

// What arrives late counts as if it had always been there, and what is older than From
// counts for nothing.
func TestG8_ATierIsAFunctionOfWhatWasEarnedWhen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiers, earned, today := drawn(t)
		want := tiers.Standing(earned, today)
		if got := tiers.Standing(rapid.Permutation(earned).Draw(t, "arrived"), today); got != want {
			t.Fatalf("arrived otherwise: %+v, want %+v", got, want)
		}
		old := slices.DeleteFunc(slices.Clone(earned), func(e loyalty.EarnedOn) bool { return e.Day < tiers.From(today) })
		if got := tiers.Standing(old, today); got != want {
			t.Fatalf("without what is too old: %+v, want %+v", got, want)
		}
	})
}

// More earned never lowers a standing, and less never lifts it.
func TestEarningMoreNeverLowersATier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiers, earned, today := drawn(t)
		was := tiers.Standing(earned, today)
		more := append(slices.Clone(earned), loyalty.EarnedOn{Day: today - loyalty.Day(rapid.IntRange(0, 40).Draw(t, "ago")), Amount: rapid.Int64Range(1, 50).Draw(t, "more")})
		is := tiers.Standing(more, today)
		if is.Level < was.Level || is.Level == was.Level && is.KeptUntil < was.KeptUntil || is.Counted < was.Counted {
			t.Fatalf("%+v became %+v", was, is)
		}
	})
}

// Who earns nothing more holds the tier on its last day and not on the next; who earns
// today what is missing has the next tier.
func TestATierEndsWhenItSaysAndWhatIsMissingIsEnough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiers, earned, today := drawn(t)
		earned = slices.DeleteFunc(earned, func(e loyalty.EarnedOn) bool { return e.Day > today })
		s := tiers.Standing(earned, today)
		if s.KeptUntil != 0 {
			if s.KeptUntil < today {
				t.Fatalf("ended before today: %+v", s)
			}
			if last := tiers.Standing(earned, s.KeptUntil); last.Level != s.Level {
				t.Fatalf("on its last day %d: %+v, was %+v", s.KeptUntil, last, s)
			}
			if after := tiers.Standing(earned, s.KeptUntil+1); after.Level >= s.Level {
				t.Fatalf("after its last day: %+v, was %+v", after, s)
			}
		}
		if s.Next >= 0 {
			enough := tiers.Standing(append(earned, loyalty.EarnedOn{Day: today, Amount: s.Missing}), today)
			if enough.Level < s.Next {
				t.Fatalf("with what was missing: %+v, was %+v", enough, s)
			}
			if s.Missing > 1 {
				if less := tiers.Standing(append(earned, loyalty.EarnedOn{Day: today, Amount: s.Missing - 1}), today); less.Level != s.Level {
					t.Fatalf("with less than was missing: %+v, was %+v", less, s)
				}
			}
		}
	})
}
