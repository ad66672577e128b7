package programme

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// FirstPass signs the static pass of a member that is not enrolled yet.
func (p *Programme) FirstPass(member uuid.UUID) (passtoken.Token, error) {
	token, _, err := p.sign(Member{ID: member, Issue: 1})
	return token, err
}

// AddIssued enrols a member whose id and account HQ had issued ahead, in the caller's
// transaction. added is false for one that is there already.
func (p *Programme) AddIssued(ctx context.Context, member, account uuid.UUID, blocked bool) (added bool, err error) {
	_, err = p.env.Keeper.Member(ctx, member)
	if problem.CodeOf(err) != problem.NotFound {
		return false, err
	}
	m := Member{ID: member, Account: account, Issue: 1, Blocked: blocked, Version: 1, CreatedAt: p.now()}
	err = p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		if err := p.env.Keeper.AddMembers(ctx, []Member{m}); err != nil {
			return err
		}
		return p.tell(ctx, uuid.Nil, m)
	})
	if err != nil {
		return false, fmt.Errorf("enrol issued member: %w", err)
	}
	return true, nil
}

// PolicyOf returns one version of the policy; problem.NotFound when it was never in force.
func (p *Programme) PolicyOf(ctx context.Context, version uint64) (loyalty.Policy, error) {
	raw, err := p.env.Keeper.Version(ctx, KindPolicy, version)
	if err != nil {
		return loyalty.Policy{}, err
	}
	return wire.Unmarshal[loyalty.Policy](raw)
}
