package programme

import (
	"context"
	"strconv"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
)

// Bounds of the catalogue of units.
const (
	maxUnits    = 50
	maxDecimals = 6
)

// KnowsUnit tells whether the catalogue in force has a unit.
func (p *Programme) KnowsUnit(ctx context.Context, unit string) (bool, error) {
	rules, err := p.CurrentRuleSet(ctx)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return false, err
	}
	_, known := rules.Unit(unit)
	return known, nil
}

// needUnit refuses a unit that the catalogue in force does not have. Before the
// first rule set there is no catalogue to hold it against.
func (p *Programme) needUnit(ctx context.Context, pointer, unit string) error {
	rules, err := p.CurrentRuleSet(ctx)
	switch _, known := rules.Unit(unit); {
	case problem.CodeOf(err) == problem.NotFound || err == nil && known:
		return nil
	case err != nil:
		return err
	}
	return &problem.Error{
		Code: problem.UnitUnknown, Detail: "the catalogue in force has no unit " + unit,
		Fields: map[string]string{pointer: "is not in the catalogue of units"},
	}
}

// units checks the catalogue of a rule set by itself.
func (r refusal) units(units []loyalty.Unit) {
	r.unless(len(units) <= maxUnits, "/units", "has more than "+strconv.Itoa(maxUnits)+" units")
	seen := map[string]bool{}
	for i, u := range units {
		at := "/units/" + strconv.Itoa(i)
		r.newUnit(at+"/name", u.Name)
		r.unless(!seen[u.Name], at+"/name", "is there twice")
		seen[u.Name] = true
		r.unless(u.Kind <= loyalty.UnitCredit, at+"/kind", "is not known")
		r.between(at+"/decimals", int64(u.Decimals), 0, maxDecimals)
		r.unless(u.Kind != loyalty.UnitStamps || u.Decimals == 0, at+"/decimals", "must be zero: stamps are whole")
	}
}

// grown is the catalogue of new rules: what they say, or, when they say nothing, the
// one in force with the units that only they earn. A unit that is there stays as it
// is: amounts that are booked must keep their meaning. What breaks that is
// problem.UnitMismatch, a rule that earns what the catalogue has not
// problem.UnitUnknown.
func grown(old, rules loyalty.RuleSet) ([]loyalty.Unit, error) {
	was := listed(old)
	units := rules.Units
	if len(units) == 0 {
		units = listed(loyalty.RuleSet{Units: was, Earn: rules.Earn})
	}
	now := loyalty.RuleSet{Units: units}
	for _, u := range was {
		n, known := now.Unit(u.Name)
		switch {
		case !known:
			return nil, mismatch("/units", u.Name+" is in the catalogue in force and must stay")
		case n != u:
			return nil, mismatch("/units", u.Name+" must stay what it is: kind and decimals cannot change")
		}
	}
	for i, e := range rules.Earn {
		if _, known := now.Unit(e.Unit); !known {
			return nil, &problem.Error{
				Code: problem.UnitUnknown, Detail: "the catalogue of units has no " + e.Unit,
				Fields: map[string]string{"/earn/" + strconv.Itoa(i) + "/unit": "is not in the catalogue of units"},
			}
		}
	}
	return units, nil
}

// listed is a catalogue with the units that only rules name.
func listed(rules loyalty.RuleSet) []loyalty.Unit {
	out := append([]loyalty.Unit(nil), rules.Units...)
	for _, e := range rules.Earn {
		if _, known := (loyalty.RuleSet{Units: out}).Unit(e.Unit); !known {
			out = append(out, loyalty.Unit{Name: e.Unit})
		}
	}
	return out
}

func mismatch(pointer, reason string) error {
	return &problem.Error{
		Code: problem.UnitMismatch, Detail: "the units in use cannot change so", Fields: map[string]string{pointer: reason},
	}
}
