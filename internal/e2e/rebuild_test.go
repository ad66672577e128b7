package e2e

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// Sales, voids, a voucher and an overdraw from two lanes, one of which sends late:
// the journals alone give the same ledger on either engine, and a changed row shows.
func TestG7_RebuildIsTheSameLedger(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lanes := []*stage.Lane{s.lane(t, "lane1"), s.lane(t, "lane2")}
	shoppers := s.crowd(t, names(workers), 300)
	_, err := s.GiveVoucher(t.Context(), shoppers[0], s.programme.Breakfast)
	must(t, err)
	s.WAN.Cut() // both lanes spend the same points, and send them late
	for i, lane := range lanes {
		must(t, lane.AwaitOffline(t.Context()))
		sell(t, lane, "both"+string(rune('1'+i)), edgeclient.QuoteRequest{
			Code: shoppers[1].Code, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
		})
	}
	must(t, s.WAN.Restore(t.Context()))
	loads, stop := s.sellEverywhere(t, lanes, shoppers)
	for _, l := range loads {
		l.sellMore(t, 100)
	}
	stop()
	s.settle(t)
	must(t, s.HQ.Stop(t.Context()))
	rebuild := func(more ...string) (string, error) {
		out, err := process.Run(t.Context(), process.Spec{
			Path: s.Bin.Path("hq"), Args: append([]string{"rebuild", "--data", s.HQ.Data}, more...),
		})
		return string(out), err
	}
	out, err := rebuild()
	t.Log(out)
	must(t, err)
	if !strings.Contains(out, " 0 differ") {
		t.Errorf("hq rebuild: %s", out)
	}
	out, err = rebuild("--into", pg.Start(t).Database(t))
	must(t, err)
	if !strings.Contains(out, " 0 differ") {
		t.Errorf("hq rebuild into PostgreSQL: %s", out)
	}
	change(t, filepath.Join(s.HQ.Data, "hq.db"), "UPDATE holdings SET free = free + 1 WHERE unit = 'points' AND account = (SELECT MIN(account) FROM holdings)")
	out, err = rebuild()
	if err == nil || !strings.Contains(out, "DIFFERS  holdings") || !strings.Contains(out, " 2 differ") {
		t.Errorf("a changed row was not found: %v\n%s", err, out)
	}
	must(t, s.HQ.Start(t.Context()))
}

// change changes a database behind HQ's back.
func change(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file)
	must(t, err)
	_, err = db.ExecContext(t.Context(), statement)
	must(t, errors.Join(err, db.Close()))
}
