package pg

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
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
	bin       string
	dir       string
	user      string
	databases atomic.Int64
}

// Start starts a server that ends with the test. Writes are not synced to disk:
// tests end processes, they do not cut the power.
func Start(t testing.TB) *Cluster {
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
	c := &Cluster{bin: bin, dir: dir, user: name}
	data := filepath.Join(dir, "data")
	initdb := command(dir, credential, filepath.Join(bin, "initdb"), "-D", data, "-U", name, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	server := command(dir, credential, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "max_connections=100", "-c", "shared_buffers=64MB")
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, server, &log) })
	c.wait(t)
	return c
}

func stop(t testing.TB, server *exec.Cmd, log *bytes.Buffer) {
	// SIGINT is PostgreSQL's fast shutdown: sessions are ended, files closed.
	if err := server.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := server.Wait(); err != nil {
		t.Errorf("postgres ended with %v\n%s", err, log.Bytes())
	}
}

func command(dir string, credential *syscall.Credential, path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
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
	db, err := sql.Open("pgx", c.dsn("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec("CREATE DATABASE " + name)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatal(err)
	}
	return c.dsn(name)
}
