//go:build linux

package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// The engines.
const (
	sqlite   = "sqlite"
	postgres = "postgres"
)

// engine is where databases of one kind are made.
type engine struct {
	kind   string
	server *server // nil on SQLite
}

func newEngine(t *testing.T, o options, kind string) engine {
	t.Helper()
	if kind == sqlite {
		return engine{kind: kind}
	}
	return engine{kind: kind, server: startServer(t, o.profile)}
}

// database returns the address of an empty database.
func (e engine) database(t *testing.T, name string) string {
	t.Helper()
	if e.kind == sqlite {
		return "sqlite:" + filepath.Join(t.TempDir(), name+".db")
	}
	return e.server.database(t, name)
}

// server is a PostgreSQL that syncs what it commits, which the test kit's does not:
// what HQ acknowledges must be on the disk, and that is part of its price.
type server struct {
	dir  string
	user string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

// startServer copies a fresh cluster of the test kit and runs the copy with syncing.
// counted has it count its statements.
func startServer(t *testing.T, counted bool) *server {
	t.Helper()
	fresh := pg.Start(t)
	from := fresh.Database(t)
	address, err := url.Parse(from)
	must(t, err)
	s := &server{user: address.User.Username()}
	s.dir, err = os.MkdirTemp("", "tallystick-bench-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(s.dir)) })
	credential := s.own(t)
	run := func(tool string, args ...string) *exec.Cmd {
		cmd := exec.Command(fresh.Tool(tool), args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, &s.log, &s.log
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
		return cmd
	}
	data := filepath.Join(s.dir, "data")
	if err := run("pg_basebackup", "--pgdata="+data, "--dbname="+from, "--checkpoint=fast").Run(); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, s.log.Bytes())
	}
	settings := []string{
		"-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=on", "-c", "synchronous_commit=on",
		"-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB", "-c", "max_connections=100",
	}
	if counted {
		settings = append(settings, "-c", "shared_preload_libraries=pg_stat_statements", "-c", "pg_stat_statements.track_planning=on")
	}
	s.cmd = run("postgres", settings...)
	must(t, s.cmd.Start())
	t.Cleanup(func() {
		must(t, s.cmd.Process.Signal(syscall.SIGINT)) // fast shutdown
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("postgres ended with %v\n%s", err, s.log.Bytes())
		}
	})
	must(t, stage.Until(t.Context(), "PostgreSQL answers", func() (bool, error) {
		err := s.exec(t.Context(), "SELECT 1")
		return err == nil, err
	}))
	return s
}

// own gives the folder to the user the server runs as, who is never root.
func (s *server) own(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup(s.user)
	must(t, err)
	uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
	must(t, errors.Join(uerr, gerr, os.Chown(s.dir, int(uid), int(gid))))
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *server) dsn(database string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s&sslmode=disable", s.user, database, url.QueryEscape(s.dir))
}

func (s *server) database(t *testing.T, name string) string {
	t.Helper()
	must(t, s.exec(t.Context(), "CREATE DATABASE "+name))
	return s.dsn(name)
}

func (s *server) exec(ctx context.Context, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// statements logs what the server spent most time on since reset, and starts anew.
func (s *server) statements(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.dsn("postgres"))
	must(t, err)
	defer func() { must(t, conn.Close(context.Background())) }()
	_, err = conn.Exec(t.Context(), "CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
	must(t, err)
	rows, err := conn.Query(t.Context(), "SELECT round((total_exec_time + total_plan_time)::numeric)::bigint, round(total_plan_time::numeric)::bigint, calls, rows, "+
		"left(regexp_replace(query, '\\s+', ' ', 'g'), 110) FROM pg_stat_statements ORDER BY total_exec_time + total_plan_time DESC LIMIT 15")
	must(t, err)
	t.Log("ms, of them planning, calls, rows, statement")
	var all, planning, calls, count int64
	var text string
	_, err = pgx.ForEachRow(rows, []any{&all, &planning, &calls, &count, &text}, func() error {
		t.Logf("%7d %6d %7d %8d  %s", all, planning, calls, count, text)
		return nil
	})
	must(t, err)
	_, err = conn.Exec(t.Context(), "SELECT pg_stat_statements_reset()")
	must(t, err)
}
