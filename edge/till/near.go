package till

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
)

// Lendable tells a lane of the store what this terminal could lend it on an account. It
// is a look, and reserves nothing.
func (t *Till) Lendable(ctx context.Context, lane wire.Terminal, asked wire.HeldRequest) (wire.HeldAnswer, error) {
	end, err := t.begin()
	if err != nil {
		return wire.HeldAnswer{}, err
	}
	defer end()
	answer := wire.HeldAnswer{V: wire.Version}
	if err := t.inService(lane, asked.Epoch); err != nil {
		return answer, err
	}
	policy := t.catalogue.Load().policy
	if err := t.mayRedeem(); err != nil || policy.Rights.OneOffSeconds <= 0 {
		return answer, err
	}
	now, _ := t.time.now()
	var rights []right
	err = t.look(ctx, func(l look) (err error) {
		rights, err = t.held(l, asked.Account)
		return err
	})
	if err != nil {
		return answer, fmt.Errorf("look for rights to lend: %w", err)
	}
	for _, r := range lendable(usable(policy, rights, now)) {
		answer.Held = append(answer.Held, wire.Held{Right: r.id, Unit: r.Unit, Left: r.left, EndsAt: r.EndsAt})
	}
	slices.SortStableFunc(answer.Held, func(a, b wire.Held) int { return -cmp.Compare(a.Left, b.Left) })
	answer.Held = answer.Held[:min(len(answer.Held), wire.MaxHeld)]
	return answer, nil
}

// lendable keeps what may be lent: what was got for one sale, or borrowed, is not lent on.
func lendable(rights []right) []right {
	return slices.DeleteFunc(rights, func(r right) bool { return r.Source != fromGrant && r.Source != fromSale })
}

// askLanes asks the lanes in reach what they hold on an account, unless what is held here
// and what the feed says of them covers the wishes. Nobody is asked when none may lend, or
// when lanes keep nothing of what they let earn: then the feed tells all there is.
func (t *Till) askLanes(ctx context.Context, f *facts) map[uuid.UUID][]wire.Held {
	h, policy := t.helpers.Load(), f.request.Policy
	if h == nil || h.Neighbours == nil || f.party.account == uuid.Nil || !policy.SpendEarned || policy.Rights.OneOffSeconds <= 0 || f.covered() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, NearBudget)
	defer cancel()
	return h.Neighbours.Lendable(ctx, f.party.account)
}

// near is askLanes for a call that decides within one look: nothing is asked while that
// is open.
func (t *Till) near(ctx context.Context, cat *catalogue, codes []presented, req Request) (map[uuid.UUID][]wire.Held, error) {
	if h := t.helpers.Load(); h == nil || h.Neighbours == nil || !cat.policy.SpendEarned {
		return nil, nil
	}
	var f facts
	err := t.look(ctx, func(l look) (err error) {
		f, err = t.gather(l, cat, codes, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return t.askLanes(ctx, &f), nil
}

// covered reports whether rights here and at other lanes, as far as is known, cover all
// wishes. Without wishes it is not known what is wanted.
func (f *facts) covered() bool {
	if len(f.request.Wishes) == 0 {
		return false
	}
	hoped := f.request
	hoped.Offered = slices.Clone(hoped.Offered)
	for _, g := range f.elsewhere {
		hoped.Offered = append(hoped.Offered, g.domain())
	}
	short, refusal := loyalty.Missing(hoped)
	return refusal != nil || len(short) == 0
}

// meetLanes puts what lanes say that they hold in the place of what the feed says of them.
func (f *facts) meetLanes(lanes map[uuid.UUID][]wire.Held) {
	f.elsewhere = slices.DeleteFunc(f.elsewhere, func(g grant) bool {
		_, answered := lanes[g.Terminal]
		return answered
	})
	for _, lane := range slices.SortedFunc(maps.Keys(lanes), func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }) {
		for _, h := range lanes[lane] {
			if h.Left > 0 {
				f.elsewhere = append(f.elsewhere, grant{id: h.Right, Grant: wire.Grant{
					Right: h.Right, Account: f.party.account, Unit: h.Unit, Amount: h.Left, Terminal: lane, EndsAt: h.EndsAt,
				}})
			}
		}
	}
}
