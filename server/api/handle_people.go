package api

import (
	"context"

	"github.com/tallystick/tallystick/server/people"
)

// handlers implements the generated interface: each method calls one use case.
type handlers struct{ o Options }

var _ StrictServerInterface = handlers{}

// CreateSession implements StrictServerInterface.
func (h handlers) CreateSession(ctx context.Context, r CreateSessionRequestObject) (CreateSessionResponseObject, error) {
	in, err := h.o.People.SignIn(ctx, r.Body.Name, r.Body.Password, addressOf(ctx))
	if err != nil {
		return nil, err
	}
	return CreateSession201JSONResponse{Token: in.Token, ExpiresAt: in.ExpiresAt, Person: showPerson(in.Person)}, nil
}

// EndSession implements StrictServerInterface.
func (h handlers) EndSession(ctx context.Context, _ EndSessionRequestObject) (EndSessionResponseObject, error) {
	return EndSession204Response{}, h.o.People.SignOut(ctx, callerOf(ctx).session.ID)
}

// GetMe implements StrictServerInterface.
func (h handlers) GetMe(ctx context.Context, _ GetMeRequestObject) (GetMeResponseObject, error) {
	return GetMe200JSONResponse(showPerson(callerOf(ctx).person)), nil
}

func showPerson(p people.Person) Person {
	return Person{ID: p.ID, Name: p.Name, Role: Role(p.Role)}
}
