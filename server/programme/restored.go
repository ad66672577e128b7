package programme

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Renew puts the rules and the caps in force again under version floor or later,
// after a restore: terminals may hold versions that the backup does not have, and
// never take a lower one.
func (p *Programme) Renew(ctx context.Context, floor uint64) error {
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		err := renew(ctx, p, floor, KindRuleSet, entry.KindHQRuleSet, wire.ItemRuleSet, func(r *loyalty.RuleSet, version uint64) { r.Version = version })
		if err != nil {
			return err
		}
		return renew(ctx, p, floor, KindPolicy, entry.KindHQPolicy, wire.ItemPolicy, func(c *loyalty.Policy, version uint64) { c.Version = version })
	})
	if err != nil {
		return fmt.Errorf("renew programme: %w", err)
	}
	return nil
}

func renew[T any](ctx context.Context, p *Programme, floor uint64, name string, kind entry.Kind, item wire.ItemKind, set func(*T, uint64)) error {
	last, raw, err := p.env.Keeper.LatestVersion(ctx, name)
	if problem.CodeOf(err) == problem.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	body, err := wire.Unmarshal[T](raw)
	if err != nil {
		return err
	}
	version := max(last+1, floor)
	set(&body, version)
	if raw, err = wire.Marshal(body); err != nil {
		return err
	}
	if err := p.env.Keeper.AddVersion(ctx, name, version, raw, uuid.Nil, p.now()); err != nil {
		return err
	}
	return p.record(ctx, kind, uuid.Nil, wire.Item{Kind: item, ID: p.env.HQ, Version: version, Body: raw})
}
