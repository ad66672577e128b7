package programme

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

const kindKeys = "keys"

// GroupsID names the item of the freshness secrets of an HQ.
func GroupsID(hq uuid.UUID) uuid.UUID { return uuid.NewSHA1(hq, []byte("groups")) }

// PublishKeys tells the stores HQ's public keys and the freshness secrets, when
// the set's version has not been told yet. It is called at every start.
func (p *Programme) PublishKeys(ctx context.Context, set keys.Set) error {
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		told, _, err := p.env.Keeper.LatestVersion(ctx, kindKeys)
		if err != nil && problem.CodeOf(err) != problem.NotFound {
			return err
		}
		if told >= set.Version {
			return nil
		}
		public, err := wire.Marshal(set)
		if err != nil {
			return err
		}
		secrets, err := wire.Marshal(wire.Groups{Keys: p.env.Groups})
		if err != nil {
			return err
		}
		if err := p.env.Keeper.AddVersion(ctx, kindKeys, set.Version, public, uuid.Nil, p.now()); err != nil {
			return err
		}
		item := wire.Item{Kind: wire.ItemKeys, ID: p.env.HQ, Version: set.Version, Body: public}
		if err := p.record(ctx, entry.KindHQKeys, uuid.Nil, item); err != nil {
			return err
		}
		item = wire.Item{Kind: wire.ItemGroups, ID: GroupsID(p.env.HQ), Version: set.Version, Body: secrets}
		return p.record(ctx, entry.KindHQKeys, uuid.Nil, item)
	})
	if err != nil {
		return fmt.Errorf("publish keys: %w", err)
	}
	return nil
}
