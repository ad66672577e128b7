package quarter

import (
	"fmt"
	"time"
)

// Size is how big a quarter is.
type Size struct {
	Seed    uint64    `json:"seed"`
	Start   time.Time `json:"start"` // midnight UTC of the first day
	Stores  int       `json:"stores"`
	Lanes   int       `json:"lanes"` // of each store
	Members int       `json:"members"`
	Days    int       `json:"days"`
	Sales   int       `json:"sales"`  // of a lane on a day, in the mean
	Frauds  int       `json:"frauds"` // how often each kind is planted
}

// Whole is the quarter that `make quarter` plays, Small the one of `make test`.
var (
	Whole = Size{Seed: 1, Start: time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC), Stores: 200, Lanes: 3, Members: 50_000, Days: 90, Sales: 12, Frauds: 8}
	Small = Size{Seed: 1, Start: time.Date(2026, time.January, 27, 0, 0, 0, 0, time.UTC), Stores: 8, Lanes: 2, Members: 150, Days: 9, Sales: 4, Frauds: 1}
)

// leastDays is how long the longest of the planted stories takes.
const leastDays = 9

// lanesApart is how many terminals one set of planted frauds needs for itself.
const lanesApart = 14

// Check refuses a size in which not all stories can happen.
func (s Size) Check() error {
	switch {
	case s.Days < leastDays || s.Members < 20 || s.Sales < 1 || s.Frauds < 1 || s.Lanes < 2:
		return fmt.Errorf("a quarter has %d days or more, 20 members, 2 lanes a store, a sale and a fraud: %+v", leastDays, s)
	case s.Stores < 2 || s.Stores*s.Lanes < s.Frauds*lanesApart+2:
		return fmt.Errorf("%d sets of frauds need %d lanes", s.Frauds, s.Frauds*lanesApart+2)
	}
	return nil
}

// day is midnight UTC of a day by number.
func (s Size) day(n int) time.Time { return s.Start.AddDate(0, 0, n) }

// night is when head office hears of a day: all shops have closed.
func (s Size) night(n int) time.Time { return s.day(n).Add(22 * time.Hour) }
