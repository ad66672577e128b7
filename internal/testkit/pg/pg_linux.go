package pg

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// readyWithin bounds how long the server may take to accept connections.
const readyWithin = 30 * time.Second

// Cluster is a running server.
type Cluster struct {
	bin        string
	dir        string
	user       string
	credential *syscall.Credential
	server     *exec.Cmd
	log        bytes.Buffer
	killed     bool
	databases  atomic.Int64
}

// Start starts a server that ends with the test. Writes are not synced to disk:
// tests end processes, they do not cut the power.
func Start(t testing.TB) *Cluster {
	t.Helper()
	c := prepare(t)
	initdb := c.command("initdb", "-D", c.data(), "-U", c.user, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	c.start(t)
	return c
}

// prepare makes the folder of a server.
func prepare(t testing.TB) *Cluster {
	t.Helper()
	bin := binaries()
	if bin == "" {
		t.Skip("SKIPPED ALOUD: no PostgreSQL binaries in /usr/lib/postgresql (apt-get install postgresql)")
	}
	name, credential := runAs(t)
	dir, err := os.MkdirTemp("", "tallystick-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if credential != nil {
		if err := os.Chown(dir, int(credential.Uid), int(credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return &Cluster{bin: bin, dir: dir, user: name, credential: credential}
}

// start starts the server, to end with the test.
func (c *Cluster) start(t testing.TB) {
	t.Helper()
	t.Cleanup(func() {
		if c.server != nil && !c.killed {
			stop(t, c.server, &c.log)
		}
	})
	c.launch(t)
}

// Kill ends the server with SIGKILL.
func (c *Cluster) Kill(t testing.TB) {
	t.Helper()
	c.killed = true
	if err := c.server.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.server.Wait(); err == nil {
		t.Error("the server ended in good order")
	}
}

// Restart starts a killed server again on what it left.
func (c *Cluster) Restart(t testing.TB) {
	t.Helper()
	c.launch(t)
	c.killed = false
}

// launch starts the server on the data in its folder and waits until it answers.
func (c *Cluster) launch(t testing.TB) {
	t.Helper()
	c.server = c.command("postgres", "-D", c.data(), "-k", c.dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "max_connections=100", "-c", "shared_buffers=64MB")
	c.server.Stdout, c.server.Stderr = &c.log, &c.log
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	c.wait(t)
}

// PID is the server's process, whose children serve the connections.
func (c *Cluster) PID() int { return c.server.Process.Pid }

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func stop(t testing.TB, server *exec.Cmd, log *bytes.Buffer) {
	// SIGINT is PostgreSQL's fast shutdown: sessions are ended, files closed.
	if err := server.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("postgres ended with %v\n%s", err, log.Bytes())
	}
}

// command is one of PostgreSQL's own programs, as the user the server runs as.
func (c *Cluster) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(c.Tool(program), args...)
	cmd.Dir = c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	return cmd
}

// binaries returns the folder of the newest installed server, or nothing.
func binaries() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return ""
	}
	slices.Sort(found)
	return filepath.Dir(found[len(found)-1])
}

// runAs picks who the server runs as: this user, or, since PostgreSQL refuses
// root, Debian's postgres or nobody.
func runAs(t testing.TB) (string, *syscall.Credential) {
	t.Helper()
	if os.Geteuid() != 0 {
		me, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		return me.Username, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr == nil && gerr == nil {
			return name, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("SKIPPED ALOUD: no unprivileged user to run PostgreSQL as")
	return "", nil
}

func (c *Cluster) dsn(database string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s&sslmode=disable", c.user, database, url.QueryEscape(c.dir))
}

func (c *Cluster) wait(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyWithin)
	defer cancel()
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			t.Fatalf("postgres does not answer: %v", err)
		}
	}
}

// Tool returns the path of one of PostgreSQL's own programs.
func (c *Cluster) Tool(name string) string { return filepath.Join(c.bin, name) }

// Database makes an empty database and returns its address.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("t%d", c.databases.Add(1))
	c.exec(t, "CREATE DATABASE "+name)
	return c.dsn(name)
}

// Copy makes a copy of a database that nobody is connected to, given its address, and
// returns the copy's. The copy goes when the test ends.
func (c *Cluster) Copy(t testing.TB, dsn string) string {
	t.Helper()
	of, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("t%d", c.databases.Add(1))
	c.exec(t, "CREATE DATABASE "+name+" TEMPLATE "+strings.TrimPrefix(of.Path, "/")+"")
	t.Cleanup(func() { c.exec(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	return c.dsn(name)
}

func (c *Cluster) exec(t testing.TB, statement string) {
	t.Helper()
	c.do(t, func(db *sql.DB) error {
		_, err := db.Exec(statement)
		return err
	})
}

// do runs something on the server's own database.
func (c *Cluster) do(t testing.TB, fn func(db *sql.DB) error) {
	t.Helper()
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fn(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}
