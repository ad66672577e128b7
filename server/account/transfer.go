package account

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Gift is points that a member gives another one.
type Gift struct {
	From   uuid.UUID // member
	To     uuid.UUID // member
	Unit   string
	Amount int64
	Reason uint8
}

// Give moves points from one member to another. It is an intention, not a fact:
// what is more than free is refused and nothing is written. When it returns the
// points have left and are in the clearing book; Settle makes them arrive.
func (a *Accounts) Give(ctx context.Context, by uuid.UUID, g Gift) (Move, error) {
	if err := checkReason(g.Reason); err != nil {
		return Move{}, err
	}
	if g.Amount <= 0 || g.Amount > loyalty.MaxAmount {
		return Move{}, invalid("/amount", "must be above zero and at most 2^53 - 1")
	}
	if err := a.checkUnit(ctx, g.Unit); err != nil {
		return Move{}, err
	}
	var m Move
	err := a.env.Store.InTx(ctx, func(ctx context.Context) error {
		from, err := a.env.Store.MemberAccount(ctx, g.From)
		if err != nil {
			return err
		}
		to, err := a.env.Store.MemberAccount(ctx, g.To)
		if err != nil {
			return named(err, "/to")
		}
		if from == to {
			return problem.New(problem.AccountSame, "")
		}
		if err := a.checkRoom(ctx, to, g); err != nil {
			return err
		}
		var moved bool
		m, moved, err = a.depart(ctx, entry.HQTransfer{
			ID: a.env.NewID(), Account: from, Other: to, Member: g.From, Receiver: g.To, Cause: entry.MoveGift,
			Reason: g.Reason, By: by,
		}, ledger.Gift(g.Unit, g.Amount))
		if err == nil && !moved {
			err = problem.New(problem.PointsInsufficient, "nothing is free")
		}
		return err
	})
	if err != nil {
		return Move{}, fmt.Errorf("give points: %w", err)
	}
	return m, nil
}

// checkRoom refuses what the receiving account could not count.
func (a *Accounts) checkRoom(ctx context.Context, to uuid.UUID, g Gift) error {
	has, err := a.env.Ledger.Account(ctx, to)
	if err != nil {
		return err
	}
	for _, h := range has.Holdings {
		if h.Unit != g.Unit {
			continue
		}
		if _, err := loyalty.Add(h.Free+h.Allowance+h.Pending, g.Amount); err != nil {
			return problem.Wrap(problem.AmountOverflow, err, "the amount does not fit the account")
		}
	}
	return nil
}

// depart takes the first step of a move and keeps what the second needs.
func (a *Accounts) depart(ctx context.Context, t entry.HQTransfer, pick ledger.Pick) (m Move, moved bool, err error) {
	err = a.env.Store.InTx(ctx, func(ctx context.Context) error {
		if m.Leg, moved, err = a.env.Ledger.Depart(ctx, t, pick); err != nil || !moved {
			return err
		}
		m.CreatedAt = a.now()
		if err := a.env.Store.AddMove(ctx, m); err != nil {
			return fmt.Errorf("keep move: %w", err)
		}
		a.wake(ctx)
		return nil
	})
	return m, moved, err
}

// arrive takes the second step, once however often it is called: the key of the
// move is inserted in the shard of the account that gets the points, in the
// transaction that posts. That the move has arrived is noted afterwards.
func (a *Accounts) arrive(ctx context.Context, m Move) error {
	leg := m.Leg
	leg.Account, leg.Other = m.Leg.Other, m.Leg.Account
	if leg.Receiver != uuid.Nil {
		leg.Member = leg.Receiver
	}
	err := a.once(ctx, leg.Account, leg.ID, func(ctx context.Context) ([]byte, error) {
		paid, err := a.env.Ledger.Arrive(ctx, leg)
		if err != nil {
			return nil, err
		}
		return wire.Marshal(paid)
	})
	if err != nil {
		return fmt.Errorf("move %s arrives: %w", leg.ID, err)
	}
	if err := a.cover(ctx, leg); err != nil {
		return fmt.Errorf("debts of move %s: %w", leg.ID, err)
	}
	if err := a.env.Store.SetArrived(ctx, m); err != nil {
		return fmt.Errorf("note that move %s arrived: %w", leg.ID, err)
	}
	return nil
}

// cover ends the exceptions of the account that a move left, as far as the other
// one paid its debts. It may be repeated.
func (a *Accounts) cover(ctx context.Context, arrived entry.HQTransfer) error {
	body, found, err := a.env.Store.OnceBody(ctx, arrived.Account, arrived.ID)
	if err != nil || !found {
		return err
	}
	paid, err := wire.Unmarshal[[]string](body)
	if err != nil {
		return err
	}
	for _, unit := range paid {
		if err := a.env.Ledger.Cover(ctx, arrived.Other, unit, arrived.By); err != nil {
			return err
		}
	}
	return nil
}

// Move returns one move.
func (a *Accounts) Move(ctx context.Context, id uuid.UUID) (Move, error) {
	return a.env.Store.Move(ctx, id)
}
