package doctor

import (
	"math"
	"time"
)

// alertDays are the days before a certificate's end at which it is spoken of.
var alertDays = []int{60, 30, 7}

const day = 24 * time.Hour

// daysLeft counts whole days until a time; below zero it is past.
func daysLeft(now, end time.Time) int { return int(math.Floor(float64(end.Sub(now)) / float64(day))) }

// Due returns the alert that is due for a certificate that ends at end: 60, 30 or 7
// when so many days or fewer are left, 0 when it is past, and -1 when none is.
func Due(now, end time.Time) int {
	if !now.Before(end) {
		return 0
	}
	due := -1
	for _, d := range alertDays {
		if end.Sub(now) <= time.Duration(d)*day {
			due = d
		}
	}
	return due
}

// Expiry looks at the days of a certificate. name says which.
func Expiry(now time.Time, name string, from, end time.Time) Finding {
	date := end.UTC().Format(time.DateOnly)
	switch due := Due(now, end); {
	case now.Before(from):
		return find(AppleExpiry, Error, "%s is good only from %s on", name, from.UTC().Format(time.DateOnly))
	case due == 0:
		return find(AppleExpiry, Error, "%s has expired on %s", name, date)
	case due == 7:
		return find(AppleExpiry, Error, "%s expires in %d days, on %s", name, daysLeft(now, end), date)
	case due > 0:
		return find(AppleExpiry, Warn, "%s expires in %d days, on %s", name, daysLeft(now, end), date)
	}
	return find(AppleExpiry, OK, "%s is good until %s, for %d days", name, date, daysLeft(now, end))
}
