package casework

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
)

// Filter says which unsettled exceptions are meant. Zero fields are any. Those about which
// a proposal waits are never meant.
type Filter struct {
	Kind        ledger.ExceptionKind
	Store       uuid.UUID
	Terminal    uuid.UUID
	Attribution loyalty.LossCause
	Liable      string
	// With a Unit or a Currency, UpTo is how much of it there may be; zero is any. Nothing
	// means those only that are about no amount.
	Unit     string
	Currency string
	UpTo     int64
	Nothing  bool
	Owner    uuid.UUID
	Unowned  bool
	Overdue  bool
	// Before is when they came at the latest.
	Before time.Time
	// Untouched are those that no person worked on, ByPolicy those that are due when the
	// policy said.
	Untouched bool
	ByPolicy  bool
}

// Matches tells whether a filter means an exception at a time.
func (f Filter) Matches(e ledger.Exception, c Case, now time.Time) bool {
	switch {
	case !e.Unsettled() || c.Resolution != Unresolved || c.Proposal != uuid.Nil,
		f.Kind != "" && f.Kind != e.Kind,
		f.Store != uuid.Nil && f.Store != e.Store,
		f.Terminal != uuid.Nil && f.Terminal != e.Terminal,
		f.Attribution != "" && f.Attribution != e.Attribution,
		f.Liable != "" && f.Liable != (Work{Exception: e, Case: c}).Liable(),
		f.Owner != uuid.Nil && f.Owner != c.Owner,
		f.Unowned && c.Owner != uuid.Nil,
		f.Overdue && (c.DueAt.IsZero() || !c.DueAt.Before(now)),
		!f.Before.IsZero() && e.RecordedAt > f.Before.UnixMilli(),
		f.Untouched && c.ByHand,
		f.ByPolicy && c.DueBy != "" && !strings.HasPrefix(c.DueBy, "policy"):
		return false
	}
	return f.fits(e)
}

// fits tells whether the amount is one that is meant.
func (f Filter) fits(e ledger.Exception) bool {
	switch {
	case f.Nothing:
		return (e.Unit == "" || e.Amount == 0) && (e.Currency == "" || e.Money == 0)
	case f.Unit != "":
		return f.Unit == e.Unit && (f.UpTo == 0 || size(e.Amount) <= f.UpTo)
	case f.Currency != "":
		return f.Currency == e.Currency && (f.UpTo == 0 || size(e.Money) <= f.UpTo)
	}
	return true
}
