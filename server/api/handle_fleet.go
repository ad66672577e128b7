package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
)

// CreateStore implements StrictServerInterface.
func (h handlers) CreateStore(ctx context.Context, r CreateStoreRequestObject) (CreateStoreResponseObject, error) {
	s, err := h.o.Fleet.OpenStore(ctx, callerOf(ctx).person.ID, fleet.Store{
		Code: r.Body.Code, Name: r.Body.Name, TimeZone: r.Body.TimeZone, Currency: r.Body.Currency,
	})
	if err != nil {
		return nil, err
	}
	return CreateStore201JSONResponse(showStore(s)), nil
}

// ListStores implements StrictServerInterface.
func (h handlers) ListStores(ctx context.Context, r ListStoresRequestObject) (ListStoresResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]fleet.Store, error) {
		return h.o.Fleet.Stores(ctx, after, limit)
	}, func(s fleet.Store) uuid.UUID { return s.ID }, showStore)
	return ListStores200JSONResponse{Items: items, Next: next}, err
}

// GetStore implements StrictServerInterface.
func (h handlers) GetStore(ctx context.Context, r GetStoreRequestObject) (GetStoreResponseObject, error) {
	s, err := h.o.Fleet.Store(ctx, r.ID)
	return GetStore200JSONResponse(showStore(s)), err
}

// PlaceStore implements StrictServerInterface.
func (h handlers) PlaceStore(ctx context.Context, r PlaceStoreRequestObject) (PlaceStoreResponseObject, error) {
	var at *fleet.Place
	switch {
	case r.Body.Latitude != nil && r.Body.Longitude != nil:
		at = &fleet.Place{Latitude: *r.Body.Latitude, Longitude: *r.Body.Longitude}
	case r.Body.Latitude != nil || r.Body.Longitude != nil:
		return nil, &problem.Error{Code: problem.InvalidField, Detail: "there is no such place", Fields: map[string]string{"/longitude": "both are needed, or none"}}
	}
	s, err := h.o.Fleet.Place(ctx, r.ID, at)
	if err != nil {
		return nil, err
	}
	if h.o.Passes != nil {
		err = h.o.Passes.TouchAll(ctx)
	}
	return PlaceStore200JSONResponse(showStore(s)), err
}

// CreateTerminal implements StrictServerInterface.
func (h handlers) CreateTerminal(ctx context.Context, r CreateTerminalRequestObject) (CreateTerminalResponseObject, error) {
	t, code, err := h.o.Fleet.AddTerminal(ctx, callerOf(ctx).person.ID, r.Body.Store, r.Body.Name)
	if err != nil {
		return nil, err
	}
	return CreateTerminal201JSONResponse{Terminal: h.showTerminal(t), Enrolment: showCode(code)}, nil
}

// ListTerminals implements StrictServerInterface.
func (h handlers) ListTerminals(ctx context.Context, r ListTerminalsRequestObject) (ListTerminalsResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]fleet.Terminal, error) {
		return h.o.Fleet.Terminals(ctx, valueOf(r.Params.Store), after, limit)
	}, func(t fleet.Terminal) uuid.UUID { return t.ID }, h.showTerminal)
	return ListTerminals200JSONResponse{Items: items, Next: next}, err
}

// GetTerminal implements StrictServerInterface.
func (h handlers) GetTerminal(ctx context.Context, r GetTerminalRequestObject) (GetTerminalResponseObject, error) {
	t, err := h.o.Fleet.Terminal(ctx, r.ID)
	return GetTerminal200JSONResponse(h.showTerminal(t)), err
}

// CreateEnrolmentCode implements StrictServerInterface.
func (h handlers) CreateEnrolmentCode(ctx context.Context, r CreateEnrolmentCodeRequestObject) (CreateEnrolmentCodeResponseObject, error) {
	code, err := h.o.Fleet.NewCode(ctx, r.ID)
	return CreateEnrolmentCode201JSONResponse(showCode(code)), err
}

// RevokeTerminal implements StrictServerInterface.
func (h handlers) RevokeTerminal(ctx context.Context, r RevokeTerminalRequestObject) (RevokeTerminalResponseObject, error) {
	t, err := h.whole(ctx)(h.o.Fleet.Revoke(ctx, callerOf(ctx).person.ID, r.ID))
	return RevokeTerminal200JSONResponse(h.showTerminal(t)), err
}

// RetireTerminal implements StrictServerInterface.
func (h handlers) RetireTerminal(ctx context.Context, r RetireTerminalRequestObject) (RetireTerminalResponseObject, error) {
	t, err := h.whole(ctx)(h.o.Fleet.Retire(ctx, callerOf(ctx).person.ID, r.ID))
	return RetireTerminal200JSONResponse(h.showTerminal(t)), err
}

// ReinstateTerminal implements StrictServerInterface.
func (h handlers) ReinstateTerminal(ctx context.Context, r ReinstateTerminalRequestObject) (ReinstateTerminalResponseObject, error) {
	t, err := h.whole(ctx)(h.o.Fleet.Reinstate(ctx, callerOf(ctx).person.ID, r.ID))
	return ReinstateTerminal200JSONResponse(h.showTerminal(t)), err
}

// whole completes a terminal that was changed by what is kept apart from its record.
func (h handlers) whole(ctx context.Context) func(t fleet.Terminal, err error) (fleet.Terminal, error) {
	return func(t fleet.Terminal, err error) (fleet.Terminal, error) {
		if err != nil {
			return t, err
		}
		return h.o.Fleet.Terminal(ctx, t.ID)
	}
}

func showStore(s fleet.Store) Store {
	out := Store{ID: s.ID, Code: s.Code, Name: s.Name, TimeZone: s.TimeZone, Currency: s.Currency, CreatedAt: s.CreatedAt}
	if s.Place != nil {
		out.Latitude, out.Longitude = &s.Place.Latitude, &s.Place.Longitude
	}
	return out
}

func showCode(c fleet.OneTimeCode) EnrolmentCode {
	return EnrolmentCode{Code: c.Text, ExpiresAt: c.ExpiresAt}
}

func (h handlers) showTerminal(t fleet.Terminal) Terminal {
	return Terminal{
		ID: t.ID, Store: t.Store, Name: t.Name, State: TerminalState(t.State), Epoch: int64(t.Epoch),
		Software: unlessEmpty(t.Software), CreatedAt: t.CreatedAt,
		EnrolledAt: unlessEmpty(t.EnrolledAt), LastContactAt: unlessEmpty(t.LastContactAt),
		HeadSeq: int64(t.HeadSeq), AckedSeq: int64(t.AckedSeq), Queue: int64(t.Queue()), Lost: unlessEmpty(lostState(t.Lost, h.o.Clock.Now())), Identities: t.Identities,
	}
}
