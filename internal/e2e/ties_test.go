package e2e

import (
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// Stores are told of members with ties to them. A shopper new to a store, which has no
// network either, shows a card: the sale earns, redeeming waits. When the network is
// back HQ finds the account and the store is told of the member, who then redeems.
func TestG1_AShopperNewToAStoreEarnsThereOffline(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		newToAStore(t)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		newToAStore(t, onDatabase(pg.Start(t).Database(t)))
	})
}

func newToAStore(t *testing.T, env ...string) {
	t.Helper()
	s := newScene(t, append(env, "TALLYSTICK_HQ_FEED_SCOPE=ties")...)
	lane := s.lane(t, "lane1")
	all, err := s.EnrolMany(t.Context(), []string{"anna"}, 700)
	must(t, err)
	anna := all[0]
	must(t, s.HQ.Stop(t.Context()))
	scan, err := lane.Scan(t.Context(), anna.Code)
	if err != nil || scan.Member != anna.ID || scan.Alias != "" || len(scan.Balances) != 0 {
		t.Fatalf("%+v, %v: the store knows a member without a tie to it", scan, err)
	}
	coffee := edgeclient.QuoteRequest{Code: anna.Code, Currency: stage.Currency, Total: 10_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID, Times: 1}}}
	_, err = lane.Quote(t.Context(), coffee)
	wantCode(t, "redeeming what nobody here knows of", err, problem.PointsUnknown)
	sell(t, lane, "R1", edgeclient.QuoteRequest{Code: anna.Code, Total: 10_00})
	must(t, s.HQ.Start(t.Context()))
	must(t, lane.AwaitMember(t.Context(), anna.Code, stage.Points, 700))
	s.settle(t)
	if free := s.free(t, anna); free <= 700 {
		t.Errorf("anna has %d points, the sale earned nothing", free)
	}
	sell(t, lane, "R2", coffee)
	s.settle(t)
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("hq verify: %v\n%s", err, out)
	}
}
