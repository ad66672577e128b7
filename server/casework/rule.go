package casework

import (
	"context"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/wire"
)

// Outcome is what a rule does about an exception that it fits.
type Outcome string

// Outcomes. None of them touches the ledger.
const (
	OutcomeSettle Outcome = "settle"
	OutcomeAssign Outcome = "assign"
	OutcomeDue    Outcome = "due"
)

// Rule does the routine part of the work on exceptions of one kind that no person has
// touched. It fits those of a Store and an Attribution (zero: any), with at most UpTo of a
// Unit or in a Currency (with neither: those that are about no amount), that came OlderDays
// ago or earlier. DailyCap bounds what it settles on one day in UTC: so much of the unit or
// the currency, or, with neither, so many exceptions.
type Rule struct {
	Number      uint64               `cbor:"-"`
	Version     uint64               `cbor:"-"`
	Name        string               `cbor:"1,keyasint"`
	Kind        ledger.ExceptionKind `cbor:"2,keyasint"`
	Store       uuid.UUID            `cbor:"3,keyasint,omitzero"`
	Attribution loyalty.LossCause    `cbor:"4,keyasint,omitempty"`
	Unit        string               `cbor:"5,keyasint,omitempty"`
	Currency    string               `cbor:"6,keyasint,omitempty"`
	UpTo        int64                `cbor:"7,keyasint,omitempty"`
	OlderDays   int                  `cbor:"8,keyasint,omitempty"`
	Outcome     Outcome              `cbor:"9,keyasint"`
	Resolution  Resolution           `cbor:"10,keyasint,omitempty"` // to settle
	Text        string               `cbor:"11,keyasint"`           // the reason, in words
	Person      uuid.UUID            `cbor:"12,keyasint,omitzero"`  // to assign
	DueDays     int                  `cbor:"13,keyasint,omitempty"` // after it came; to set when it is due
	DailyCap    int64                `cbor:"14,keyasint,omitempty"` // to settle
}

// Title names a rule where it did something.
func (r Rule) Title() string {
	return "rule " + strconv.FormatUint(r.Number, 10) + " v" + strconv.FormatUint(r.Version, 10)
}

// Filter is what a rule fits at a time.
func (r Rule) Filter(now time.Time) Filter {
	f := Filter{
		Kind: r.Kind, Store: r.Store, Attribution: r.Attribution, Unit: r.Unit, Currency: r.Currency, UpTo: r.UpTo,
		Nothing: r.Unit == "" && r.Currency == "", Before: now.AddDate(0, 0, -r.OlderDays), Untouched: true,
	}
	f.Unowned = r.Outcome == OutcomeAssign
	f.ByPolicy = r.Outcome == OutcomeDue
	return f
}

// weight is how much of the cap an exception takes.
func (r Rule) weight(e ledger.Exception) int64 {
	switch {
	case r.Unit != "":
		return size(e.Amount)
	case r.Currency != "":
		return size(e.Money)
	}
	return 1
}

// neverByRule are kinds that a rule must not settle: facts that wait in suspense, which
// settling would leave there unseen, and those that accuse somebody or something.
var neverByRule = []ledger.ExceptionKind{
	ledger.Unproven, ledger.EarningDiffers, ledger.UnitUnknown, ledger.UnknownMember, ledger.Fork, ledger.TerminalLost, ledger.TerminalAdopted,
	ledger.HQFactsLost, ledger.FactSetAside,
}

// check says why a rule cannot be put in force.
func (r Rule) check() error {
	f := fields{}
	f.unless(r.Kind != "", "/cause", "is needed")
	f.measure("", r.Kind, r.Unit, r.Currency, 0)
	n := utf8.RuneCountInString(r.Name)
	f.unless(n >= 1 && n <= 80 && utf8.ValidString(r.Name) && !slices.ContainsFunc([]rune(r.Name), unicode.IsControl), "/name", "must have 1 to 80 characters")
	measured := r.Unit != "" || r.Currency != ""
	f.unless(r.UpTo >= 0 && r.UpTo <= maxAmount && (r.UpTo == 0) == !measured, "/up_to", "is needed with a unit or a currency, and only then")
	f.unless(r.Attribution == "" || kindForm.MatchString(string(r.Attribution)), "/attribution", "is not known")
	f.unless(r.OlderDays >= 0 && r.OlderDays <= maxDays, "/older_days", "must be 0 to 366")
	_, err := readText(r.Text)
	f.unless(err == nil, "/text", "must have 1 to 1000 characters")
	switch r.Outcome {
	case OutcomeSettle:
		f.unless(r.Resolution.Known(), "/resolution", badResolution)
		f.unless(!slices.Contains(neverByRule, r.Kind), "/cause", "is for people to settle")
		f.unless(r.DailyCap >= 1 && r.DailyCap <= maxAmount, "/daily_cap", "must be 1 to 1000000000000")
	case OutcomeAssign:
		f.unless(r.Person != uuid.Nil, "/person", "is needed")
	case OutcomeDue:
		f.unless(r.DueDays >= 1 && r.DueDays <= maxDays, "/due_days", "must be 1 to 366")
	default:
		f.unless(false, "/outcome", "must be settle, assign or due")
	}
	f.unless(r.Outcome == OutcomeSettle || r.Resolution == "" && r.DailyCap == 0, "/outcome", "takes neither a resolution nor a cap")
	f.unless(r.Outcome == OutcomeAssign || r.Person == uuid.Nil, "/person", "is only to assign")
	f.unless(r.Outcome == OutcomeDue || r.DueDays == 0, "/due_days", "is only to set when it is due")
	return f.err("the rule cannot be put in force")
}

// ProposeRule proposes a rule, or with the number of one its next version; it is in force
// when somebody else has approved it.
func (s *Service) ProposeRule(ctx context.Context, by Person, r Rule) (Setting, error) {
	if err := s.ruleOK(ctx, r); err != nil {
		return Setting{}, err
	}
	raw, err := wire.Marshal(r)
	if err != nil {
		return Setting{}, err
	}
	return s.propose(ctx, by, SettingRule, r.Number, raw)
}

func (s *Service) ruleOK(ctx context.Context, r Rule) error {
	if err := r.check(); err != nil {
		return err
	}
	_, err := s.assignee(ctx, r.Person)
	return err
}

// TryRule says what a rule would do now, without doing it. Its cap is left out of account.
func (s *Service) TryRule(ctx context.Context, r Rule) (Trial, error) {
	if err := s.ruleOK(ctx, r); err != nil {
		return Trial{}, err
	}
	left, err := s.leftOut(ctx, r.Outcome)
	if err != nil {
		return Trial{}, err
	}
	return s.try(ctx, r.Filter(s.now()), left)
}
