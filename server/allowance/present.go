package allowance

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Withheld reports whether HQ gives no rights, because it was restored and does not
// know yet what it gave before. In an epoch that no restore began nothing is withheld.
func (s *Service) Withheld(ctx context.Context) (bool, error) {
	if s.o.HQEpoch <= 1 {
		return false, nil
	}
	until, err := s.o.Store.RestoreWaits(ctx, s.o.HQEpoch)
	if err != nil {
		return false, fmt.Errorf("read restore: %w", err)
	}
	return s.now() < until, nil
}

// BeginRestore has HQ wait, in an epoch that a restore began, for the terminals that it
// knows: none may hold a right that is not presented longer than the longest life of a
// right and the clock bound. It is called at every start.
func (s *Service) BeginRestore(ctx context.Context) error {
	if s.o.HQEpoch <= 1 {
		return nil
	}
	p, err := s.policy(ctx)
	if err != nil {
		return err
	}
	// A policy that was lost with the database may have been longer.
	life := max(seconds(p.Rights.LifeSeconds, defaultLife), defaultLife*1000)
	if err := s.o.Store.BeginRestore(ctx, s.o.HQEpoch, s.now()+life+seconds(p.Rights.ClockBoundSeconds, 0)); err != nil {
		return fmt.Errorf("begin restore: %w", err)
	}
	return nil
}

// Present takes in the grants that a terminal holds, and makes again those that HQ had
// lost. One that is not HQ's, or is another terminal's, is refused, and none is taken.
func (s *Service) Present(ctx context.Context, who Lane, r wire.PresentRequest) (wire.PresentAnswer, error) {
	if r.V < wire.MinVersion || r.V > wire.Version {
		return wire.PresentAnswer{}, problem.Newf(problem.WireVersion, "version %d", r.V)
	}
	grants := make([]wire.Grant, len(r.Grants))
	for i, signed := range r.Grants {
		raw, err := wire.Marshal(signed)
		if err != nil {
			return wire.PresentAnswer{}, err
		}
		g, err := wire.Open[wire.Grant](raw, wire.DomainGrant, s.o.Keys, s.o.Clock.Now())
		if err != nil {
			return wire.PresentAnswer{}, problem.Wrap(problem.InvalidField, err, "a grant is not signed by head office")
		}
		if g.HQ != s.o.HQ || g.Terminal != who.ID || g.Epoch != who.Epoch || g.Amount <= 0 || g.Amount > loyalty.MaxAmount {
			return wire.PresentAnswer{}, problem.New(problem.InvalidField, "a grant is another terminal's")
		}
		grants[i] = g
	}
	answer := wire.PresentAnswer{V: wire.Version}
	for i, g := range grants {
		taken, err := s.adopt(ctx, g, r.Grants[i])
		if err != nil {
			return answer, err
		}
		if taken {
			answer.Taken++
		}
	}
	if r.Last {
		if err := s.o.Store.Presented(ctx, s.o.HQEpoch, who.ID); err != nil {
			return answer, fmt.Errorf("note presentation: %w", err)
		}
	}
	return answer, nil
}

// adopt makes a right again that HQ does not know, as of when it was given.
func (s *Service) adopt(ctx context.Context, g wire.Grant, signed wire.Signed) (taken bool, err error) {
	raw, err := wire.Marshal(signed)
	if err != nil {
		return false, err
	}
	err = s.o.Ledger.DecideRight(ctx, g.Account, g.Unit, g.Right, func(ctx context.Context, h ledger.Held) (ledger.RightStep, error) {
		if was := h.Right(g.Right); was != nil && was.Kind != loyalty.RightUnmade {
			taken = false
			return ledger.RightStep{}, nil
		}
		taken = true
		row := Grant{RightKey: ledger.RightKey{UnitKey: unitKey(g.Account, g.Unit), Right: g.Right}, Store: g.Store, Signed: raw, Told: toldGiven}
		if err := s.o.Store.PutGrant(ctx, row); err != nil {
			return ledger.RightStep{}, fmt.Errorf("note grant: %w", err)
		}
		change, err := row.change()
		return ledger.RightStep{Publish: []feed.Change{change}, Grant: &entry.HQGrant{
			Right: g.Right, Account: g.Account, Unit: g.Unit, Amount: g.Amount, Store: g.Store, Terminal: g.Terminal, Epoch: g.Epoch,
			GrantedAt: g.GrantedAt, EndsAt: g.EndsAt, Policy: g.Policy, Asked: g.Asked, Adopted: true, Member: g.Member,
		}}, err
	})
	if problem.CodeOf(err) == problem.NotFound { // its account was opened after the backup
		return false, nil
	}
	return taken, err
}
