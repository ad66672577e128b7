package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/sync/entry"
)

// formula is an alias that a spreadsheet would run.
const formula = "=1+2"

// The stories of internal/web/stories/console.mjs, played in a browser.
func TestConsolePage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	one, two := s.lane(t, "lane1"), s.lane(t, "lane2")
	mete := s.shopper(t, "Mete Çağrı", 200)
	bob := s.crowd(t, []string{formula, "Bob"}, 0)[1]
	needBrowser(t, s.HQ.URL()+"/console")
	wallets, err := s.HQ.OpenWallets(t.Context(), "https://hq.example")
	must(t, err)
	t.Cleanup(func() { must(t, wallets.Close()) })
	phone := newIPhone(s.HQ.URL(), wallets.Push)
	stories{
		script: "console.mjs",
		stage: map[string]any{
			"hq": s.HQ.URL(), "name": stage.Admin, "password": s.HQ.Password, "alias": mete.Alias, "formula": formula,
		},
		actions: map[string]func() error{
			"sell offline": func() error {
				s.WAN.Cut()
				return sellInBoth(t.Context(), s, mete, one, two)
			},
			"close the day of lane1": func() error { return closeDay(t.Context(), one) },
			"close the day of lane2": func() error { return closeDay(t.Context(), two) },
			"stop a lane":            one.Kill,
			"copy a terminal":        func() error { return s.copied(t.Context(), bob, "kiosk", filepath.Join(s.Dir, "kiosk")) },
			"reconnect":              func() error { return s.WAN.Restore(t.Context()) },
			"stop head office":       func() error { return s.HQ.Stop(t.Context()) },
			"start head office":      func() error { return s.HQ.Start(t.Context()) },
			"refuse pushes":          phone.refuse(true),
			"take pushes":            phone.refuse(false),
		},
		questions: map[string]func(string) (any, error){
			"read sheet":            func(path string) (any, error) { return sheet(path) },
			"a month that is over":  func(string) (any, error) { return s.monthOver(t.Context()) },
			"install on the iPhone": func(address string) (any, error) { return phone.install(t.Context(), address) },
			"fetch on the iPhone":   func(string) (any, error) { return phone.fetch(t.Context()) },
			"save to the Google phone": func(link string) (any, error) {
				return nil, stage.Until(t.Context(), "the pass at Google", func() (bool, error) {
					_, err := wallets.Google.Save(link)
					return err == nil, err
				})
			},
		},
	}.play(t)
	for _, complaint := range wallets.Push.Complaints() {
		t.Errorf("the push service complains: %s", complaint)
	}
}

// sellInBoth has each lane give the shopper a coffee while it is cut off.
func sellInBoth(ctx context.Context, s *scene, to stage.Shopper, lanes ...*stage.Lane) error {
	for _, lane := range lanes {
		if err := lane.AwaitOffline(ctx); err != nil {
			return err
		}
		basket := edgeclient.QuoteRequest{Code: to.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}}}
		if _, err := lane.Sell(ctx, "offline", basket); err != nil {
			return err
		}
	}
	return nil
}

func closeDay(ctx context.Context, lane *stage.Lane) error {
	_, err := lane.CloseDay(ctx, "close")
	return err
}

// sheet reads the rows under the head of a list that was saved as XLSX.
func sheet(path string) ([][]string, error) {
	book, err := excelize.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer book.Close()
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil || len(rows) == 0 {
		return nil, fmt.Errorf("%d rows: %w", len(rows), err)
	}
	return rows[1:], nil
}

// monthOver gives the store a franchisee, and settlement a month that is over: the days of
// this stage are all of today. It returns the month.
func (s *scene) monthOver(ctx context.Context) (_ string, err error) {
	party, err := s.Office.CreateParty(ctx, hqclient.Party{Code: "NORTH", Name: "North Ltd", Currency: stage.Currency, Language: "en"})
	if err != nil {
		return "", err
	}
	err = s.Office.AddTerm(ctx, hqclient.Term{Assignment: &hqclient.Assignment{Store: s.store.ID, Party: party.ID, From: "2020-01-01"}})
	if err != nil {
		return "", err
	}
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(s.HQ.Data, "hq.db"), store.Options{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	now := time.Now().UTC()
	at := time.Date(now.Year(), now.Month()-2, 15, 12, 0, 0, 0, time.UTC)
	day := entry.DateOf(at)
	err = db.AddSettlementMoves(ctx, []clearing.Move{{
		ID: party.ID, Pos: 1, Account: party.ID, RecordedAt: at.UnixMilli(), Month: clearing.MonthOf(day),
		Sum: clearing.Sum{Kind: clearing.KindRedeemed, Unit: "points", FromDay: day, ToStore: s.store.ID, ToDay: day, Day: day, Points: 1234},
	}})
	return clearing.MonthOf(day).String(), err
}
