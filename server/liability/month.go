package liability

import (
	"fmt"
	"time"

	"github.com/tallystick/tallystick/server/ledger"
)

// Month is a calendar month in UTC: twelve times the year, and the months of it that have
// passed. Of lots it may also be one of the ledger's words that are no month.
type Month int32

// MonthAt is the month of a day.
func MonthAt(d Day) Month { return Month(ledger.MonthOf(d.start())) }

// String is YYYY-MM, "never" or "rolling", and empty of what has no lot.
func (m Month) String() string {
	switch int32(m) {
	case ledger.NoLot:
		return ""
	case ledger.Never:
		return "never"
	case ledger.Rolling:
		return "rolling"
	}
	return fmt.Sprintf("%04d-%02d", m/12, m%12+1)
}

// ParseExpiry reads what String writes of a bucket; empty is none.
func ParseExpiry(text string) (Month, error) {
	switch text {
	case "":
		return 0, nil
	case "never":
		return Month(ledger.Never), nil
	case "rolling":
		return Month(ledger.Rolling), nil
	}
	return ParseMonth(text)
}

// ParseMonth reads YYYY-MM.
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return 0, fmt.Errorf("read month: %w", err)
	}
	return Month(ledger.MonthOf(t.UnixMilli())), nil
}

// calendar says whether it is a month of the calendar.
func (m Month) calendar() bool { return m > 0 }

// first is the first day of a month.
func (m Month) first() Day { return (m - 1).last() + 1 }

// last is the last day of a month.
func (m Month) last() Day {
	return Day(ledger.DayOf(time.Date(int(m)/12, time.Month(m%12)+2, 1, 0, 0, 0, 0, time.UTC).UnixMilli())) - 1
}

// Day is a day in UTC: the days since 1970.
type Day int32

// DayAt is the day of a time.
func DayAt(t time.Time) Day { return Day(ledger.DayOf(t.UnixMilli())) }

// ParseDay reads YYYY-MM-DD.
func ParseDay(text string) (Day, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("read day: %w", err)
	}
	return DayAt(t), nil
}

// String is YYYY-MM-DD.
func (d Day) String() string { return time.UnixMilli(d.start()).UTC().Format(time.DateOnly) }

// Time is its first moment.
func (d Day) Time() time.Time { return time.UnixMilli(d.start()).UTC() }

func (d Day) start() int64 { return int64(d) * (24 * time.Hour).Milliseconds() }
