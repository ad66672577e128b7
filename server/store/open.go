package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// Options are limits of a database handle; zero fields take the defaults.
type Options struct {
	// Readers is how many connections may read at once on SQLite, and how many
	// connections there may be in all on PostgreSQL. The default is 8.
	Readers int
	// BusyWait is how long SQLite waits for another process's lock. Default 10 s.
	BusyWait time.Duration
}

// DB is HQ's database. It is safe for concurrent use.
type DB struct {
	reader *bun.DB
	writer *bun.DB // SQLite: one connection whose transactions lock at once; else reader
	sqlite bool
	kept   kept        // of the writer, on SQLite
	mode   []any       // on PostgreSQL, what goes before the arguments of a statement that comes often
	nodes  atomic.Bool // whether rows are spread over the nodes of a Citus cluster
}

// Open opens "sqlite:<path>" or "postgres://…". It does not migrate. The SQLite
// file is made when it does not exist.
func Open(ctx context.Context, dsn string, o Options) (*DB, error) {
	if o.Readers <= 0 {
		o.Readers = 8
	}
	if o.BusyWait <= 0 {
		o.BusyWait = 10 * time.Second
	}
	var db *DB
	var err error
	switch path, isFile := strings.CutPrefix(dsn, "sqlite:"); {
	case isFile:
		db, err = openSQLite(path, o)
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		db, err = openPostgres(dsn, o)
	default:
		return nil, fmt.Errorf("open database: address must begin with sqlite: or postgres://")
	}
	if err != nil {
		return nil, err
	}
	if err := db.Ping(ctx); err != nil {
		return nil, fmt.Errorf("open database: %w", closeAfter(db, err))
	}
	spread, err := db.Distributed(ctx)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", closeAfter(db, err))
	}
	db.nodes.Store(spread)
	return db, nil
}

func openSQLite(path string, o Options) (*DB, error) {
	// Escaped, because the driver reads what follows a question mark as options.
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	options := fmt.Sprintf("?_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=cache_size(-65536)&_pragma=temp_store(MEMORY)", o.BusyWait.Milliseconds())
	writer, err := sql.Open("sqlite", "file:"+name+options+"&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	writer.SetMaxOpenConns(1)
	reader, err := sql.Open("sqlite", "file:"+name+options)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	reader.SetMaxOpenConns(o.Readers)
	reader.SetMaxIdleConns(o.Readers)
	return &DB{
		reader: bun.NewDB(reader, sqlitedialect.New()), writer: bun.NewDB(writer, sqlitedialect.New()), sqlite: true,
	}, nil
}

func openPostgres(dsn string, o Options) (*DB, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{}
	if !strings.Contains(dsn, "default_query_exec_mode") {
		// A statement with its values in its text comes once. One with arrays comes
		// often: it is prepared, and planned for as many rows as there are.
		config.DefaultQueryExecMode = pgx.QueryExecModeExec
		config.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
		db.mode = []any{pgx.QueryExecModeCacheStatement}
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(o.Readers)
	pool.SetMaxIdleConns(o.Readers)
	db.reader = bun.NewDB(pool, pgdialect.New())
	db.writer = db.reader
	return db, nil
}

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	question := "SELECT 1"
	if db.sqlite {
		question = "PRAGMA schema_version" // reads the file, which SELECT 1 does not
	}
	var answer int64
	return db.reader.NewRaw(question).Scan(ctx, &answer)
}

// Time returns what the database's own clock says; a file has none, which is the zero time.
func (db *DB) Time(ctx context.Context) (time.Time, error) {
	var now time.Time
	if db.sqlite {
		return now, nil
	}
	err := db.reader.NewRaw("SELECT clock_timestamp()").Scan(ctx, &now)
	return now, err
}

// Close ends all connections.
func (db *DB) Close() error {
	err := db.writer.Close()
	if db.reader != db.writer {
		if rerr := db.reader.Close(); err == nil {
			err = rerr
		}
	}
	return err
}

func closeAfter(db *DB, err error) error {
	if cerr := db.Close(); cerr != nil {
		return fmt.Errorf("%w (and close: %w)", err, cerr)
	}
	return err
}
