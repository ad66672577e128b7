package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"modernc.org/sqlite"

	"github.com/tallystick/tallystick/internal/problem"
)

// toMillis and fromMillis keep the zero time as zero.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// toID reads an id column; a column that is no id is a damaged row.
func toID(raw []byte) uuid.UUID {
	id, err := uuid.FromBytes(raw)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// missing turns "no row" into problem.NotFound.
func missing(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return problem.New(problem.NotFound, "no such "+what)
	}
	return err
}

// taken turns a key that exists already into the given code.
func taken(err error, code problem.Code, detail string) error {
	var pg *pgconn.PgError
	var lite *sqlite.Error
	const uniqueKey, primaryKey = 2067, 1555 // SQLite's extended codes of a constraint
	switch {
	case errors.As(err, &pg) && pg.Code == "23505",
		errors.As(err, &lite) && (lite.Code() == uniqueKey || lite.Code() == primaryKey):
		return problem.Wrap(code, err, detail)
	}
	return err
}

// changed runs an update that must hit one row, or else answers problem.Conflict:
// somebody changed the record since it was read.
func (db *DB) changed(ctx context.Context, query string, args ...any) error {
	n, err := db.exec(ctx, query, args...)
	if err != nil {
		return err
	}
	if n != 1 {
		return problem.New(problem.Conflict, "the record was changed meanwhile")
	}
	return nil
}

// exec runs a change and returns how many rows it hit.
func (db *DB) exec(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := db.write(ctx).ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// page reads rows of one shape and turns each into a record.
func page[row, record any](ctx context.Context, db *DB, turn func(row) record, query string, args ...any) ([]record, error) {
	var rows []row
	if err := db.read(ctx).NewRaw(query, args...).Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := make([]record, len(rows))
	for i, r := range rows {
		out[i] = turn(r)
	}
	return out, nil
}

// one reads one row of a shape, or problem.NotFound.
func one[row, record any](ctx context.Context, db *DB, turn func(row) record, what, query string, args ...any) (record, error) {
	var r row
	if err := db.read(ctx).NewRaw(query, args...).Scan(ctx, &r); err != nil {
		var none record
		return none, missing(err, what)
	}
	return turn(r), nil
}

// byIDs reads the rows of many ids or digests, whose place in the query is its one
// question mark.
func byIDs[row, record any, id uuid.UUID | [32]byte](ctx context.Context, db *DB, turn func(row) record, query string, ids []id) ([]record, error) {
	out := make([]record, 0, len(ids))
	for some := range slices.Chunk(ids, bulk) {
		rows, err := page(ctx, db, turn, query, bun.List(convert(some, rawOf[id])))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

func rawOf[id uuid.UUID | [32]byte](v id) []byte {
	switch v := any(v).(type) {
	case uuid.UUID:
		return v[:]
	case [32]byte:
		return v[:]
	}
	return nil
}

// count counts the rows of a table of this room.
func (db *DB) count(ctx context.Context, table string) (int64, error) {
	var n int64
	err := db.read(ctx).NewRaw("SELECT COUNT(*) FROM "+table).Scan(ctx, &n)
	return n, err
}
