package e2e

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/powercut"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// tillDisk makes the disk of a till.
func tillDisk(t *testing.T) *powercut.Disk {
	t.Helper()
	powercut.Need(t)
	disk, err := powercut.New(t.Context(), t.TempDir(), 512<<20)
	must(t, err)
	t.Cleanup(func() { must(t, disk.Close()) })
	return disk
}

func TestG3_SalesSurvivePowerCutsUnderLoad(t *testing.T) {
	disk := tillDisk(t)
	s := newScene(t)
	lane := s.laneIn(t, "lane1", filepath.Join(disk.Dir(), "data"))
	shoppers := s.crowd(t, names(workers), 0)
	terminal := terminalOf(t, lane)
	acks := &ackList{}
	load, stop := startLoad(t.Context(), lane, shoppers, acks)
	defer stop()
	cuts := count(t, "TALLYSTICK_CUTS", 50)
	for n := range cuts {
		if n%5 == 4 { // every fifth time HQ is out of reach
			s.WAN.Cut()
		}
		strike(20*time.Millisecond, 300*time.Millisecond)
		acks.freeze(true)
		must(t, errors.Join(disk.Cut(), lane.Kill(), disk.Restore(t.Context())))
		acks.freeze(false)
		must(t, lane.Start(t.Context()))
		must(t, s.WAN.Restore(t.Context()))
	}
	strike(50*time.Millisecond, 100*time.Millisecond)
	stop()
	s.settle(t)
	load.check(t)
	s.checkLedger(t, terminal, shoppers, acks.all())
	t.Logf("edge: %d power cuts, %d entries acknowledged before them, %d calls", disk.Cuts(), distinct(acks.all()), load.tries.Load())
}

func TestFullDiskRefusesSalesAndLosesNone(t *testing.T) {
	disk := tillDisk(t)
	s := newScene(t)
	lane := s.laneIn(t, "lane1", filepath.Join(disk.Dir(), "data"))
	anna := s.shopper(t, "Anna", 0)
	basket := edgeclient.QuoteRequest{Code: anna.Code, Currency: stage.Currency, Total: 1_00}
	sell(t, lane, "before", basket)
	giveBack, err := disk.Fill()
	must(t, err)
	began := time.Now()
	_, err = lane.Sell(t.Context(), "full", basket)
	wantCode(t, "a sale on a full disk", err, problem.DiskFull)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the refusal took %s", took)
	}
	if found, err := lane.Find(t.Context(), "full"); err != nil || len(found) != 0 {
		t.Errorf("the refused sale: %+v, %v", found, err)
	}
	must(t, giveBack())
	back := time.Now()
	must(t, stage.Until(t.Context(), "sales are made again", func() (bool, error) {
		_, err := lane.Sell(t.Context(), "after", basket)
		return err == nil, err
	}))
	if took := time.Since(back); took > 5*time.Second {
		t.Errorf("sales came back after %s, want 5 s", took)
	}
	s.settle(t)
	if got := s.free(t, anna); got != 2 {
		t.Errorf("Anna has %d points at HQ, want 2", got)
	}
}
