//go:build linux

package ledger

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// bulkRows is how many rows one statement of the bulk insert on SQLite has.
const bulkRows = 500

// limit is one table with one unique index on an engine: the least that storing
// entries for good can cost there.
type limit interface {
	// bulk inserts every entry as a row, the fastest way the engine has.
	bulk(t *testing.T, entries [][]byte)
	// one inserts one entry and commits.
	one(t *testing.T, raw []byte)
}

// newLimit makes the table in a database of its own on the engine.
func newLimit(t *testing.T, e engine) limit {
	t.Helper()
	dsn := e.database(t, "bound")
	if e.kind == postgres {
		conn, err := pgx.Connect(t.Context(), dsn)
		must(t, err)
		t.Cleanup(func() { must(t, conn.Close(context.Background())) })
		_, err = conn.Exec(t.Context(), "CREATE TABLE bound (terminal BYTEA, epoch BIGINT, seq BIGINT, raw BYTEA)")
		must(t, err)
		_, err = conn.Exec(t.Context(), "CREATE UNIQUE INDEX bound_once ON bound (terminal, epoch, seq)")
		must(t, err)
		return &postgresLimit{conn: conn, terminal: uuid.New()}
	}
	// As server/store opens its database.
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)&_pragma=temp_store(MEMORY)&_txlock=immediate")
	must(t, err)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { must(t, db.Close()) })
	_, err = db.Exec("CREATE TABLE bound (terminal BLOB, epoch INTEGER, seq INTEGER, raw BLOB)")
	must(t, err)
	_, err = db.Exec("CREATE UNIQUE INDEX bound_once ON bound (terminal, epoch, seq)")
	must(t, err)
	return &sqliteLimit{db: db, terminal: uuid.New()}
}

type postgresLimit struct {
	conn     *pgx.Conn
	terminal uuid.UUID
	seq      int64
}

func (l *postgresLimit) bulk(t *testing.T, entries [][]byte) {
	t.Helper()
	n, err := l.conn.CopyFrom(t.Context(), pgx.Identifier{"bound"}, []string{"terminal", "epoch", "seq", "raw"},
		pgx.CopyFromSlice(len(entries), func(i int) ([]any, error) {
			l.seq++
			return []any{l.terminal[:], int64(1), l.seq, entries[i]}, nil
		}))
	must(t, err)
	if int(n) != len(entries) {
		t.Fatalf("%d of %d rows", n, len(entries))
	}
}

func (l *postgresLimit) one(t *testing.T, raw []byte) {
	t.Helper()
	l.seq++
	_, err := l.conn.Exec(t.Context(), "INSERT INTO bound VALUES ($1, $2, $3, $4)", l.terminal[:], int64(1), l.seq, raw)
	must(t, err)
}

type sqliteLimit struct {
	db       *sql.DB
	terminal uuid.UUID
	seq      int64
}

func (l *sqliteLimit) bulk(t *testing.T, entries [][]byte) {
	t.Helper()
	tx, err := l.db.Begin()
	must(t, err)
	for chunk := range slices.Chunk(entries, bulkRows) {
		values := make([]any, 0, 4*len(chunk))
		for _, raw := range chunk {
			l.seq++
			values = append(values, l.terminal[:], 1, l.seq, raw)
		}
		_, err := tx.Exec("INSERT INTO bound VALUES (?, ?, ?, ?)"+strings.Repeat(", (?, ?, ?, ?)", len(chunk)-1), values...)
		must(t, err)
	}
	must(t, tx.Commit())
}

func (l *sqliteLimit) one(t *testing.T, raw []byte) {
	t.Helper()
	l.seq++
	_, err := l.db.Exec("INSERT INTO bound VALUES (?, ?, ?, ?)", l.terminal[:], 1, l.seq, raw)
	must(t, err)
}

// bulkRate returns rows a second.
func bulkRate(t *testing.T, l limit, entries [][]byte) float64 {
	t.Helper()
	began := time.Now()
	l.bulk(t, entries)
	return float64(len(entries)) / time.Since(began).Seconds()
}
