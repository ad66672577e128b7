package store

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/casework"
)

var _ casework.Store = (*DB)(nil)

type caseRow struct {
	Shard      int    `bun:"shard"`
	Exception  []byte `bun:"exception"`
	Owner      []byte `bun:"owner"`
	OwnerName  string `bun:"owner_name"`
	Resolution string `bun:"resolution"`
	Version    int64  `bun:"version"`
	ChangedAt  int64  `bun:"changed_at"`
}

func (r caseRow) made() casework.Case {
	return casework.Case{
		Shard: r.Shard, Exception: toID(r.Exception), Owner: toID(r.Owner), OwnerName: r.OwnerName,
		Resolution: casework.Resolution(r.Resolution), Version: uint64(r.Version), ChangedAt: fromMillis(r.ChangedAt),
	}
}

// Case implements casework.Store.
func (db *DB) Case(ctx context.Context, shard int, exception uuid.UUID) (casework.Case, error) {
	c, err := one(ctx, db, caseRow.made, "case", "SELECT shard, exception, owner, owner_name, resolution, version, changed_at "+
		"FROM exception_cases WHERE shard = ? AND exception = ?", shard, idBytes(exception))
	if problem.CodeOf(err) == problem.NotFound {
		return casework.Case{Shard: shard, Exception: exception}, nil
	}
	return c, err
}

// PutCase implements casework.Store.
func (db *DB) PutCase(ctx context.Context, c casework.Case) error {
	return db.changed(ctx, "INSERT INTO exception_cases (shard, exception, owner, owner_name, resolution, version, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (shard, exception) DO UPDATE SET owner = EXCLUDED.owner, owner_name = EXCLUDED.owner_name, resolution = EXCLUDED.resolution, "+
		"version = EXCLUDED.version, changed_at = EXCLUDED.changed_at WHERE exception_cases.version = EXCLUDED.version - 1",
		c.Shard, c.Exception[:], c.Owner[:], c.OwnerName, string(c.Resolution), int64(c.Version), toMillis(c.ChangedAt))
}

// AddNote implements casework.Store.
func (db *DB) AddNote(ctx context.Context, n casework.Note) error {
	_, err := db.exec(ctx, "INSERT INTO exception_notes (shard, exception, id, at, person, name, what, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		n.Shard, n.Exception[:], n.ID[:], toMillis(n.At), n.Person[:], n.Name, n.What, n.Text)
	return err
}

type noteRow struct {
	Shard     int    `bun:"shard"`
	Exception []byte `bun:"exception"`
	ID        []byte `bun:"id"`
	At        int64  `bun:"at"`
	Person    []byte `bun:"person"`
	Name      string `bun:"name"`
	What      string `bun:"what"`
	Text      string `bun:"text"`
}

func (r noteRow) note() casework.Note {
	return casework.Note{
		Shard: r.Shard, Exception: toID(r.Exception), ID: toID(r.ID), At: fromMillis(r.At), Person: toID(r.Person), Name: r.Name, What: r.What, Text: r.Text,
	}
}

// Notes implements casework.Store.
func (db *DB) Notes(ctx context.Context, shard int, exception uuid.UUID, limit int) ([]casework.Note, error) {
	notes, err := page(ctx, db, noteRow.note, "SELECT shard, exception, id, at, person, name, what, text FROM exception_notes "+
		"WHERE shard = ? AND exception = ? ORDER BY id DESC LIMIT ?", shard, idBytes(exception), limit)
	slices.Reverse(notes)
	return notes, err
}
