package e2e

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/proxy"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

func TestDemoIsAsTold(t *testing.T) {
	t.Parallel()
	demoIsAsTold(t)
}

func TestG1_RestartWithHQOffThenRedeem(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	anna := s.shopper(t, "Anna", 600)
	voucher, err := s.GiveVoucher(t.Context(), anna, s.programme.Breakfast)
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane knows the voucher", func() (bool, error) {
		scan, err := lane.Scan(t.Context(), anna.Code)
		return len(scan.Vouchers) == 1, err
	}))
	must(t, s.HQ.Stop(t.Context()))
	must(t, lane.Stop(t.Context()))
	must(t, lane.Start(t.Context()))
	sale := sell(t, lane, "r1", edgeclient.QuoteRequest{
		Code: anna.Code, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}, {Voucher: voucher}},
	})
	if sale.ToPay != 12_00 {
		t.Fatalf("to pay %d, want 1200", sale.ToPay)
	}
	_, err = lane.Quote(t.Context(), edgeclient.QuoteRequest{
		Code: anna.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Voucher: voucher}},
	})
	wantCode(t, "the voucher again", err, problem.VoucherUsed)
	must(t, s.HQ.Start(t.Context()))
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	s.settle(t)
	if got := s.free(t, anna); got != 600-200+12 {
		t.Fatalf("Anna has %d points at HQ", got)
	}
}

// Answers to pushes are lost after 0, 1 and 40 bytes, and requests arrive twice.
func TestG4_LostAndDoubledAnswersChangeNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	shoppers := s.crowd(t, names(2), 0)
	terminal := terminalOf(t, lane)
	acks := &ackList{}
	load, stop := startLoad(t.Context(), lane, shoppers, acks)
	defer stop()
	for _, after := range []int64{0, 1, 40} {
		lost := s.WAN.Stats().Lost
		s.WAN.SetFault(proxy.Fault{Path: "/sync/v1/push", LoseAfter: after, Times: 3})
		must(t, stage.Until(t.Context(), "three answers are lost", func() (bool, error) {
			return s.WAN.Stats().Lost == lost+3, nil
		}))
	}
	s.WAN.Cut() // so that lanes connect anew and the doubling holds
	s.WAN.SetFault(proxy.Fault{LoseAfter: -1, Duplicate: true})
	must(t, s.WAN.Restore(t.Context()))
	connections := s.WAN.Stats().Connections
	must(t, stage.Until(t.Context(), "the lane has connected anew", func() (bool, error) {
		return s.WAN.Stats().Connections > connections, nil
	}))
	stop()
	s.settle(t)
	load.check(t)
	s.checkLedger(t, terminal, shoppers, acks.all())
	status, err := s.Office.Status(t.Context())
	must(t, err)
	if status.OpenExceptions != 0 {
		t.Errorf("HQ has %d exceptions", status.OpenExceptions)
	}
	t.Logf("network: %d answers lost, %d entries acknowledged", s.WAN.Stats().Lost, distinct(acks.all()))
}

// pos returns a client of the lane whose connections go through a proxy.
func pos(t *testing.T, lane *stage.Lane) (*edgeclient.Client, *proxy.Proxy) {
	t.Helper()
	p, err := proxy.Start(t.Context(), "127.0.0.1:0", lane.Addr)
	must(t, err)
	c := edgeclient.New(lane.Base, lane.Token)
	c.HTTP.Transport = &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, p.Addr())
		},
	}
	t.Cleanup(func() {
		c.Close()
		must(t, p.Close())
	})
	return c, p
}

func TestG4_POSThatLostTheAnswer(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	anna := s.shopper(t, "Anna", 600)
	till, wire := pos(t, lane)
	redeem := edgeclient.QuoteRequest{
		Code: anna.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
	}
	quote, err := till.Quote(t.Context(), redeem)
	must(t, err)
	request := edgeclient.SaleRequest{Quote: quote.ID, Receipt: "r1"}
	wire.SetFault(proxy.Fault{LoseAfter: 0, Times: 1})
	if _, err := till.Commit(t.Context(), "key-1", request); err == nil {
		t.Fatal("the answer was not lost")
	}
	found, err := till.Find(t.Context(), "r1")
	must(t, err)
	if len(found) != 1 || found[0].State != edgeclient.Committed {
		t.Fatalf("receipt r1: %+v", found)
	}
	again, err := till.Commit(t.Context(), "key-1", request)
	must(t, err)
	if again.ID != found[0].ID || again.Seq != found[0].Seq {
		t.Fatalf("the same key gave %+v, then %+v", found[0], again)
	}
	_, err = till.Commit(t.Context(), "key-1", edgeclient.SaleRequest{Quote: quote.ID, Receipt: "r2"})
	wantCode(t, "the same key for another request", err, problem.IdempotencyReused)
	undone, err := till.VoidByKey(t.Context(), "void-1", "key-1")
	must(t, err)
	if undone.Sale != again.ID {
		t.Fatalf("voided %s, want %s", undone.Sale, again.ID)
	}
	_, err = till.VoidByKey(t.Context(), "void-2", "key-never-used")
	wantCode(t, "void of a key without a sale", err, problem.SaleUnknown)
	s.settle(t)
	if got := s.free(t, anna); got != 600 {
		t.Fatalf("Anna has %d points at HQ, want her 600 back", got)
	}
}

func TestG4_ExportFromAMovedDiskIsImportedOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	anna := s.shopper(t, "Anna", 600)
	terminal := terminalOf(t, lane)
	s.WAN.Cut()
	for _, receipt := range []string{"r1", "r2"} {
		sell(t, lane, receipt, edgeclient.QuoteRequest{
			Code: anna.Code, Total: 13_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
		})
	}
	must(t, lane.Kill())
	moved := filepath.Join(t.TempDir(), "moved")
	must(t, os.CopyFS(moved, os.DirFS(lane.Data)))
	there := *lane
	there.Data = moved
	file := filepath.Join(t.TempDir(), "lane1.export")
	said, err := there.Export(t.Context(), file)
	must(t, err)
	t.Logf("edge export: %s", said)
	for range 2 {
		said, err := s.HQ.Import(t.Context(), file)
		must(t, err)
		t.Logf("hq import: %s", said)
		must(t, s.AwaitApplied(t.Context()))
		if got := s.free(t, anna); got != 600-2*200+2*10 {
			t.Fatalf("Anna has %d points at HQ after the import", got)
		}
	}
	// The lane comes back after all, and sends the same entries by itself.
	must(t, s.WAN.Restore(t.Context()))
	must(t, lane.Start(t.Context()))
	s.settle(t)
	if got := s.free(t, anna); got != 600-2*200+2*10 {
		t.Fatalf("Anna has %d points at HQ after the lane came back", got)
	}
	s.checkEntriesOnce(t, terminal)
}

// checkEntriesOnce checks that HQ has no number of the terminal twice and no exception.
func (s *scene) checkEntriesOnce(t *testing.T, terminal uuid.UUID) {
	t.Helper()
	exceptions, err := s.Office.Exceptions(t.Context())
	must(t, err)
	if len(exceptions) != 0 {
		t.Errorf("HQ has exceptions: %+v", exceptions)
	}
	entries, err := s.Office.Entries(t.Context(), terminal)
	must(t, err)
	seen := map[uint64]bool{}
	for _, e := range entries {
		if seen[e.Seq] {
			t.Errorf("HQ has entry %d twice", e.Seq)
		}
		seen[e.Seq] = true
	}
}
