package store

import (
	"context"

	"github.com/tallystick/tallystick/server/people"
)

// AddAct implements people.Store.
func (db *DB) AddAct(ctx context.Context, a people.Act) error {
	_, err := db.exec(ctx, "INSERT INTO acts (id, at, person, name, role, operation, subject, detail, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		a.ID[:], toMillis(a.At), a.Person[:], a.Name, string(a.Role), a.Operation, a.Subject, a.Detail, a.Address)
	return err
}
