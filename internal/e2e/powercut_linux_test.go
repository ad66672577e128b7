package e2e

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/powercut"
	"github.com/tallystick/tallystick/internal/testkit/process"
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
	t.Parallel()
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

// The negative control: the same cuts on an edge that never syncs must lose.
func TestG3_EdgeWithoutSyncLosesInPowerCuts(t *testing.T) {
	t.Parallel()
	const cuts = 5
	broken := lyingEdge(t)
	losing, acked, lost := 0, 0, 0
	for range cuts {
		n, gone := lyingCut(t, broken)
		t.Logf("edge without sync: %d of %d acknowledged sales lost", gone, n)
		if gone > 0 {
			losing++
		}
		acked, lost = acked+n, lost+gone
	}
	if losing < 3 {
		t.Fatalf("only %d of %d cuts lost anything: these cuts have no teeth", losing, cuts)
	}
	t.Logf("edge without sync: %d of %d acknowledged sales lost, in %d of %d cuts", lost, acked, losing, cuts)
}

// lyingCut cuts the power under a lane of the broken build once, and returns how
// many acknowledged sales it does not know afterwards; all when it does not start.
func lyingCut(t *testing.T, broken process.Binaries) (acked, lost int) {
	t.Helper()
	disk := tillDisk(t)
	s := newScene(t)
	lane := s.laneIn(t, "lane1", filepath.Join(disk.Dir(), "data"))
	shoppers := s.crowd(t, names(workers), 0)
	s.WAN.Cut()
	must(t, lane.Stop(t.Context()))
	lane.Use(broken)
	must(t, lane.Start(t.Context()))
	acks := &ackList{}
	_, stop := startLoad(t.Context(), lane, shoppers, acks)
	strike(200*time.Millisecond, 400*time.Millisecond)
	acks.freeze(true)
	must(t, errors.Join(disk.Cut(), lane.Kill(), disk.Restore(t.Context())))
	stop()
	list := acks.all()
	if len(list) == 0 {
		t.Fatal("no sale was acknowledged: there was no load")
	}
	if err := lane.Start(t.Context()); err != nil {
		t.Logf("the lane does not start again: %v", err)
		return distinct(list), distinct(list)
	}
	status, err := lane.Status(t.Context())
	must(t, err)
	for _, a := range list {
		if a.seq > status.HeadSeq {
			lost++
			continue
		}
		if a.kind == "sale" {
			if sale, err := lane.Sale(t.Context(), a.id); err != nil || sale.Seq != a.seq || sale.Hash != a.hash {
				lost++
			}
		}
	}
	return len(list), lost
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
