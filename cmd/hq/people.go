package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
)

type peopleCommand struct {
	List     peopleListCommand     `cmd:"" help:"Print who may sign in, and who was shut out."`
	Password peoplePasswordCommand `cmd:"" help:"Give somebody a new password, sign them out everywhere and let them in again: for when no administrator can sign in."`
}

type peopleListCommand struct{}

// Run prints a person a line.
func (peopleListCommand) Run(ctx context.Context, s *surroundings) (err error) {
	o, err := openOffice(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	return everybody(ctx, o, func(p people.Person) error {
		return json.NewEncoder(s.stdout).Encode(map[string]any{"name": p.Name, "role": p.Role, "shut_out": p.ShutOut, "since": p.CreatedAt})
	})
}

type peoplePasswordCommand struct {
	Name         string `arg:"" help:"Whose password."`
	PasswordFile string `help:"File with the password, - for standard input. Else asked for on a terminal, else made and printed once." type:"path"`
}

// Run changes the password; serve may run meanwhile.
func (c peoplePasswordCommand) Run(ctx context.Context, s *surroundings) (err error) {
	o, err := openMigrated(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	var found *people.Person
	err = everybody(ctx, o, func(p people.Person) error {
		if people.Fold(p.Name) == people.Fold(c.Name) {
			found = &p
		}
		return nil
	})
	if err != nil {
		return err
	}
	if found == nil {
		return problem.Newf(problem.NotFound, "nobody is called %q", c.Name)
	}
	password, made, err := givenPassword(s, c.PasswordFile, found.Name)
	if err != nil {
		return err
	}
	err = o.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := o.people.SetPassword(ctx, found.ID, password); err != nil {
			return explain(err)
		}
		return deed(ctx, o.db, "SetPassword", "people password", "person="+found.ID.String())
	})
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	said := map[string]any{"name": found.Name}
	if made {
		said["password"] = password // shown this once
	}
	return json.NewEncoder(s.stdout).Encode(said)
}

// everybody calls with each person in turn.
func everybody(ctx context.Context, o *office, with func(people.Person) error) error {
	const atOnce = 200
	for after := uuid.Nil; ; {
		page, err := o.people.People(ctx, after, atOnce)
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := with(p); err != nil {
				return err
			}
			after = p.ID
		}
		if len(page) < atOnce {
			return nil
		}
	}
}
