package programme

import (
	"context"
	"crypto/sha256"
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
		kept, err := wire.Marshal(wire.Groups{Keys: fingerprints(p.env.Groups)})
		if err != nil {
			return err
		}
		return p.recordAs(ctx, entry.KindHQKeys, uuid.Nil, item, kept)
	})
	if err != nil {
		return fmt.Errorf("publish keys: %w", err)
	}
	return nil
}

// fingerprints are group keys with the SHA-256 of each secret in its place. The
// journal, which auditors read, shows which secret was in force and not what it is.
func fingerprints(groups []keys.GroupKey) []keys.GroupKey {
	out := make([]keys.GroupKey, len(groups))
	for i, g := range groups {
		sum := sha256.Sum256(append([]byte("tallystick group key v1\x00"), g.Secret...))
		g.Secret = sum[:]
		out[i] = g
	}
	return out
}
