package e2e

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/citus"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// workerVariable names a program that ends one worker of the cluster at once when
// called with "down", and starts it again with "up".
const workerVariable = "TALLYSTICK_TEST_CITUS_WORKER"

// onTwoLanes plays something that happens to a Citus cluster while two replicas
// take two lanes' journals in, and checks that nothing acknowledged is lost or doubled.
func onTwoLanes(t *testing.T, happens func(t *testing.T, cluster *citus.Cluster, goOn func(more int))) {
	t.Helper()
	cluster, spread := onCitus(t)
	s := newScene(t, spread)
	lanes := []*stage.Lane{s.lane(t, "lane1"), s.laneAt(t, s.replica(t), "lane2")}
	shoppers := s.crowd(t, names(workers), 0)
	loads, stop := s.sellEverywhere(t, lanes, shoppers)
	goOn := func(more int) {
		t.Helper()
		for _, l := range loads {
			l.sellMore(t, more)
		}
	}
	goOn(100)
	happens(t, cluster, goOn)
	goOn(100)
	stop()
	s.settleWithin(t, 5*time.Minute)
	s.checkAfterFaults(t, lanes, loads)
}

// settleWithin is settle with patience for what has queued up.
func (s *scene) settleWithin(t *testing.T, patience time.Duration) {
	t.Helper()
	must(t, stage.UntilWithin(t.Context(), patience, "HQ has taken in and applied everything", func() (bool, error) {
		for _, l := range s.Lanes {
			status, err := l.Status(t.Context())
			if err != nil || status.Queue > 0 {
				return false, err
			}
		}
		status, err := s.Office.Status(t.Context())
		return err == nil && status.Unapplied == 0, err
	}))
}

// Every shard moves to the first worker and back to both, under load.
func TestSoakShardsOnCitusAreRebalancedUnderLoad(t *testing.T) {
	onTwoLanes(t, func(t *testing.T, cluster *citus.Cluster, goOn func(int)) {
		for _, statement := range []string{
			"SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) FROM pg_dist_node WHERE nodeid = (SELECT max(nodeid) FROM pg_dist_node WHERE groupid > 0)",
			"SELECT rebalance_table_shards(drain_only => true, shard_transfer_mode => 'force_logical')",
			"SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node WHERE groupid > 0",
			"SELECT rebalance_table_shards(shard_transfer_mode => 'force_logical')",
		} {
			began := time.Now()
			_, err := cluster.DB.ExecContext(context.WithoutCancel(t.Context()), statement)
			must(t, err)
			t.Logf("%6.1f s  %s", time.Since(began).Seconds(), statement)
			goOn(20)
		}
		var placed []byte
		must(t, cluster.DB.QueryRowContext(t.Context(), "SELECT json_object_agg(nodeport, n) FROM "+
			"(SELECT nodeport, COUNT(*) AS n FROM citus_shards WHERE citus_table_type = 'distributed' GROUP BY nodeport) AS p").Scan(&placed))
		t.Logf("shards by node: %s", placed)
	})
}

// A worker is killed under load and comes back.
func TestSoakWorkerOfCitusKilledAndBack(t *testing.T) {
	program := os.Getenv(workerVariable)
	if program == "" {
		t.Skipf("SKIPPED ALOUD: %s names no program that stops and starts a worker of the Citus cluster", workerVariable)
	}
	onTwoLanes(t, func(t *testing.T, _ *citus.Cluster, goOn func(int)) {
		worker := func(how string) {
			_, err := process.Run(t.Context(), process.Spec{Path: program, Args: []string{how}})
			must(t, err)
		}
		worker("down")
		goOn(100) // the tills notice nothing
		worker("up")
	})
}
