package storeday

import (
	"cmp"
	"slices"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Lane is one journal of a store, as HQ has it, behind what certificates cover.
type Lane struct {
	Writer  journal.Writer
	Name    string
	Covered uint64 // the last entry that a certificate covers; zero is none
	Head    uint64 // the last entry HQ holds
	Applied uint64 // through this one everything is in the ledger, nothing parked or set aside
	// Closes are those behind Covered, in their order.
	Closes []Said
	// Dates says where each later business date begins behind Covered, in the order of
	// entries. It is only needed where no close will come, so of a lane that is Over.
	Dates []Begins
	// Over says why no close of this journal is waited for; empty while one is. Gap is what
	// is not known of a lost one.
	Over Over
	Gap  *Gap
	// Undecided: what a terminal that is shut out delivered waits for a person.
	Undecided bool
	Forked    bool // the journal has other branches
}

// certified says whether the lane has nothing more for any day.
func (l Lane) certified() bool {
	return (l.Over == OverReplaced || l.Over == OverRevoked) && l.Head <= l.Covered
}

// Said is where a close stands in its journal.
type Said struct {
	Seq  uint64
	Date entry.Date
}

// Begins is the first entry of a business date.
type Begins struct {
	Seq  uint64
	Date entry.Date
}

// Over is why a journal closes no more days.
type Over string

// Reasons.
const (
	OverReplaced Over = "replaced" // the terminal has a new journal
	OverRevoked  Over = "revoked"
	OverLost     Over = "lost" // two people have declared it
	OverVirtual  Over = "virtual"
)

// Why a day is not ready, as far as one lane goes.
type Why string

// Reasons to wait.
const (
	WaitClose     Why = "not_closed" // the terminal has not said that the day is over
	WaitApply     Why = "applying"   // its entries are here and not in the ledger yet
	WaitUndecided Why = "undecided"  // somebody must decide about what a terminal that is shut out delivered
	WaitClock     Why = "not_over"   // the date is not over by the store's clock
)

// Waiting is one lane that a day waits for.
type Waiting struct {
	Lane Lane
	Why  Why
}

// Span is what a certificate covers of one journal: from First through Last, which is
// First−1 when that is nothing.
type Span struct {
	Lane        Lane
	First, Last uint64
}

// Stand says what a day covers of each lane, and for whom it waits. A lane that has said
// a later close has nothing more for the day: its journal cannot go back. over says
// whether the date has passed by the store's clock, which is asked of HQ's own lanes, and
// where no lane is in service that could close the date: no day is certified before it has
// come.
func Stand(date entry.Date, over bool, lanes []Lane) (spans []Span, waiting []Waiting) {
	passed := over || closedBy(lanes, date) || slices.ContainsFunc(lanes, func(l Lane) bool { return l.Over == "" })
	for _, l := range lanes {
		last, why := l.through(date, over || passed && l.Over != OverVirtual)
		if why == "" && l.Applied < last {
			why = WaitApply
		}
		if why == "" && l.Undecided {
			why = WaitUndecided
		}
		if why != "" {
			waiting = append(waiting, Waiting{l, why})
		}
		spans = append(spans, Span{l, l.Covered + 1, last})
	}
	return spans, waiting
}

// through is the last entry of a lane that belongs to a day or to one before it.
func (l Lane) through(date entry.Date, over bool) (last uint64, why Why) {
	last, said := l.Covered, false
	for _, c := range l.Closes {
		if c.Date <= date {
			last = c.Seq
		}
		said = said || c.Date >= date
	}
	switch {
	case said:
		return last, ""
	case l.Over == "":
		return last, WaitClose
	case !over:
		return last, WaitClock
	}
	for _, b := range l.Dates {
		if b.Date > date {
			return max(last, b.Seq-1), ""
		}
	}
	return max(last, l.Head), ""
}

func compareWriters(a, b journal.Writer) int {
	return cmp.Or(slices.Compare(a.ID[:], b.ID[:]), cmp.Compare(a.Epoch, b.Epoch))
}
