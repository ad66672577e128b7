package api

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
)

// DeclareLost implements StrictServerInterface.
func (h handlers) DeclareLost(ctx context.Context, r DeclareLostRequestObject) (DeclareLostResponseObject, error) {
	d, err := h.o.Fleet.DeclareLost(ctx, callerOf(ctx).person.ID, r.ID, r.Body.Reason)
	return DeclareLost201JSONResponse(h.showLost(d)), err
}

// GetLost implements StrictServerInterface.
func (h handlers) GetLost(ctx context.Context, r GetLostRequestObject) (GetLostResponseObject, error) {
	t, err := h.o.Fleet.Terminal(ctx, r.ID)
	if err == nil && t.Lost.Step == 0 {
		err = notFound("declaration")
	}
	return GetLost200JSONResponse(h.showLost(t.Lost)), err
}

// ConfirmLost implements StrictServerInterface.
func (h handlers) ConfirmLost(ctx context.Context, r ConfirmLostRequestObject) (ConfirmLostResponseObject, error) {
	d, err := h.o.Fleet.ConfirmLost(ctx, callerOf(ctx).person.ID, r.ID)
	return ConfirmLost200JSONResponse(h.showLost(d)), err
}

// WithdrawLost implements StrictServerInterface.
func (h handlers) WithdrawLost(ctx context.Context, r WithdrawLostRequestObject) (WithdrawLostResponseObject, error) {
	d, err := h.o.Fleet.WithdrawLost(ctx, callerOf(ctx).person.ID, r.ID)
	return WithdrawLost200JSONResponse(h.showLost(d)), err
}

// lostState is the word for how a declaration stands, empty when there is none.
func lostState(d fleet.Declaration, now time.Time) LostState {
	switch {
	case d.Step == 0:
		return ""
	case d.Expired(now):
		return LostStateExpired
	}
	return LostState(d.Step.String())
}

func (h handlers) showLost(d fleet.Declaration) LostDeclaration {
	return LostDeclaration{
		ID: d.ID, Terminal: d.Terminal, Store: d.Store, Epoch: int64(d.Epoch), State: lostState(d, h.o.Clock.Now()), Reason: d.Reason,
		DeclaredBy: d.DeclaredBy, DeclaredAt: d.DeclaredAt, ExpiresAt: d.ExpiresAt,
		DecidedBy: unlessEmpty(d.DecidedBy), DecidedAt: unlessEmpty(d.DecidedAt), FoundBy: unlessEmpty(d.FoundBy), FoundAt: unlessEmpty(d.FoundAt),
		Gap: LostGap{
			AfterSeq: int64(d.Gap.Head.Seq), AfterHash: d.Gap.Head.Hash.String(), SaidSeq: int64(d.Gap.Said), LastContactAt: unlessEmpty(d.Gap.LastContact),
			Bound: showAll(d.Gap.Bound, func(b entry.LostBound) LostBound {
				return LostBound{Unit: b.Unit, Amount: b.Rights + b.StandIn, Rights: b.Rights, StandIn: b.StandIn}
			}),
		},
	}
}
