package allowance

import (
	"context"
	"fmt"
	"slices"

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
	return s.noShares(ctx, p, last)
}

// noShares tells terminals that are being taken out of service that they may stand in for
// nothing any more.
func (s *Service) noShares(ctx context.Context, p loyalty.Policy, last map[Lane]ShareRow) error {
	retiring, err := s.o.Store.Retiring(ctx)
	if err != nil {
		return fmt.Errorf("read terminals: %w", err)
	}
	for _, l := range retiring {
		was := last[l]
		if was.Version > 0 && was.Policy == p.Version && was.Points == 0 && was.Uses == 0 {
			continue
		}
		if err := s.putShare(ctx, ShareRow{Lane: l, Version: was.Version + 1, Policy: p.Version, Unit: p.Unit}); err != nil {
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

// acknowledge forgets the shares that terminals do not go by any more: a terminal notes
// in its journal under which policy and share it decides from then on. When HQ has
// applied the note it has applied what was sold under the shares before.
func (s *Service) acknowledge(ctx context.Context, _ loyalty.Policy, _ []Lane) error {
	rows, err := s.o.Store.Shares(ctx)
	if err != nil {
		return fmt.Errorf("read shares: %w", err)
	}
	of := map[Lane][]ShareRow{}
	for _, row := range rows {
		of[row.Lane] = append(of[row.Lane], row)
	}
	for l, given := range of {
		if !slices.ContainsFunc(given, func(r ShareRow) bool { return !r.Acked }) {
			continue
		}
		noted, found, err := s.o.Store.NotedShare(ctx, l.ID, l.Epoch)
		if err != nil {
			return fmt.Errorf("read what a terminal noted: %w", err)
		}
		if !found {
			continue
		}
		if version := Acknowledged(given, noted); version > 0 {
			if err := s.o.Store.AckShare(ctx, l.ID, l.Epoch, version); err != nil {
				return fmt.Errorf("forget shares: %w", err)
			}
		}
	}
	return nil
}

// Noted is the policy and the share that a terminal last said it decides under.
type Noted struct {
	Policy       uint64
	Points, Uses int64
}

// Acknowledged is the version of the share that a terminal noted, zero when it noted
// none of them. Of several that say the same it may be the first.
func Acknowledged(given []ShareRow, n Noted) uint64 {
	var version uint64
	for _, r := range given {
		if r.Policy == n.Policy && r.Points == n.Points && r.Uses == n.Uses && (version == 0 || r.Version < version) {
			version = r.Version
		}
	}
	return version
}
