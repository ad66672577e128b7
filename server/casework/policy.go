package casework

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/wire"
)

// Policy says until when exceptions should be settled, and which of them take two people.
// Version zero is what holds before any was put in force.
type Policy struct {
	Version uint64    `cbor:"-"`
	Due     []DueRule `cbor:"1,keyasint,omitempty"`
	Limits  []Limit   `cbor:"2,keyasint,omitempty"`
}

// DueRule gives an exception Days days to be settled. An empty Kind is any. With a Unit or
// a Currency it fits those that have more than Above of it.
type DueRule struct {
	Kind     ledger.ExceptionKind `cbor:"1,keyasint,omitempty"`
	Unit     string               `cbor:"2,keyasint,omitempty"`
	Currency string               `cbor:"3,keyasint,omitempty"`
	Above    int64                `cbor:"4,keyasint,omitempty"`
	Days     int                  `cbor:"5,keyasint"`
}

// Limit is up to what one person decides about exceptions of a kind, of any when that is
// empty: Above so much of a unit or in a currency it takes two. A kind with neither takes
// two always.
type Limit struct {
	Kind     ledger.ExceptionKind `cbor:"1,keyasint,omitempty"`
	Unit     string               `cbor:"2,keyasint,omitempty"`
	Currency string               `cbor:"3,keyasint,omitempty"`
	Above    int64                `cbor:"4,keyasint,omitempty"`
}

// DefaultDays is how long there is where the policy says nothing.
const DefaultDays = 14

// Bounds of a policy.
const (
	maxPolicyRows = 100
	maxDays       = 366
	maxAmount     = 1_000_000_000_000
)

// Name is how a policy is named as the reason of a due date.
func (p Policy) Name() string { return "policy " + strconv.FormatUint(p.Version, 10) }

// DueAt is when an exception should be settled: as many days after it came as the shortest
// rule for its kind says that fits it, or, when none does, the shortest one for any kind.
func (p Policy) DueAt(e ledger.Exception) time.Time {
	named, any := 0, 0
	for _, r := range p.Due {
		if !r.fits(e) {
			continue
		}
		best := &any
		if r.Kind != "" {
			best = &named
		}
		if *best == 0 || r.Days < *best {
			*best = r.Days
		}
	}
	days := DefaultDays
	switch {
	case named > 0:
		days = named
	case any > 0:
		days = any
	}
	return entryTime(e.RecordedAt).Add(time.Duration(days) * 24 * time.Hour)
}

func entryTime(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

func (r DueRule) fits(e ledger.Exception) bool {
	switch {
	case r.Kind != "" && r.Kind != e.Kind:
		return false
	case r.Unit != "":
		return r.Unit == e.Unit && size(e.Amount) > r.Above
	case r.Currency != "":
		return r.Currency == e.Currency && size(e.Money) > r.Above
	}
	return true
}

// NeedsTwo tells whether an exception takes two people. Of a unit or a currency the limit
// for the exception's own kind counts before that for any kind.
func (p Policy) NeedsTwo(e ledger.Exception) bool {
	var unit, money struct{ named, any *Limit }
	for i := range p.Limits {
		l := &p.Limits[i]
		if l.Kind != "" && l.Kind != e.Kind {
			continue
		}
		at := &money
		switch {
		case l.Unit == "" && l.Currency == "":
			return true // of this kind always
		case l.Unit != "" && l.Unit == e.Unit:
			at = &unit
		case l.Currency == "" || l.Currency != e.Currency:
			continue
		}
		if l.Kind != "" {
			at.named = l
		} else {
			at.any = l
		}
	}
	above := func(named, any *Limit, n int64) bool {
		if named == nil {
			named = any
		}
		return named != nil && size(n) > named.Above
	}
	return above(unit.named, unit.any, e.Amount) || above(money.named, money.any, e.Money)
}

// size is how much is at stake, whichever way.
func size(n int64) int64 {
	if n < 0 {
		n = -max(n, -math.MaxInt64) // the least int64 has no opposite, and is no small amount
	}
	return n
}

var (
	kindForm = regexp.MustCompile(`^[a-z_]{1,32}$`)
	unitForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// fields collects what is wrong with a setting.
type fields map[string]string

func (f fields) unless(ok bool, pointer, reason string) {
	if !ok {
		f[pointer] = reason
	}
}

func (f fields) err(detail string) error {
	if len(f) == 0 {
		return nil
	}
	return &problem.Error{Code: problem.InvalidField, Detail: detail, Fields: f}
}

// measure checks what is measured in a unit or a currency.
func (f fields) measure(at string, kind ledger.ExceptionKind, unit, money string, above int64) {
	f.unless(kind == "" || kindForm.MatchString(string(kind)), at+"/cause", "is no cause")
	f.unless(unit == "" || unitForm.MatchString(unit), at+"/unit", "is no unit")
	f.unless(money == "" || currency.IsCode(money), at+"/currency", "is no currency")
	f.unless(unit == "" || money == "", at+"/currency", "cannot stand beside a unit")
	f.unless(above >= 0 && above <= maxAmount, at+"/above", "must be 0 to 1000000000000")
	f.unless(above == 0 || unit != "" || money != "", at+"/above", "needs a unit or a currency")
}

// check says why a policy cannot be put in force.
func (p Policy) check() error {
	f := fields{}
	f.unless(len(p.Due) <= maxPolicyRows, "/due", "has more than 100 rows")
	f.unless(len(p.Limits) <= maxPolicyRows, "/limits", "has more than 100 rows")
	for i, r := range p.Due {
		at := "/due/" + strconv.Itoa(i)
		f.measure(at, r.Kind, r.Unit, r.Currency, r.Above)
		f.unless(r.Days >= 1 && r.Days <= maxDays, at+"/days", "must be 1 to 366")
	}
	seen := map[Limit]bool{}
	for i, l := range p.Limits {
		at := "/limits/" + strconv.Itoa(i)
		f.measure(at, l.Kind, l.Unit, l.Currency, l.Above)
		f.unless(l.Kind != "" || l.Unit != "" || l.Currency != "", at, "must name a cause, a unit or a currency")
		key := Limit{Kind: l.Kind, Unit: l.Unit, Currency: l.Currency}
		f.unless(!seen[key], at, "stands there twice")
		seen[key] = true
	}
	return f.err("the policy cannot be put in force")
}

// Policy returns the one in force; the zero one before the first.
func (s *Service) Policy(ctx context.Context) (Policy, error) {
	found, err := s.env.Store.Settings(ctx, SettingPolicy, InForce)
	if err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	if len(found) == 0 {
		return Policy{}, nil
	}
	return found[len(found)-1].Policy()
}

// ProposePolicy proposes a policy; it is in force when somebody else has approved it.
func (s *Service) ProposePolicy(ctx context.Context, by Person, p Policy) (Setting, error) {
	if err := p.check(); err != nil {
		return Setting{}, err
	}
	raw, err := wire.Marshal(p)
	if err != nil {
		return Setting{}, err
	}
	return s.propose(ctx, by, SettingPolicy, 0, raw)
}
