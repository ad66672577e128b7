package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Held is what an account has of a unit, under its lock: the holding with its rights,
// among them the one asked for if it was ever named.
type Held struct {
	loyalty.Holding
	Members []wire.Member // whose the account is, without holdings
}

// RightStep is one thing HQ decides about a right of an account: the grant or the taking
// back, and what the stores are told of it. One without a body does nothing.
type RightStep struct {
	Grant    *entry.HQGrant
	TakeBack *entry.HQTakeBack
	Publish  []feed.Change
}

// DecideRight has decide look at what an account has of a unit, and carries out what it
// decides in the same transaction, which it joins. decide may be called again when the
// transaction is repeated. An account that is not known is problem.NotFound.
func (l *Ledger) DecideRight(ctx context.Context, accountID uuid.UUID, unit string, right uuid.UUID, decide func(ctx context.Context, h Held) (RightStep, error)) error {
	return l.o.Store.InTx(ctx, func(ctx context.Context) error {
		var step RightStep
		made := func(a *account) (hqjournal.Fact, error) {
			h, err := l.heldOf(ctx, a, unit, right)
			if err != nil {
				return hqjournal.Fact{}, err
			}
			if step, err = decide(ctx, h); err != nil {
				return hqjournal.Fact{}, err
			}
			return step.fact()
		}
		fold := func(s *set, f *fact, a *account) error {
			if step.Grant != nil {
				return foldGrant(*step.Grant)(s, f, a)
			}
			return foldTakeBack(*step.TakeBack)(s, f, a)
		}
		err := l.hqFact(ctx, accountID, made, fold)
		if errors.Is(err, errNothing) {
			return nil
		}
		return err
	})
}

func (s RightStep) fact() (hqjournal.Fact, error) {
	switch {
	case s.Grant != nil:
		return hqjournal.Fact{Kind: entry.KindHQGrant, Body: *s.Grant, Publish: s.Publish}, nil
	case s.TakeBack != nil:
		return hqjournal.Fact{Kind: entry.KindHQTakeBack, Body: *s.TakeBack, Publish: s.Publish}, nil
	}
	return hqjournal.Fact{}, errNothing
}

// heldOf is the holding of a locked account with the right asked for.
func (l *Ledger) heldOf(ctx context.Context, a *account, unit string, right uuid.UUID) (Held, error) {
	h := Held{Holding: loyalty.Holding{Unit: unit}}
	if known := a.holdings[unit]; known != nil {
		h.Holding = known.Clone()
	}
	key := RightKey{UnitKey{a.AccountKey, unit}, right}
	if h.Right(right) == nil && right != uuid.Nil {
		rows, err := l.o.Store.RightsByID(ctx, []RightKey{key})
		if err != nil {
			return h, fmt.Errorf("read right: %w", err)
		}
		for _, row := range rows {
			h.PutRight(row.HeldRight)
		}
	}
	rows, err := l.o.Store.AccountMembers(ctx, []AccountKey{a.AccountKey})
	if err != nil {
		return h, fmt.Errorf("read members: %w", err)
	}
	for _, row := range rows {
		m, err := wire.Unmarshal[wire.Member](row.Profile)
		if err != nil {
			return h, fmt.Errorf("read profile of member %s: %w", row.Member, err)
		}
		h.Members = append(h.Members, m)
	}
	return h, nil
}

// Rights returns all rights of an account that are remembered.
func (l *Ledger) Rights(ctx context.Context, accountID uuid.UUID) ([]RightRow, error) {
	return l.o.Store.AccountRights(ctx, []AccountKey{{shard.Of(accountID), accountID}})
}

// Loss is what was overdrawn by redemptions at a store, by cause and who answers for it,
// and still stands.
type Loss struct {
	Store  uuid.UUID
	Unit   string
	Cause  loyalty.LossCause
	Liable string
	Amount int64
	Count  int64
}

// Losses sums what was redeemed and was not there, by store, cause and who answers for it
// now, whom people may have named instead of whom the ledger did: the real loss beside what
// it could have been. What was explained since is left out.
func (l *Ledger) Losses(ctx context.Context) ([]Loss, error) {
	losses, err := l.o.Store.Losses(ctx)
	if err != nil {
		return nil, fmt.Errorf("read losses: %w", err)
	}
	return losses, nil
}

// LossTotal sums losses of all stores; uses of all vouchers are one unit.
func LossTotal(losses []Loss) []Loss {
	sums := map[Loss]*Loss{}
	var out []*Loss
	for _, l := range losses {
		key := Loss{Unit: l.Unit, Cause: l.Cause, Liable: l.Liable}
		if strings.HasPrefix(key.Unit, loyalty.UseUnit("")) {
			key.Unit = "uses"
		}
		sum := sums[key]
		if sum == nil {
			sum = &key
			sums[key] = sum
			out = append(out, sum)
		}
		sum.Amount, sum.Count = sum.Amount+l.Amount, sum.Count+l.Count
	}
	total := make([]Loss, len(out))
	for i, sum := range out {
		total[i] = *sum
	}
	return total
}
