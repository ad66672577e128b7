package programme

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Which of the two versioned records a row is of.
const (
	KindRuleSet = "rule_set"
	KindPolicy  = "policy"
)

// maxEarnRules bounds a rule set, so that a sale is decided in bounded time.
const maxEarnRules = 50

// CurrentRuleSet returns the rule set in force; problem.NotFound before the first.
func (p *Programme) CurrentRuleSet(ctx context.Context) (loyalty.RuleSet, error) {
	return latest[loyalty.RuleSet](ctx, p, KindRuleSet)
}

// CurrentPolicy returns the caps in force; problem.NotFound before the first.
func (p *Programme) CurrentPolicy(ctx context.Context) (loyalty.Policy, error) {
	return latest[loyalty.Policy](ctx, p, KindPolicy)
}

// PutRuleSet puts a new version of the rules in force. The version and the
// programme of the argument are ignored; without units the catalogue in force stays.
func (p *Programme) PutRuleSet(ctx context.Context, by uuid.UUID, rules loyalty.RuleSet) (loyalty.RuleSet, error) {
	r := refusal{}
	r.currency("/currency", rules.Currency)
	r.unless(len(rules.Earn) <= maxEarnRules, "/earn", "has more than "+strconv.Itoa(maxEarnRules)+" rules")
	for i, e := range rules.Earn {
		at := "/earn/" + strconv.Itoa(i)
		r.newUnit(at+"/unit", e.Unit)
		r.between(at+"/points", e.Points, 1, Most)
		r.between(at+"/per", e.Per, 1, Most)
		r.text(at+"/category", e.Category, 0, 64)
		r.between(at+"/vest_days", int64(e.VestDays), 0, 3660)
		r.between(at+"/expire_months", int64(e.ExpireMonths), 0, 1200)
		r.between(at+"/roll_days", int64(e.RollDays), 0, 3660)
		r.between(at+"/expire_on", e.ExpireOn, 0, loyalty.MaxAmount)
		r.unless(e.Rounding <= loyalty.RoundHalfEven, at+"/rounding", "is not known")
	}
	r.units(rules.Units)
	if err := r.err("the rule set cannot be put in force"); err != nil {
		return loyalty.RuleSet{}, err
	}
	rules.Programme = p.env.HQ
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		old, err := p.CurrentRuleSet(ctx)
		if err != nil && problem.CodeOf(err) != problem.NotFound {
			return err
		}
		next := rules
		if next.Units, err = grown(old, rules); err != nil {
			return err
		}
		return p.putVersion(ctx, by, KindRuleSet, entry.KindHQRuleSet, wire.ItemRuleSet, func(version uint64) any {
			next.Version = version
			rules = next
			return next
		})
	})
	if err != nil {
		return loyalty.RuleSet{}, fmt.Errorf("put rule set: %w", err)
	}
	return rules, nil
}

// PutPolicy puts new caps in force. The version of the argument is ignored.
func (p *Programme) PutPolicy(ctx context.Context, by uuid.UUID, caps loyalty.Policy) (loyalty.Policy, error) {
	if err := p.CheckPolicy(ctx, caps); err != nil {
		return loyalty.Policy{}, err
	}
	err := p.putVersion(ctx, by, KindPolicy, entry.KindHQPolicy, wire.ItemPolicy, func(version uint64) any {
		caps.Version = version
		return caps
	})
	if err != nil {
		return loyalty.Policy{}, fmt.Errorf("put policy: %w", err)
	}
	return caps, nil
}

// CheckPolicy says why PutPolicy would refuse a policy.
func (p *Programme) CheckPolicy(ctx context.Context, caps loyalty.Policy) error {
	r := refusal{}
	r.policy(caps)
	if err := r.err("the policy cannot be put in force"); err != nil {
		return err
	}
	return p.needUnit(ctx, "/unit", caps.Unit)
}

func latest[T any](ctx context.Context, p *Programme, kind string) (T, error) {
	var none T
	_, raw, err := p.env.Keeper.LatestVersion(ctx, kind)
	if err != nil {
		return none, err
	}
	return wire.Unmarshal[T](raw)
}

// putVersion writes the next version of a record and tells all stores. Two at once
// contend for the version's key, and the later one is problem.Conflict.
func (p *Programme) putVersion(ctx context.Context, by uuid.UUID, name string, kind entry.Kind, item wire.ItemKind, build func(version uint64) any) error {
	return p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		last, _, err := p.env.Keeper.LatestVersion(ctx, name)
		if err != nil && problem.CodeOf(err) != problem.NotFound {
			return err
		}
		raw, err := wire.Marshal(build(last + 1))
		if err != nil {
			return err
		}
		if err := p.env.Keeper.AddVersion(ctx, name, last+1, raw, by, p.now()); err != nil {
			return err
		}
		return p.record(ctx, kind, by, wire.Item{Kind: item, ID: p.env.HQ, Version: last + 1, Body: raw})
	})
}

// PublishedRules gives the rule sets and policies ever put in force, for the re-check of
// sales.
type PublishedRules struct{ Keeper Keeper }

// RuleSet returns one version; ok is false when it was never put in force.
func (p PublishedRules) RuleSet(ctx context.Context, version uint64) (rules loyalty.RuleSet, ok bool, err error) {
	return published[loyalty.RuleSet](ctx, p.Keeper, KindRuleSet, version)
}

// Policy returns one version; ok is false when it was never in force.
func (p PublishedRules) Policy(ctx context.Context, version uint64) (policy loyalty.Policy, ok bool, err error) {
	return published[loyalty.Policy](ctx, p.Keeper, KindPolicy, version)
}

func published[T any](ctx context.Context, keeper Keeper, name string, version uint64) (v T, ok bool, err error) {
	raw, err := keeper.Version(ctx, name, version)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return v, false, nil
	case err != nil:
		return v, false, err
	}
	v, err = wire.Unmarshal[T](raw)
	return v, err == nil, err
}
