package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
)

var _ people.Store = (*DB)(nil)

type personRow struct {
	ID        []byte `bun:"id"`
	Name      string `bun:"name"`
	Role      string `bun:"role"`
	Password  string `bun:"password"`
	CreatedAt int64  `bun:"created_at"`
}

func (r personRow) person() people.Person {
	return people.Person{ID: toID(r.ID), Name: r.Name, Role: people.Role(r.Role), ShutOut: r.Password == "", CreatedAt: fromMillis(r.CreatedAt)}
}

const personColumns = "id, name, role, password, created_at"

// Person implements people.Store.
func (db *DB) Person(ctx context.Context, id uuid.UUID) (people.Person, error) {
	return one(ctx, db, personRow.person, "person", "SELECT "+personColumns+" FROM people WHERE id = ?", id[:])
}

// People implements people.Store.
func (db *DB) People(ctx context.Context, after uuid.UUID, limit int) ([]people.Person, error) {
	return page(ctx, db, personRow.person, "SELECT "+personColumns+" FROM people WHERE id > ? ORDER BY id LIMIT ?", after[:], limit)
}

// SetPassword implements people.Store.
func (db *DB) SetPassword(ctx context.Context, id uuid.UUID, passwordHash string) error {
	return db.changed(ctx, "UPDATE people SET password = ? WHERE id = ?", passwordHash, id[:])
}

// SetRole implements people.Store.
func (db *DB) SetRole(ctx context.Context, id uuid.UUID, role people.Role) error {
	return db.changed(ctx, "UPDATE people SET role = ? WHERE id = ?", string(role), id[:])
}

// EndSessionsOf implements people.Store.
func (db *DB) EndSessionsOf(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := db.exec(ctx, "UPDATE sessions SET ended_at = ? WHERE person = ? AND ended_at = 0", toMillis(at), id[:])
	return err
}

// AddPerson implements people.Store.
func (db *DB) AddPerson(ctx context.Context, p people.Person, passwordHash string) error {
	_, err := db.exec(ctx, "INSERT INTO people (id, name, folded, role, password, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		p.ID[:], p.Name, people.Fold(p.Name), string(p.Role), passwordHash, toMillis(p.CreatedAt))
	return taken(err, problem.NameTaken, "there is a person of this name")
}

// PersonByName implements people.Store.
func (db *DB) PersonByName(ctx context.Context, name string) (people.Person, string, error) {
	row, err := one(ctx, db, func(r personRow) personRow { return r }, "person",
		"SELECT "+personColumns+" FROM people WHERE folded = ?", name)
	return row.person(), row.Password, err
}

// CountPeople returns how many people there are.
func (db *DB) CountPeople(ctx context.Context) (int64, error) { return db.count(ctx, "people") }

// AddSession implements people.Store. It forgets sessions that ran out a day ago.
func (db *DB) AddSession(ctx context.Context, s people.Session) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		if _, err := db.exec(ctx, "DELETE FROM sessions WHERE expires_at < ?", toMillis(s.CreatedAt.Add(-24*time.Hour))); err != nil {
			return err
		}
		_, err := db.exec(ctx, "INSERT INTO sessions (id, person, created_at, expires_at, ended_at) VALUES (?, ?, ?, ?, 0)",
			s.ID[:], s.Person[:], toMillis(s.CreatedAt), toMillis(s.ExpiresAt))
		return err
	})
}

type sessionRow struct {
	personRow
	Session   []byte `bun:"session"`
	OpenedAt  int64  `bun:"opened_at"`
	ExpiresAt int64  `bun:"expires_at"`
}

// SessionPerson implements people.Store.
func (db *DB) SessionPerson(ctx context.Context, id uuid.UUID) (people.Session, people.Person, error) {
	row, err := one(ctx, db, func(r sessionRow) sessionRow { return r }, "session",
		"SELECT p.id, p.name, p.role, p.password, p.created_at, s.id AS session, s.created_at AS opened_at, s.expires_at"+
			" FROM sessions AS s JOIN people AS p ON p.id = s.person WHERE s.id = ? AND s.ended_at = 0", id[:])
	if err != nil {
		return people.Session{}, people.Person{}, err
	}
	p := row.person()
	return people.Session{ID: toID(row.Session), Person: p.ID, CreatedAt: fromMillis(row.OpenedAt), ExpiresAt: fromMillis(row.ExpiresAt)}, p, nil
}

// EndSession implements people.Store.
func (db *DB) EndSession(ctx context.Context, id uuid.UUID, at time.Time) error {
	_, err := db.exec(ctx, "UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at = 0", toMillis(at), id[:])
	return err
}

var _ people.AnswerStore = (*DB)(nil)

type answerRow struct {
	ID          []byte `bun:"id"`
	Request     []byte `bun:"request"`
	Status      int    `bun:"status"`
	ContentType string `bun:"content_type"`
	Sealed      []byte `bun:"sealed"`
	CreatedAt   int64  `bun:"created_at"`
}

func (r answerRow) answer() people.KeptAnswer {
	a := people.KeptAnswer{Status: r.Status, ContentType: r.ContentType, Sealed: r.Sealed, At: fromMillis(r.CreatedAt)}
	copy(a.ID[:], r.ID)
	copy(a.Request[:], r.Request)
	return a
}

// Answer implements people.AnswerStore.
func (db *DB) Answer(ctx context.Context, id [32]byte) (people.KeptAnswer, error) {
	return one(ctx, db, answerRow.answer, "answer",
		"SELECT id, request, status, content_type, sealed, created_at FROM answers WHERE id = ?", id[:])
}

// AddAnswer implements people.AnswerStore.
func (db *DB) AddAnswer(ctx context.Context, a people.KeptAnswer) error {
	_, err := db.exec(ctx, "INSERT INTO answers (id, request, status, content_type, sealed, created_at) VALUES (?, ?, ?, ?, ?, ?)",
		a.ID[:], a.Request[:], a.Status, a.ContentType, blob(a.Sealed), toMillis(a.At))
	return taken(err, problem.Conflict, "the key was answered meanwhile")
}
