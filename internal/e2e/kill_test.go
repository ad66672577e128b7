package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// workers is how many clients sell at a time in the fault stories.
const workers = 8

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("shopper %d", i+1)
	}
	return out
}

// terminalOf asks a lane which terminal it is.
func terminalOf(t *testing.T, l *stage.Lane) uuid.UUID {
	t.Helper()
	s, err := l.Status(t.Context())
	must(t, err)
	return s.Terminal
}

// strike waits for the moment at which a fault falls. It is the fault's own
// timing, not a wait for something to happen.
func strike(from, to time.Duration) { time.Sleep(from + rand.N(to-from)) }

func TestG3_SalesSurviveSIGKILLUnderLoad(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	shoppers := s.crowd(t, names(workers), 0)
	terminal := terminalOf(t, lane)
	acks := &ackList{}
	load, stop := startLoad(t.Context(), lane, shoppers, acks)
	defer stop()
	kills := count(t, "TALLYSTICK_KILLS", 50)
	for n := range kills {
		if n%5 == 4 { // every fifth time HQ is out of reach
			s.WAN.Cut()
		}
		strike(20*time.Millisecond, 300*time.Millisecond)
		acks.freeze(true)
		must(t, lane.Kill())
		acks.freeze(false)
		must(t, lane.Start(t.Context()))
		must(t, s.WAN.Restore(t.Context()))
	}
	strike(50*time.Millisecond, 100*time.Millisecond)
	stop()
	s.settle(t)
	load.check(t)
	s.checkLedger(t, terminal, shoppers, acks.all())
	t.Logf("edge: %d x SIGKILL, %d entries acknowledged before them, %d calls", kills, distinct(acks.all()), load.tries.Load())
}

func TestG4_HQKilledInTheMiddleOfASync(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	shoppers := s.crowd(t, names(workers), 0)
	terminal := terminalOf(t, lane)
	acks := &ackList{}
	load, stop := startLoad(t.Context(), lane, shoppers, acks)
	defer stop()
	kills := count(t, "TALLYSTICK_HQ_KILLS", 10)
	for range kills {
		strike(50*time.Millisecond, 500*time.Millisecond)
		must(t, s.HQ.Kill())
		must(t, s.HQ.Start(t.Context()))
	}
	strike(50*time.Millisecond, 100*time.Millisecond)
	stop()
	var err error
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	s.settle(t)
	load.check(t)
	s.checkLedger(t, terminal, shoppers, acks.all())
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("hq verify: %v\n%s", err, out)
	}
	t.Logf("HQ: %d x SIGKILL, %d entries acknowledged to tills meanwhile", kills, distinct(acks.all()))
}

// A sale made while HQ was down must be found after both were killed at once.
func TestG3_BothEndsKilledAtOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	anna := s.shopper(t, "Anna", 300)
	must(t, s.HQ.Kill())
	sale := sell(t, lane, "r1", edgeclient.QuoteRequest{
		Code: anna.Code, Total: 10_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
	})
	must(t, lane.Kill())
	must(t, s.HQ.Start(t.Context()))
	must(t, lane.Start(t.Context()))
	var err error
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	s.settle(t)
	if got := s.free(t, anna); got != 300-200+7 {
		t.Fatalf("Anna has %d points at HQ after %+v", got, sale)
	}
}
