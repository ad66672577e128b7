package loyalty

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// MostTiers bounds the levels of a programme, MostTierDays the days of a rolling period.
const (
	MostTiers    = 10
	MostTierDays = 1096
)

// Tiers are the levels of a programme: who earns Threshold of Unit within one period is
// of that level. A period is the last Days days, or, when Days is 0, a calendar year.
// A level reached is kept until the end of the period that follows: Days more days, or
// the whole next year. Days begin at midnight of Zone, an IANA time zone.
//
// Levels rise: each threshold is above the one before. No levels are no tiers.
type Tiers struct {
	Version uint64      `cbor:"1,keyasint"`
	Unit    string      `cbor:"2,keyasint"`
	Days    int32       `cbor:"3,keyasint,omitempty"`
	Zone    string      `cbor:"4,keyasint"`
	Levels  []TierLevel `cbor:"5,keyasint,omitempty"`
}

// TierLevel is one level. Key names it for good; Names are what shoppers read, by
// language, and Colour is #rrggbb or empty.
type TierLevel struct {
	Key       string            `cbor:"1,keyasint"`
	Names     map[string]string `cbor:"2,keyasint"`
	Threshold int64             `cbor:"3,keyasint"`
	Colour    string            `cbor:"4,keyasint,omitempty"`
}

// Day is a civil date, as days since 1970-01-01.
type Day int32

// DayOf is the date of a moment (Unix milliseconds) in a zone.
func DayOf(ms int64, zone *time.Location) Day {
	y, m, d := time.UnixMilli(ms).In(zone).Date()
	return date(y, m, d)
}

// Date is midnight of the day in UTC.
func (d Day) Date() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func date(y int, m time.Month, d int) Day {
	return Day(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// EarnedOn is what was earned on a day, less what was taken back of it since.
type EarnedOn struct {
	Day    Day
	Amount int64
}

// Standing is where somebody stands among the tiers. Level and Next are places in
// Levels, −1 for none: below the first level, or at the highest.
type Standing struct {
	Level int
	// KeptUntil is the last day of Level if nothing more is earned; zero when it does not
	// end, and without a level.
	KeptUntil Day
	// Counted is what was earned in the period that runs, Missing what is missing for Next.
	Counted int64
	Next    int
	Missing int64
}

// From is the first day on which what was earned can count for the standing of a day.
func (t Tiers) From(today Day) Day {
	if t.Days == 0 {
		return date(today.Date().Year()-1, time.January, 1)
	}
	return today - 2*Day(t.Days) + 1
}

// Standing is where somebody stands on a day who earned this, in any order. It depends
// on nothing else: what arrives late counts as if it had always been there.
func (t Tiers) Standing(earned []EarnedOn, today Day) Standing {
	sums := summed(earned, today)
	s := Standing{Level: -1, Next: -1, Counted: sums.within(t.Begins(today), today)}
	for i, at := range slices.Backward(t.Levels) {
		until, reached := t.kept(sums, at.Threshold, today)
		if reached {
			s.Level, s.KeptUntil = i, until
			break
		}
	}
	if s.Level+1 < len(t.Levels) {
		s.Next = s.Level + 1
		s.Missing = max(0, t.Levels[s.Next].Threshold-s.Counted)
	}
	return s
}

// Begins is the first day of the period that a day ends, or is in.
func (t Tiers) Begins(d Day) Day {
	if t.Days == 0 {
		return date(d.Date().Year(), time.January, 1)
	}
	return d - Day(t.Days) + 1
}

// kept says whether a level of a threshold is held on a day, and until when if nothing
// more is earned.
func (t Tiers) kept(s sums, threshold int64, today Day) (until Day, held bool) {
	if threshold <= 0 {
		return 0, true
	}
	if t.Days == 0 {
		for _, year := range []int{today.Date().Year(), today.Date().Year() - 1} {
			if s.within(date(year, time.January, 1), date(year, time.December, 31)) >= threshold {
				return date(year+1, time.December, 31), true
			}
		}
		return 0, false
	}
	n := Day(t.Days)
	for _, d := range s.ends(n, today) {
		if s.within(d-n+1, d) >= threshold {
			return d + n, true
		}
	}
	return 0, false
}

// sums are days in their order and what was earned up to each of them.
type sums struct {
	days  []Day
	total []int64
}

func summed(earned []EarnedOn, today Day) sums {
	sorted := slices.Clone(earned)
	slices.SortFunc(sorted, func(a, b EarnedOn) int { return cmp.Compare(a.Day, b.Day) })
	var s sums
	var total int64
	for _, e := range sorted {
		if e.Day > today || e.Amount <= 0 {
			continue
		}
		if total > math.MaxInt64-e.Amount {
			total = math.MaxInt64 // more than any threshold
		} else {
			total += e.Amount
		}
		s.days, s.total = append(s.days, e.Day), append(s.total, total)
	}
	return s
}

// upTo is what was earned until the end of a day.
func (s sums) upTo(d Day) int64 {
	i, _ := slices.BinarySearchFunc(s.days, d, func(day, d Day) int {
		if day <= d {
			return -1
		}
		return 1
	})
	if i == 0 {
		return 0
	}
	return s.total[i-1]
}

func (s sums) within(first, last Day) int64 { return s.upTo(last) - s.upTo(first-1) }

// ends are the last days on which the sum of n days is what it is, from n days ago on,
// the latest first: it changes with each day on which something was earned, and n days
// after it. Those ahead are as they come if nothing more is earned.
func (s sums) ends(n, today Day) []Day {
	out := []Day{today}
	for _, d := range s.days {
		for _, end := range []Day{d - 1, d + n - 1} {
			if end >= today-n {
				out = append(out, end)
			}
		}
	}
	slices.SortFunc(out, func(a, b Day) int { return cmp.Compare(b, a) })
	return slices.Compact(out)
}
