package e2e

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// TestTillPage plays the stories of the till's page against a real lane and HQ.
func TestTillPage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane 1")
	needBrowser(t, "http://"+lane.Addr+"/till/")
	shoppers := s.crowd(t, []string{"Gabi", "Ada <b>x</b>", "Kerem", "Zofia"}, 2_000)
	voucher, err := s.GiveVoucher(t.Context(), shoppers[0], s.programme.Breakfast)
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane knows the voucher", func() (bool, error) {
		scan, err := lane.Scan(t.Context(), shoppers[0].Code)
		return err == nil && len(scan.Vouchers) == 1 && scan.Vouchers[0].ID == voucher, err
	}))
	soon := s.expiring(t, lane, 300, shoppers[0], shoppers[3])
	goods := sell(t, lane, "R-100", edgeclient.QuoteRequest{
		Code: shoppers[1].Code, Total: 30_00,
		Lines: []edgeclient.Line{{SKU: "tea", Quantity: 2_000, Amount: 10_00}, {SKU: "cups", Quantity: 4_000, Amount: 20_00}},
	})
	codes := map[string]string{}
	for _, one := range shoppers {
		codes[one.Alias] = one.Code
	}
	detail, err := s.Office.Member(t.Context(), shoppers[3].ID)
	must(t, err)
	// Head office by another name than that at which the lane was enrolled.
	public := strings.Replace(s.WAN.URL(), "127.0.0.1", "localhost", 1)
	stories{
		script: "till.mjs",
		stage: map[string]any{
			"till": "http://" + lane.Addr + "/till/", "hq": s.HQ.URL(), "token": s.Office.Token, "breakfast": s.programme.Breakfast.ID, "codes": codes, "goods": goods.ID, "coffee": s.programme.Coffee.Name,
			"number": detail.Member.Card, "join": s.WAN.URL() + "/card?store=" + s.store.ID.String(),
			"soon": soon.Format(time.RFC3339), "public": public + "/card?store=" + s.store.ID.String(),
		},
		actions: map[string]func() error{
			"hire":       func() error { return s.hire(t, lane) },
			"numbers":    func() error { return s.wantReceipts(t, lane, true) },
			"no-numbers": func() error { return s.wantReceipts(t, lane, false) },
			"hq-down":    func() error { return s.HQ.Stop(t.Context()) },
			"hq-up":      func() error { return s.HQ.Start(t.Context()) },
			"kill":       lane.Kill,
			"public":     func() error { return s.goPublic(t, public) },
			"start":      func() error { return lane.Start(t.Context()) },
			"drained":    func() error { return lane.AwaitDrained(t.Context()) },
		},
	}.play(t)
}

// expiring gives shoppers points that expire in twelve days, and says when.
func (s *scene) expiring(t *testing.T, lane *stage.Lane, points int64, to ...stage.Shopper) time.Time {
	t.Helper()
	at := time.Now().UTC().Truncate(24 * time.Hour).Add(12*24*time.Hour + 12*time.Hour)
	for _, one := range to {
		must(t, s.Office.Adjust(t.Context(), one.ID, hqclient.Adjustment{Unit: stage.Points, Amount: points, Reason: "goodwill", ExpiresAt: at}))
		must(t, stage.Until(t.Context(), "the lane knows what expires", func() (bool, error) {
			scan, err := lane.Scan(t.Context(), one.Code)
			return err == nil && len(scan.Balances) == 1 && scan.Balances[0].Expiring.Amount == points && scan.Balances[0].Expiring.At.Equal(at), err
		}))
	}
	return at
}

// goPublic has head office say where shoppers reach it.
func (s *scene) goPublic(t *testing.T, address string) error {
	s.HQ.More = []string{"--public-url", address}
	return errors.Join(s.HQ.Stop(t.Context()), s.HQ.Start(t.Context()))
}

// hire gives the store a cashier and a manager, and rules: nobody sells without signing
// in, and a void of more than 50.00 needs the manager.
func (s *scene) hire(t *testing.T, lane *stage.Lane) error {
	over := int64(50_00)
	if err := s.Office.PutTillRules(t.Context(), s.store.ID, hqclient.TillRules{SignIn: true, VoidOver: &over}); err != nil {
		return err
	}
	for _, one := range []hqclient.Cashier{{Name: "Ana", Role: "cashier", PIN: "4711"}, {Name: "Bo", Role: "manager", PIN: "080815"}} {
		if _, err := s.Office.AddCashier(t.Context(), s.store.ID, one); err != nil {
			return err
		}
	}
	return stage.Until(t.Context(), "the lane knows its cashiers", func() (bool, error) {
		roster, err := lane.Cashiers(t.Context())
		return roster.SignIn && len(roster.Cashiers) == 2, err
	})
}

// wantReceipts has the store take no sale without the register's receipt number, or any.
func (s *scene) wantReceipts(t *testing.T, lane *stage.Lane, want bool) error {
	if err := s.Office.PutTillRules(t.Context(), s.store.ID, hqclient.TillRules{ReceiptRequired: want}); err != nil {
		return err
	}
	return stage.Until(t.Context(), "the lane knows whether receipts are needed", func() (bool, error) {
		status, err := lane.Status(t.Context())
		return status.ReceiptRequired == want, err
	})
}
