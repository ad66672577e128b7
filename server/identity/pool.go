package identity

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// atOnce bounds how many identities one transaction issues or tells of.
const atOnce = 200

// Versions of the feed's item of an identity.
const (
	versionIssued = 1
	versionEnded  = 2
)

// Round fills every pool, withdraws what terminals that are out have not used, and tells
// stores what is gone.
func (s *Service) Round(ctx context.Context) error {
	policy, err := s.o.Programme.CurrentPolicy(ctx)
	if problem.CodeOf(err) == problem.NotFound {
		return nil // nobody can sell yet
	}
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	lanes, err := s.o.Store.Lanes(ctx)
	if err != nil {
		return fmt.Errorf("read terminals: %w", err)
	}
	pools, err := s.o.Store.Pools(ctx)
	if err != nil {
		return fmt.Errorf("read pools: %w", err)
	}
	wanted := map[allowance.Lane]int64{}
	if each := policy.IdentitiesEach(); each > 0 {
		for _, lane := range lanes {
			wanted[lane] = each
		}
	}
	for _, p := range pools {
		if _, in := wanted[p.Lane]; in {
			wanted[p.Lane] -= p.Left
		} else if err := s.o.Store.Withdraw(ctx, p.Lane); err != nil {
			return fmt.Errorf("withdraw identities: %w", err)
		}
	}
	for _, lane := range lanes {
		for n := wanted[lane]; n > 0; n -= atOnce {
			if err := s.issue(ctx, lane, min(n, atOnce)); err != nil {
				return fmt.Errorf("issue identities: %w", err)
			}
		}
	}
	return s.tellEnded(ctx)
}

// issue makes n identities for a terminal and tells its store.
func (s *Service) issue(ctx context.Context, lane allowance.Lane, n int64) error {
	rows := make([]Row, 0, n)
	for range n {
		member := s.o.NewID()
		token, err := s.o.Programme.FirstPass(member)
		if err != nil {
			return err
		}
		rows = append(rows, Row{
			Lane: lane, Member: member, Pass: token[:], IssuedAt: s.o.Clock.Now().UnixMilli(), State: Issued, Told: true,
		})
	}
	return s.put(ctx, rows)
}

// put keeps rows and tells their stores how they are.
func (s *Service) put(ctx context.Context, rows []Row) error {
	changes := make([]feed.Change, len(rows))
	for i, r := range rows {
		var err error
		if changes[i], err = r.change(); err != nil {
			return err
		}
	}
	return s.o.Store.InTx(ctx, func(ctx context.Context) error {
		if err := s.o.Store.PutIdentities(ctx, rows); err != nil {
			return err
		}
		return s.o.Feed.Publish(ctx, changes...)
	})
}

// change is what the store is told: the identity, or that it is gone.
func (r Row) change() (feed.Change, error) {
	item := wire.Item{Kind: wire.ItemIdentity, ID: r.Member, Version: versionEnded}
	if r.State == Issued {
		raw, err := wire.Marshal(wire.Identity{
			Member: r.Member, Account: entry.IdentityAccount(r.Member), Terminal: r.ID, Epoch: r.Epoch, Issue: 1, Pass: r.Pass, IssuedAt: r.IssuedAt,
		})
		if err != nil {
			return feed.Change{}, err
		}
		item.Version, item.Body = versionIssued, raw
	}
	return feed.Change{Shard: shard.Of(r.Store), Scope: r.Store, Item: item}, nil
}

func (s *Service) tellEnded(ctx context.Context) error {
	rows, err := s.o.Store.Untold(ctx, atOnce)
	if err != nil {
		return fmt.Errorf("read identities that ended: %w", err)
	}
	if len(rows) == 0 {
		return nil
	}
	for i := range rows {
		rows[i].Told = true
	}
	if err := s.put(ctx, rows); err != nil {
		return fmt.Errorf("tell of identities that ended: %w", err)
	}
	return nil
}
