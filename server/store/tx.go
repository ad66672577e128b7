package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"modernc.org/sqlite"

	"github.com/tallystick/tallystick/internal/clock"
)

// maxTries bounds how often a transaction is repeated when the engine asks for it.
const maxTries = 12

// txKey is the context key of the running transaction.
type txKey struct{}

type transaction struct {
	db    *DB
	tx    bun.Tx
	after []func()
}

// InTx runs fn in a transaction that methods called with fn's context join. Inside
// a running transaction of the same database it only calls fn. When the engine asks
// for a repeat (PostgreSQL 40001 and 40P01, SQLite busy) the whole of fn runs again,
// so fn must start anew each time and do nothing outside the database.
func (db *DB) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if db.running(ctx) != nil {
		return fn(ctx)
	}
	for try := 1; ; try++ {
		err := db.once(ctx, fn)
		if err == nil || !repeatable(err) || try == maxTries {
			return err
		}
		if err := clock.Wait(ctx, time.Duration(try*try)*time.Millisecond); err != nil {
			return err
		}
	}
}

// AfterCommit calls fn once the transaction in ctx has committed, or at once when
// there is none. A transaction that is rolled back or repeated forgets it.
func (db *DB) AfterCommit(ctx context.Context, fn func()) {
	if t := db.running(ctx); t != nil {
		t.after = append(t.after, fn)
		return
	}
	fn()
}

func (db *DB) once(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	db.kept.prepare(ctx, db.writer.DB)
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	t := &transaction{db: db, tx: tx}
	done := false
	defer func() {
		if done {
			return
		}
		// Also on a panic: the connection goes back to the pool clean.
		if rerr := tx.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) && err != nil {
			err = fmt.Errorf("%w (and roll back: %w)", err, rerr)
		}
	}()
	if err := fn(context.WithValue(ctx, txKey{}, t)); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	done = true
	for _, after := range t.after {
		after()
	}
	return nil
}

func (db *DB) running(ctx context.Context) *transaction {
	if t, ok := ctx.Value(txKey{}).(*transaction); ok && t.db == db {
		return t
	}
	return nil
}

// read returns where a query runs: in the transaction of ctx, or on any reader.
func (db *DB) read(ctx context.Context) bun.IDB {
	if t := db.running(ctx); t != nil {
		return t.tx
	}
	return db.reader
}

// write returns where a change runs: in the transaction of ctx, or by itself.
func (db *DB) write(ctx context.Context) bun.IDB {
	if t := db.running(ctx); t != nil {
		return t.tx
	}
	return db.writer
}

// repeatable reports whether the engine undid the transaction for reasons that
// are over when it runs again.
func repeatable(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "40001" || pg.Code == "40P01"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		const busy, locked = 5, 6
		return lite.Code()&0xff == busy || lite.Code()&0xff == locked
	}
	return false
}
