package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tallystick/tallystick/internal/testkit/pg"
)

func TestLostTellsADatabaseThatIsAwayFromAWrongStatement(t *testing.T) {
	state := func(code string) error { return &pgconn.PgError{Code: code} }
	for _, c := range []struct {
		err  error
		want bool
	}{
		{state("57P01"), true},
		{state("57P03"), true},
		{state("08006"), true},
		{state("53300"), true},
		{state("53100"), true},
		{state("58030"), true},
		{state("25006"), true},
		{state("40001"), true},
		{state("40P01"), true},
		{state("23505"), false},
		{state("42601"), false},
		{state("57014"), false},
		{state("22003"), false},
		{driver.ErrBadConn, true},
		{sql.ErrConnDone, true},
		{pgconn.ErrConnClosed, true},
		{io.ErrUnexpectedEOF, true},
		{io.EOF, true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{syscall.EPIPE, true},
		{&pgconn.ConnectError{}, true},
		{errors.New("anything"), false},
		{sql.ErrNoRows, false},
		{context.Canceled, false},
	} {
		if got := Lost(fmt.Errorf("do: %w (and roll back: %w)", c.err, sql.ErrTxDone)); got != c.want {
			t.Errorf("%v: %v, want %v", c.err, got, c.want)
		}
	}
}

func TestASQLiteFileThatIsLockedOrGoneIsLost(t *testing.T) {
	ctx := context.Background()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "hq.db")
	db, err := Open(ctx, dsn, Options{BusyWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(ctx, dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	write := func() error { return db.InTx(ctx, func(context.Context) error { return nil }) }
	if err := write(); err != nil {
		t.Fatal(err)
	}
	err = other.InTx(ctx, func(context.Context) error { return write() })
	if !Lost(err) {
		t.Errorf("locked by another: %v", err)
	}
	if err := errors.Join(db.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "no folder", "hq.db"), Options{}); !Lost(err) {
		t.Errorf("no folder: %v", err)
	}
}

// The server dies with a transaction open, is down, and comes back: each is the one
// or the other and nothing else.
func TestEveryWayToLosePostgreSQLIsLost(t *testing.T) {
	ctx := context.Background()
	cluster := pg.Start(t)
	db, err := Open(ctx, cluster.Database(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // some of its connections are broken
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	statement := func(ctx context.Context) error { _, err := db.FeedHeads(ctx); return err }
	err = db.InTx(ctx, func(ctx context.Context) error {
		if err := statement(ctx); err != nil {
			return err
		}
		cluster.Kill(t)
		return statement(ctx)
	})
	if !Lost(err) {
		t.Errorf("in the middle of a transaction: %v", err)
	}
	for what, err := range map[string]error{
		"a statement": statement(ctx), "a transaction": db.InTx(ctx, statement), "ping": db.Ping(ctx),
		"listen": db.Listen(ctx, "", func(Topic) {}, TopicFeed), "notify": db.Notify(ctx, TopicFeed, ""),
	} {
		if !Lost(err) {
			t.Errorf("%s while it is down: %v", what, err)
		}
	}
	cluster.Restart(t)
	if err := errors.Join(db.Ping(ctx), statement(ctx), db.InTx(ctx, statement)); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}
