package e2e

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// hq runs one command of hq.
func (s *scene) hq(t *testing.T, args ...string) {
	t.Helper()
	out, err := s.HQ.Command(t.Context(), args...)
	must(t, err)
	t.Logf("hq %s: %s", args[0], out)
}

// yesterday plays the day before: sales that are in the backup, taken under load.
func yesterday(t *testing.T, s *scene, backUp func()) (*stage.Lane, []stage.Shopper, *load, func()) {
	t.Helper()
	lane := s.lane(t, "lane1")
	shoppers := s.crowd(t, names(workers), 300)
	l, stop := startLoad(t.Context(), lane, shoppers, &ackList{})
	must(t, stage.Until(t.Context(), "the lane has sold", func() (bool, error) { return len(l.acks.all()) > 100, nil }))
	backUp()
	return lane, shoppers, l, stop
}

// HQ is restored from yesterday's backup while a lane sells: the lane sends again
// what HQ lost, nothing is lost or doubled, and it takes HQ's new caps although it
// had seen versions that the backup does not know.
func TestG4_HQRestoredFromYesterdaysBackup(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	file := filepath.Join(t.TempDir(), "hq.backup")
	lane, shoppers, l, stop := yesterday(t, s, func() { s.hq(t, "backup", "--data", s.HQ.Data, file) })
	defer stop()
	s.today(t, lane, l)
	must(t, s.HQ.Kill())
	again := filepath.Join(s.Dir, "restored")
	s.hq(t, "restore", "--data", again, "--keys", filepath.Join(s.HQ.Data, "keys.json"), file)
	s.HQ.Data = again
	s.tomorrow(t, lane, shoppers, l, stop)
}

// The same on PostgreSQL with its own tools: pg_dump, pg_restore, then hq new-epoch.
func TestG4_PostgreSQLRestoredFromYesterdaysDump(t *testing.T) {
	t.Parallel()
	cluster := pg.Start(t)
	first := cluster.Database(t)
	s := newScene(t, onDatabase(first))
	file := filepath.Join(t.TempDir(), "hq.dump")
	lane, shoppers, l, stop := yesterday(t, s, func() {
		tool(t, cluster.Tool("pg_dump"), "--format=custom", "--file="+file, "--dbname="+first)
	})
	defer stop()
	s.today(t, lane, l)
	must(t, s.HQ.Kill())
	second := cluster.Database(t)
	tool(t, cluster.Tool("pg_restore"), "--exit-on-error", "--dbname="+second, file)
	s.HQ.Env = []string{onDatabase(second)}
	s.hq(t, "new-epoch", "--data", s.HQ.Data)
	s.tomorrow(t, lane, shoppers, l, stop)
}

func tool(t *testing.T, path string, args ...string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(path), err, out)
	}
}

// today goes on after the backup: caps change twice, and HQ takes more sales in.
func (s *scene) today(t *testing.T, lane *stage.Lane, l *load) {
	t.Helper()
	strict := stage.DefaultPolicy
	strict.PerSale = 100
	for range 2 {
		must(t, s.Office.PutPolicy(t.Context(), strict))
	}
	s.awaitCap(t, lane, strict.PerSale)
	before, err := s.Office.Status(t.Context())
	must(t, err)
	must(t, stage.Until(t.Context(), "HQ has more", func() (bool, error) {
		now, err := s.Office.Status(t.Context())
		return now.Entries > before.Entries+100 && len(l.acks.all()) > 200, err
	}))
}

// awaitCap waits until the lane shows the cap per sale that is in force.
func (s *scene) awaitCap(t *testing.T, lane *stage.Lane, want int64) {
	t.Helper()
	must(t, stage.Until(t.Context(), "the lane decides under the caps in force", func() (bool, error) {
		status, err := lane.Status(t.Context())
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(status.Caps, func(c edgeclient.Cap) bool { return c.Name == "per_sale" && c.Limit == want }), nil
	}))
}

// tomorrow starts the restored HQ and holds it against everything acknowledged.
func (s *scene) tomorrow(t *testing.T, lane *stage.Lane, shoppers []stage.Shopper, l *load, stop func()) {
	t.Helper()
	must(t, s.HQ.Start(t.Context()))
	var err error
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	// Yesterday's caps are in force again, and reach the lane.
	s.awaitCap(t, lane, stage.DefaultPolicy.PerSale)
	strict := stage.DefaultPolicy
	strict.PerSale = 150
	must(t, s.Office.PutPolicy(t.Context(), strict))
	s.awaitCap(t, lane, strict.PerSale)
	stop()
	s.settle(t)
	l.check(t)
	s.checkLedger(t, terminalOf(t, lane), shoppers, l.acks.all())
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("hq verify: %v\n%s", err, out)
	}
	lane.Close() // connections the client keeps would hold up the lane's stop
}
