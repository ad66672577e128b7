package programme

import (
	"context"

	"github.com/tallystick/tallystick/internal/problem"
)

// KnowsUnit tells whether the rules or the caps in force name a unit.
func (p *Programme) KnowsUnit(ctx context.Context, unit string) (bool, error) {
	rules, err := p.CurrentRuleSet(ctx)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return false, err
	}
	for _, e := range rules.Earn {
		if e.Unit == unit {
			return true, nil
		}
	}
	caps, err := p.CurrentPolicy(ctx)
	if err != nil && problem.CodeOf(err) != problem.NotFound {
		return false, err
	}
	return unit != "" && caps.Unit == unit, nil
}
