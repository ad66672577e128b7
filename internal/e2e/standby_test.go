package e2e

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// Two replicas on a PostgreSQL with a synchronous standby: the primary is killed
// while both take journals in, the standby is promoted, and the replicas go on by
// themselves. Nothing acknowledged is lost or doubled.
func TestG4_PrimaryKilledDuringIngestAndStandbyPromoted(t *testing.T) {
	t.Parallel()
	pair := pg.StartPair(t)
	s := newScene(t, onDatabase(pair.Database(t)))
	other := s.replica(t)
	lanes := []*stage.Lane{s.lane(t, "lane1"), s.laneAt(t, other, "lane2")}
	shoppers := s.crowd(t, names(workers), 0)
	loads, stop := s.sellEverywhere(t, lanes, shoppers)
	for _, l := range loads {
		l.sellMore(t, 200)
	}
	acked := make([]uint64, len(lanes))
	for i, lane := range lanes {
		status, err := lane.Status(t.Context())
		must(t, err)
		acked[i] = status.AckedSeq
	}
	pair.KillPrimary(t)
	for _, l := range loads {
		l.sellMore(t, 100) // tills notice nothing
	}
	pair.Promote(t)
	for i, lane := range lanes {
		must(t, stage.Until(t.Context(), "the lane is heard again", func() (bool, error) {
			status, err := lane.Status(t.Context())
			return status.AckedSeq > acked[i]+100, err
		}))
	}
	stop()
	var err error
	s.Office, err = hqclient.SignIn(t.Context(), other.URL(), stage.Admin, s.HQ.Password)
	must(t, err)
	s.checkAfterFaults(t, lanes, loads)
}
