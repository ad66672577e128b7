package people

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// People lists those who may sign in and those who were shut out, from after an id on.
func (d *Directory) People(ctx context.Context, after uuid.UUID, limit int) ([]Person, error) {
	return d.env.Store.People(ctx, after, limit)
}

// SetPassword gives a person a new password, signs them out everywhere, and lets them in
// again if they were shut out.
func (d *Directory) SetPassword(ctx context.Context, id uuid.UUID, password string) (Person, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return Person{}, &problem.Error{Code: problem.InvalidField, Detail: "the password cannot be set", Fields: map[string]string{
			"/password": fmt.Sprintf("must have %d to %d bytes", MinPassword, MaxPassword),
		}}
	}
	hash, err := hashPassword(d.env.Random, password)
	if err != nil {
		return Person{}, err
	}
	return d.admit(ctx, id, hash)
}

// ShutOut lets a person in no more and signs them out everywhere. What they did keeps
// their name. Nobody shuts themselves out, so that an administrator is always left.
func (d *Directory) ShutOut(ctx context.Context, by, id uuid.UUID) (Person, error) {
	if by == id {
		return Person{}, problem.New(problem.StateConflict, "nobody shuts themselves out")
	}
	return d.admit(ctx, id, "")
}

// SetRole gives a person another role, which counts from their next request on. Nobody
// changes their own, so that an administrator is always left.
func (d *Directory) SetRole(ctx context.Context, by, id uuid.UUID, role Role) (Person, error) {
	if !role.Known() {
		return Person{}, &problem.Error{Code: problem.InvalidField, Detail: "the role cannot be given", Fields: map[string]string{"/role": "is not known"}}
	}
	if by == id {
		return Person{}, problem.New(problem.StateConflict, "nobody changes their own role")
	}
	var p Person
	err := d.env.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		if p, err = d.env.Store.Person(ctx, id); err != nil {
			return err
		}
		p.Role = role
		return d.env.Store.SetRole(ctx, id, role)
	})
	if err != nil {
		return Person{}, fmt.Errorf("change role: %w", err)
	}
	return p, nil
}

// admit changes what a person signs in with.
func (d *Directory) admit(ctx context.Context, id uuid.UUID, hash string) (Person, error) {
	var p Person
	err := d.env.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := d.env.Store.Person(ctx, id); err != nil {
			return err
		}
		if err := d.env.Store.SetPassword(ctx, id, hash); err != nil {
			return err
		}
		if err := d.env.Store.EndSessionsOf(ctx, id, d.env.Clock.Now().UTC()); err != nil {
			return err
		}
		var err error
		p, err = d.env.Store.Person(ctx, id)
		return err
	})
	if err != nil {
		return Person{}, fmt.Errorf("change who may sign in: %w", err)
	}
	return p, nil
}
