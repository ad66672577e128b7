package pg

import (
	"database/sql"
	"fmt"
	"net/url"
	"testing"
	"time"
)

// Pair is a server and its synchronous standby: what one has committed, both have.
type Pair struct {
	Primary, Standby *Cluster
}

// StartPair starts both; they end with the test.
func StartPair(t testing.TB) *Pair {
	t.Helper()
	p := &Pair{Primary: Start(t), Standby: prepare(t)}
	copying := p.Standby.command("pg_basebackup", "--pgdata="+p.Standby.data(), "--dbname="+p.Primary.dsn("postgres"),
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	if out, err := copying.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	p.Standby.start(t)
	// After the copy, so that the standby waits for nobody once it is promoted.
	p.Primary.exec(t, "ALTER SYSTEM SET synchronous_standby_names = '*'")
	p.Primary.exec(t, "SELECT pg_reload_conf()")
	p.await(t, p.Primary, "SELECT COUNT(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
	return p
}

// Database makes an empty database and returns an address that names both servers
// and reaches whichever takes changes.
func (p *Pair) Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("t%d", p.Primary.databases.Add(1))
	p.Primary.exec(t, "CREATE DATABASE "+name)
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=5432,5432&sslmode=disable&target_session_attrs=read-write",
		p.Primary.user, name, url.QueryEscape(p.Primary.dir+","+p.Standby.dir))
}

// KillPrimary ends the primary with SIGKILL.
func (p *Pair) KillPrimary(t testing.TB) {
	t.Helper()
	p.Primary.Kill(t)
}

// Promote makes the standby take changes.
func (p *Pair) Promote(t testing.TB) {
	t.Helper()
	p.await(t, p.Standby, "SELECT pg_promote()")
}

// await waits until a question is answered with true.
func (p *Pair) await(t testing.TB, c *Cluster, question string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(readyWithin)
	for {
		yes := false
		c.do(t, func(db *sql.DB) error { return db.QueryRow(question).Scan(&yes) })
		if yes {
			return
		}
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("after %s it is still not so: %s", readyWithin, question)
		}
	}
}
