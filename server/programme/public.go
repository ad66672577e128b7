package programme

import (
	"bytes"
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

const kindPublic = "public"

// PublishPublic tells the stores what shoppers are told of HQ, when it is not what they
// know. It is called at every start.
func (p *Programme) PublishPublic(ctx context.Context, public wire.Public) error {
	raw, err := wire.Marshal(public)
	if err != nil {
		return err
	}
	err = p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		_, told, err := p.env.Keeper.LatestVersion(ctx, kindPublic)
		switch {
		case problem.CodeOf(err) == problem.NotFound && public == wire.Public{}:
			return nil
		case err != nil && problem.CodeOf(err) != problem.NotFound:
			return err
		case bytes.Equal(told, raw):
			return nil
		}
		return p.putVersion(ctx, uuid.Nil, kindPublic, entry.KindHQPublic, wire.ItemPublic, func(uint64) any { return public })
	})
	// Another replica that starts at the same moment says the same.
	if problem.CodeOf(err) == problem.Conflict {
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish what shoppers are told: %w", err)
	}
	return nil
}
