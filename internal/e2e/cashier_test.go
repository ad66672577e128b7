package e2e

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// With the cable unplugged a cashier signs in, guesses wrong, has a manager approve a
// large void and a redemption on a card number, and practises. HQ gets the facts, and has
// nothing to say about them.
func TestG1_CashiersWorkOffline(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	over := int64(50_00)
	must(t, s.Office.PutTillRules(t.Context(), s.store.ID, hqclient.TillRules{VoidOver: &over}))
	ana, err := s.Office.AddCashier(t.Context(), s.store.ID, hqclient.Cashier{Name: "Ana", Role: "cashier", PIN: "4711"})
	must(t, err)
	bo, err := s.Office.AddCashier(t.Context(), s.store.ID, hqclient.Cashier{Name: "Bo", Role: "manager", PIN: "080815"})
	must(t, err)
	anna := s.shopper(t, "Anna", 600)
	must(t, stage.Until(t.Context(), "the lane knows its cashiers", func() (bool, error) {
		roster, err := lane.Cashiers(t.Context())
		return len(roster.Cashiers) == 2, err
	}))
	back := s.offline(t, lane)
	must(t, lane.Stop(t.Context()))
	must(t, lane.Start(t.Context())) // offline since the start

	for range 4 {
		_, err = lane.Client.SignIn(t.Context(), ana.ID, "0000", false)
		wantCode(t, "a wrong PIN", err, problem.PINWrong)
	}
	session, err := lane.Client.SignIn(t.Context(), ana.ID, "4711", false)
	must(t, err)
	till := lane.As(session)

	big, err := till.Sell(t.Context(), "r1", edgeclient.QuoteRequest{Code: anna.Code, Currency: stage.Currency, Total: 60_00})
	must(t, err)
	if big.DoneBy.Name != "Ana" {
		t.Errorf("sold by %+v", big.DoneBy)
	}
	_, err = till.Void(t.Context(), "v1", big.ID)
	wantCode(t, "a large void", err, problem.ApprovalNeeded)
	_, err = till.Approve(t.Context(), ana.ID, "4711", map[string]any{"for": "void", "sale": big.ID})
	wantCode(t, "a cashier approves", err, problem.ManagerNeeded)
	approval, err := till.Approve(t.Context(), bo.ID, "080815", map[string]any{"for": "void", "sale": big.ID})
	must(t, err)
	_, err = till.VoidApproved(t.Context(), "v1", big.ID, approval)
	must(t, err)

	s.redeemByNumber(t, till, anna, bo)
	s.practise(t, lane, ana, anna)
	back()
	if got := s.free(t, anna); got != 600-200+17 {
		t.Errorf("Anna has %d points at HQ", got)
	}
	all, err := s.Office.Exceptions(t.Context())
	must(t, err)
	if len(all) != 0 {
		t.Errorf("exceptions %+v", all)
	}
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// redeemByNumber buys a coffee with the number on the card.
func (s *scene) redeemByNumber(t *testing.T, till *edgeclient.Client, who stage.Shopper, manager hqclient.Cashier) {
	t.Helper()
	detail, err := s.Office.Member(t.Context(), who.ID)
	must(t, err)
	scan, err := till.Scan(t.Context(), detail.Member.Card)
	must(t, err)
	if scan.Freshness != "keyed" || scan.Member != who.ID {
		t.Fatalf("typed %q: %+v", detail.Member.Card, scan)
	}
	want := edgeclient.QuoteRequest{
		Scans: []uuid.UUID{scan.ID}, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}},
	}
	_, err = till.Quote(t.Context(), want)
	wantCode(t, "redeeming on a number", err, problem.ApprovalNeeded)
	want.Approval, err = till.Approve(t.Context(), manager.ID, "080815", map[string]any{"for": "redeem", "scan": scan.ID})
	must(t, err)
	sale, err := till.Sell(t.Context(), "r2", want)
	must(t, err)
	if sale.ToPay != 17_00 || sale.ApprovedBy.Name != "Bo" || len(sale.Register) != 1 || sale.Register[0].Amount != 3_00 {
		t.Errorf("sold %+v", sale)
	}
}

// practise makes a training sale, of which nothing may be left.
func (s *scene) practise(t *testing.T, lane *stage.Lane, cashier hqclient.Cashier, who stage.Shopper) {
	t.Helper()
	before, err := lane.Status(t.Context())
	must(t, err)
	session, err := lane.Client.SignIn(t.Context(), cashier.ID, "4711", true)
	must(t, err)
	drill, err := lane.As(session).Sell(t.Context(), "r3", coffee(s, who))
	must(t, err)
	after, err := lane.Status(t.Context())
	must(t, err)
	if !drill.Training || drill.Seq != 0 || after.HeadSeq != before.HeadSeq {
		t.Errorf("practised %+v, the journal went from %d to %d", drill, before.HeadSeq, after.HeadSeq)
	}
	_, err = lane.Void(t.Context(), "v3", drill.ID)
	wantCode(t, "a real void of it", err, problem.SaleUnknown)
}
