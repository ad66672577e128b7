package api

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/people"
)

// handlers implements the generated interface: each method calls one use case.
type handlers struct {
	o        Options
	files    chan struct{}   // those being written
	stopping context.Context // ends when the server stops
}

var _ StrictServerInterface = handlers{}

// CreateSession implements StrictServerInterface.
func (h handlers) CreateSession(ctx context.Context, r CreateSessionRequestObject) (CreateSessionResponseObject, error) {
	in, err := h.o.People.SignIn(ctx, r.Body.Name, r.Body.Password, addressOf(ctx))
	if err != nil {
		return nil, err
	}
	if err := h.noteSession(ctx, in.Person, "CreateSession"); err != nil {
		return nil, err
	}
	return CreateSession201JSONResponse{Token: in.Token, ExpiresAt: in.ExpiresAt, Person: showPerson(in.Person)}, nil
}

// EndSession implements StrictServerInterface.
func (h handlers) EndSession(ctx context.Context, _ EndSessionRequestObject) (EndSessionResponseObject, error) {
	if err := h.o.People.SignOut(ctx, callerOf(ctx).session.ID); err != nil {
		return nil, err
	}
	return EndSession204Response{}, h.noteSession(ctx, callerOf(ctx).person, "EndSession")
}

// noteSession writes a sign-in or sign-out into the audit log.
func (h handlers) noteSession(ctx context.Context, p people.Person, operation string) error {
	return h.o.People.Note(ctx, people.Act{
		Person: p.ID, Name: p.Name, Role: p.Role, Operation: operation, Subject: "/sessions", Address: addressOf(ctx),
	})
}

// GetMe implements StrictServerInterface.
func (h handlers) GetMe(ctx context.Context, _ GetMeRequestObject) (GetMeResponseObject, error) {
	return GetMe200JSONResponse(showPerson(callerOf(ctx).person)), nil
}

func showPerson(p people.Person) Person {
	return Person{ID: p.ID, Name: p.Name, Role: Role(p.Role)}
}

// CreatePerson implements StrictServerInterface.
func (h handlers) CreatePerson(ctx context.Context, r CreatePersonRequestObject) (CreatePersonResponseObject, error) {
	p, err := h.o.People.Add(ctx, r.Body.Name, people.Role(r.Body.Role), r.Body.Password)
	return CreatePerson201JSONResponse(showStaff(p)), err
}

// ListPeople implements StrictServerInterface.
func (h handlers) ListPeople(ctx context.Context, r ListPeopleRequestObject) (ListPeopleResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]people.Person, error) {
		return h.o.People.People(ctx, after, limit)
	}, func(p people.Person) uuid.UUID { return p.ID }, showStaff)
	return ListPeople200JSONResponse{Items: items, Next: next}, err
}

// SetPassword implements StrictServerInterface.
func (h handlers) SetPassword(ctx context.Context, r SetPasswordRequestObject) (SetPasswordResponseObject, error) {
	p, err := h.o.People.SetPassword(ctx, r.ID, r.Body.Password)
	return SetPassword200JSONResponse(showStaff(p)), err
}

// ShutOutPerson implements StrictServerInterface.
func (h handlers) ShutOutPerson(ctx context.Context, r ShutOutPersonRequestObject) (ShutOutPersonResponseObject, error) {
	p, err := h.o.People.ShutOut(ctx, callerOf(ctx).person.ID, r.ID)
	return ShutOutPerson200JSONResponse(showStaff(p)), err
}

// SetRole implements StrictServerInterface.
func (h handlers) SetRole(ctx context.Context, r SetRoleRequestObject) (SetRoleResponseObject, error) {
	p, err := h.o.People.SetRole(ctx, callerOf(ctx).person.ID, r.ID, people.Role(r.Body.Role))
	return SetRole200JSONResponse(showStaff(p)), err
}

func showStaff(p people.Person) StaffPerson {
	return StaffPerson{ID: p.ID, Name: p.Name, Role: Role(p.Role), ShutOut: p.ShutOut, CreatedAt: p.CreatedAt}
}
