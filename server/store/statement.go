package store

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	"github.com/uptrace/bun"
)

// query is one statement with many rows' values.
type query struct {
	db        *DB
	on        bun.IDB // a transaction, or the reader or writer
	text      string
	args      []any
	formatted bool // the values stand in the text
}

// exec runs a change.
func (q query) exec(ctx context.Context) error {
	if q.formatted {
		_, err := q.on.NewRaw(q.text, q.args...).Exec(ctx)
		return err
	}
	if s := q.prepared(ctx); s != nil {
		_, err := s.ExecContext(ctx, q.args...)
		return err
	}
	_, err := direct(q.on).ExecContext(ctx, q.text, slices.Concat(q.db.mode, q.args)...)
	return err
}

// scan reads all rows into a pointer to a slice.
func (q query) scan(ctx context.Context, into any) error {
	if q.formatted {
		return q.on.NewRaw(q.text, q.args...).Scan(ctx, into)
	}
	var rows *sql.Rows
	var err error
	if s := q.prepared(ctx); s != nil {
		rows, err = s.QueryContext(ctx, q.args...)
	} else {
		rows, err = direct(q.on).QueryContext(ctx, q.text, slices.Concat(q.db.mode, q.args)...)
	}
	if err != nil {
		return err
	}
	return q.db.reader.ScanRows(ctx, rows, into)
}

// plain is a database or a transaction without bun's formatting of arguments.
type plain interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func direct(on bun.IDB) plain {
	switch on := on.(type) {
	case bun.Tx:
		return on.Tx
	case *bun.DB:
		return on.DB
	default:
		return on
	}
}

// prepared returns the statement prepared in the transaction it runs in, or nil
// when it is to be run as it is. On PostgreSQL the driver itself keeps statements.
func (q query) prepared(ctx context.Context) *sql.Stmt {
	tx, ok := q.on.(bun.Tx)
	if !ok || !q.db.sqlite {
		return nil
	}
	if s := q.db.kept.find(q.text); s != nil {
		return tx.StmtContext(ctx, s)
	}
	return nil
}

// keptMost bounds how many statements are kept. Texts are constants of this program,
// some in several sizes.
const keptMost = 512

// kept are SQLite's prepared statements. The writer has one connection and a
// transaction holds it, so a text that is met in one is prepared before the next.
type kept struct {
	mu     sync.Mutex
	ready  map[string]*sql.Stmt
	wanted []string
}

func (k *kept) find(text string) *sql.Stmt {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, known := k.ready[text]
	if !known && len(k.ready) < keptMost {
		if k.ready == nil {
			k.ready = map[string]*sql.Stmt{}
		}
		k.ready[text] = nil
		k.wanted = append(k.wanted, text)
	}
	return s
}

// prepare prepares what was met since. A text that cannot be prepared is run as it
// is, and fails there.
func (k *kept) prepare(ctx context.Context, on *sql.DB) {
	k.mu.Lock()
	wanted := k.wanted
	k.wanted = nil
	k.mu.Unlock()
	for _, text := range wanted {
		s, err := on.PrepareContext(ctx, text)
		if err != nil {
			continue
		}
		k.mu.Lock()
		k.ready[text] = s
		k.mu.Unlock()
	}
}
