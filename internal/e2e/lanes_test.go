package e2e

import (
	"path/filepath"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/proxy"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// neighbours are two running lanes of the scene's store that know each other. Each has
// a line of its own to HQ.
func (s *scene) neighbours(t *testing.T) (lanes [2]*stage.Lane, lines [2]*proxy.Proxy) {
	t.Helper()
	ctx := t.Context()
	var addresses [2]string
	for i := range lanes {
		var err error
		addresses[i], err = process.FreeAddr(ctx)
		must(t, err)
		line, err := process.FreeAddr(ctx)
		must(t, err)
		lines[i], err = proxy.Start(ctx, line, s.HQ.Addr)
		must(t, err)
		t.Cleanup(func() { must(t, lines[i].Close()) })
	}
	for i, name := range []string{"one", "two"} {
		_, code, err := s.Office.CreateTerminal(ctx, s.store.ID, name)
		must(t, err)
		lanes[i], err = stage.Enrol(ctx, s.Bin, name, filepath.Join(s.Dir, name), lines[i].URL(), code, s.Log)
		must(t, err)
		lanes[i].Join(addresses[i], addresses[1-i])
		s.Lanes = append(s.Lanes, lanes[i])
	}
	for _, lane := range lanes {
		must(t, lane.Start(ctx))
		must(t, lane.AwaitOnline(ctx))
	}
	return lanes, lines
}

// The first lane's own line is cut for good. Its sales reach HQ through the second
// lane, and HQ's news reach it the same way.
func TestG1_ALaneWithoutHQGoesThroughAnother(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	anna := s.shopper(t, "Anna", 600)
	lanes, lines := s.neighbours(t)
	must(t, lanes[0].AwaitMember(t.Context(), anna.Code, stage.Points, 600))
	lines[0].Cut()
	sale := sell(t, lanes[0], "r1", edgeclient.QuoteRequest{
		Code: anna.Code, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
	})
	must(t, lanes[0].AwaitDrained(t.Context()))
	must(t, s.AwaitApplied(t.Context()))
	if got, want := s.free(t, anna), int64(600-200)+sale.Earned[0].Amount; got != want {
		t.Errorf("Anna has %d points at HQ, want %d", got, want)
	}
	voucher, err := s.GiveVoucher(t.Context(), anna, s.programme.Breakfast)
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane hears of the voucher through the other", func() (bool, error) {
		scan, err := lanes[0].Scan(t.Context(), anna.Code)
		return len(scan.Vouchers) == 1 && scan.Vouchers[0].ID == voucher, err
	}))
	// With the second lane gone too the first is on its own, and sells on.
	must(t, lanes[1].Kill())
	sell(t, lanes[0], "r2", edgeclient.QuoteRequest{Code: anna.Code, Total: 10_00})
	must(t, lines[0].Restore(t.Context()))
	s.settle(t)
}
