package e2e

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/citus"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// onDatabase is the environment of an hq with a database elsewhere.
func onDatabase(dsn string) string { return "TALLYSTICK_HQ_DB=" + dsn }

// The story of the demo, with HQ on PostgreSQL.
func TestDemoIsAsToldOnPostgreSQL(t *testing.T) {
	t.Parallel()
	demoIsAsTold(t, onDatabase(pg.Start(t).Database(t)))
}

// The same on a database spread over a Citus cluster.
func TestDemoIsAsToldOnCitus(t *testing.T) {
	_, spread := onCitus(t)
	demoIsAsTold(t, spread)
}

func demoIsAsTold(t *testing.T, env ...string) {
	t.Helper()
	bin := binaries(t)
	out, err := process.Run(t.Context(), process.Spec{
		Path: bin.Path("fleet"), Args: []string{"demo", "--mode=check", "--bin", bin.Dir, "--dir", t.TempDir()}, Env: env,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "hq verify passes") {
		t.Errorf("the demo did not verify:\n%s", out)
	}
}

// onCitus makes a schema that is spread already, and the environment of an hq on it.
func onCitus(t *testing.T) (cluster *citus.Cluster, spread string) {
	t.Helper()
	cluster = citus.Need(t)
	spread = onDatabase(cluster.Schema(t))
	for range 2 { // the second time it has nothing to do
		_, err := process.Run(t.Context(), process.Spec{
			Path: binaries(t).Path("hq"), Args: []string{"migrate", "--data", t.TempDir(), "--distributed"}, Env: []string{spread},
		})
		must(t, err)
	}
	return cluster, spread
}

// replica starts one more hq on the database and with the keys of the scene's.
func (s *scene) replica(t *testing.T) *stage.HQ {
	t.Helper()
	addr, err := process.FreeAddr(t.Context())
	must(t, err)
	other := *s.HQ // shares the data directory, that is, the keys
	other.Addr = addr
	must(t, other.Start(t.Context()))
	t.Cleanup(func() { must(t, other.Stop(context.Background())) })
	return &other
}

// Three replicas on one PostgreSQL: each lane speaks to another one, the first is
// killed under load and comes back, and nothing acknowledged is lost or doubled.
func TestG4_ThreeReplicasAreOneHQ(t *testing.T) {
	t.Parallel()
	s := newScene(t, onDatabase(pg.Start(t).Database(t)))
	threeReplicas(t, s)
}

func threeReplicas(t *testing.T, s *scene) {
	t.Helper()
	replicas := []*stage.HQ{s.replica(t), s.replica(t)}
	lanes := []*stage.Lane{s.lane(t, "lane1"), s.laneAt(t, replicas[0], "lane2"), s.laneAt(t, replicas[1], "lane3")}
	shoppers := s.crowd(t, names(workers), 0)
	loads, stop := s.sellEverywhere(t, lanes, shoppers)
	sold := func(more int) {
		t.Helper()
		for _, l := range loads {
			l.sellMore(t, more)
		}
	}
	sold(50)
	// What one replica is told reaches the lanes of all, while they sell.
	s.crowd(t, []string{"late"}, 25)
	// The first replica began to apply first; another takes over.
	must(t, s.HQ.Kill())
	var err error
	s.Office, err = hqclient.SignIn(t.Context(), replicas[0].URL(), stage.Admin, s.HQ.Password)
	must(t, err)
	sold(50)
	must(t, s.awaitApplying(t))
	must(t, s.HQ.Start(t.Context()))
	sold(50)
	stop()
	s.checkAfterFaults(t, lanes, loads)
}

// sellEverywhere has every lane sell without end, until the returned function ends it.
func (s *scene) sellEverywhere(t *testing.T, lanes []*stage.Lane, shoppers []stage.Shopper) ([]*load, func()) {
	t.Helper()
	var loads []*load
	var stops []func()
	for _, lane := range lanes {
		l, stop := startLoad(t.Context(), lane, shoppers, &ackList{})
		loads, stops = append(loads, l), append(stops, stop)
	}
	return loads, func() {
		for i, stop := range stops {
			stop()
			lanes[i].Close() // connections the client keeps would hold up the lane's stop
		}
	}
}

// sellMore waits until so many more sales were acknowledged.
func (l *load) sellMore(t *testing.T, more int) {
	t.Helper()
	want := len(l.acks.all()) + more
	must(t, stage.Until(t.Context(), "the lane has sold", func() (bool, error) { return len(l.acks.all()) >= want, nil }))
}

// checkAfterFaults waits until all is applied and holds it against what each lane
// acknowledged.
func (s *scene) checkAfterFaults(t *testing.T, lanes []*stage.Lane, loads []*load) {
	t.Helper()
	s.settle(t)
	for i, l := range loads {
		l.check(t)
		s.checkEntries(t, terminalOf(t, lanes[i]), l.acks.all())
		lanes[i].Close()
	}
	s.checkBalance(t)
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("hq verify: %v\n%s", err, out)
	}
}

// awaitApplying waits until HQ applies what comes in.
func (s *scene) awaitApplying(t *testing.T) error {
	t.Helper()
	before, err := s.Office.Status(t.Context())
	must(t, err)
	return stage.Until(t.Context(), "a replica applies", func() (bool, error) {
		now, err := s.Office.Status(t.Context())
		return err == nil && now.Entries-now.Unapplied > before.Entries, err
	})
}

// checkEntries checks that HQ has each acknowledged entry of a terminal once, as it
// was acknowledged, and has applied it.
func (s *scene) checkEntries(t *testing.T, terminal uuid.UUID, acks []ack) {
	t.Helper()
	entries, err := s.Office.Entries(t.Context(), terminal)
	must(t, err)
	hashes := map[uint64]string{}
	for _, e := range entries {
		if _, twice := hashes[e.Seq]; twice {
			t.Errorf("HQ has entry %d of %s twice", e.Seq, terminal)
		}
		if e.State != "applied" {
			t.Errorf("entry %d of %s is %s", e.Seq, terminal, e.State)
		}
		hashes[e.Seq] = e.Hash
	}
	for _, a := range acks {
		if !strings.HasPrefix(hashes[a.seq], a.hash) {
			t.Errorf("acknowledged entry %d of %s is not in the ledger", a.seq, terminal)
		}
	}
	t.Logf("terminal %s: %d entries, %d of them acknowledged to the till", terminal, len(entries), distinct(acks))
}

func (s *scene) checkBalance(t *testing.T) {
	t.Helper()
	balance, err := s.Office.TrialBalance(t.Context())
	must(t, err)
	if !balance.Balanced {
		t.Errorf("the trial balance is off: %+v", balance.Lines)
	}
}

// laneAt enrols and starts a lane that speaks to one replica only.
func (s *scene) laneAt(t *testing.T, r *stage.HQ, name string) *stage.Lane {
	t.Helper()
	_, code, err := s.Office.CreateTerminal(t.Context(), s.store.ID, name)
	must(t, err)
	lane, err := stage.Enrol(t.Context(), s.Bin, name, filepath.Join(s.Dir, name), r.URL(), code, s.Log)
	must(t, err)
	s.Lanes = append(s.Lanes, lane)
	must(t, lane.Start(t.Context()))
	must(t, lane.AwaitOnline(t.Context()))
	return lane
}
