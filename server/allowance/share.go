package allowance

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// splitShares gives every terminal its share of the store's cap, when the policy or the
// terminals of the store changed.
func (s *Service) splitShares(ctx context.Context, p loyalty.Policy, lanes []Lane) error {
	if p.Version == 0 {
		return nil
	}
	rows, err := s.o.Store.Shares(ctx)
	if err != nil {
		return fmt.Errorf("read shares: %w", err)
	}
	last := map[Lane]ShareRow{}
	for _, row := range rows {
		if was, ok := last[row.Lane]; !ok || row.Version > was.Version {
			last[row.Lane] = row
		}
	}
	in := map[uuid.UUID]int64{}
	for _, l := range lanes {
		in[l.Store]++
	}
	for _, l := range lanes {
		share, was := Share(p, in[l.Store]), last[l]
		row := ShareRow{Lane: l, Version: was.Version + 1, Policy: p.Version, Unit: p.Unit, Points: share.Points, Uses: share.Uses}
		if was.Policy == row.Policy && was.Points == row.Points && was.Uses == row.Uses {
			continue
		}
		if err := s.putShare(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) putShare(ctx context.Context, row ShareRow) error {
	raw, err := wire.Marshal(wire.Share{Terminal: row.ID, Epoch: row.Epoch, Policy: row.Policy, Unit: row.Unit, Points: row.Points, Uses: row.Uses})
	if err != nil {
		return err
	}
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.o.Store.PutShare(ctx, row); err != nil {
			return err
		}
		return s.o.Feed.Publish(ctx, feed.Change{
			Shard: shard.Of(row.Store), Scope: row.Store,
			Item: wire.Item{Kind: wire.ItemShare, ID: row.ID, Version: uint64(row.Epoch)<<32 | row.Version, Body: raw},
		})
	})
	if err != nil {
		return fmt.Errorf("give share: %w", err)
	}
	return nil
}

// Pulled notes what a terminal has taken in: it pulls with a cursor behind what it has
// stored. A share that it has taken in supersedes those before.
func (s *Service) Pulled(ctx context.Context, who Lane, cursor string) error {
	rows, err := s.o.Store.SharesOf(ctx, who.ID)
	if err != nil {
		return fmt.Errorf("read shares: %w", err)
	}
	wait := false
	for _, row := range rows {
		wait = wait || !row.Acked
	}
	if !wait {
		return nil
	}
	in := shard.Of(who.Store)
	pos, err := s.o.Feed.Reached(who.Store, cursor, in)
	if err != nil || pos == 0 {
		return err
	}
	version, err := s.o.Store.ItemAt(ctx, in, who.Store, wire.ItemShare, who.ID, pos)
	if err != nil {
		return fmt.Errorf("read share: %w", err)
	}
	if version == 0 || uint32(version>>32) != who.Epoch {
		return nil
	}
	return s.o.Store.AckShare(ctx, who.ID, who.Epoch, version&(1<<32-1))
}
