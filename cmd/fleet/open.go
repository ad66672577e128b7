package main

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// members is how many shoppers the programme has.
const members = 1_000

// demo is the company on stage and what has happened so far.
type demo struct {
	*stage.Stage
	t *teller

	north, south hqclient.Store
	n1, n2, s1   *stage.Lane
	s2           *stage.Lane
	programme    stage.Programme
	anna         stage.Shopper // has a voucher
	ben          stage.Shopper // will spend the same points twice
	clara        stage.Shopper // will meet a cap
	breakfast    uuid.UUID     // Anna's voucher

	holder, borrower *stage.Lane // of what HQ set aside for Clara

	front   *httptest.Server // HQ by TLS
	wallets *stage.Wallets
	dora    dora

	offline []edgeclient.Sale // made on lane 1 of the north store while cut
}

// open sets up stores, programme and members, and shows three codes.
func (d *demo) open(ctx context.Context) (err error) {
	d.t.fact("HQ serves on %s; a proxy on %s plays the network between it and the stores", d.HQ.URL(), d.WAN.URL())
	if err := d.openWallets(ctx); err != nil {
		return err
	}
	if d.programme, err = d.OpenProgramme(ctx, stage.DefaultPolicy); err != nil {
		return err
	}
	if err := d.stores(ctx); err != nil {
		return err
	}
	if err := errors.Join(d.franchise(ctx), d.tiers(ctx), d.cashiers(ctx)); err != nil {
		return err
	}
	if err := d.shoppers(ctx); err != nil {
		return err
	}
	p := stage.DefaultPolicy
	d.t.fact("programme: 1 point a euro; without HQ at most %d points a sale, %d a member and day, %d a lane until it syncs",
		p.PerSale, p.PerMemberDay, p.PerTerminal)
	return d.codes()
}

func (d *demo) stores(ctx context.Context) error {
	var lanes []*stage.Lane
	var err error
	if d.north, lanes, err = d.AddStore(ctx, hqclient.Store{
		Code: "north", Name: "North Street", TimeZone: "Europe/Berlin", Currency: stage.Currency,
	}, "lane1", "lane2"); err != nil {
		return err
	}
	d.n1, d.n2 = lanes[0], lanes[1]
	if d.south, lanes, err = d.AddStore(ctx, hqclient.Store{
		Code: "south", Name: "South Gate", TimeZone: "Europe/Berlin", Currency: stage.Currency,
	}, "lane1", "lane2"); err != nil {
		return err
	}
	d.s1, d.s2 = lanes[0], lanes[1]
	for _, l := range d.Lanes {
		d.t.fact("%s enrolled with a one-time code, made its own key, serves on %s", l.Name, l.Base)
	}
	return nil
}

func (d *demo) shoppers(ctx context.Context) (err error) {
	crowd := make([]hqclient.MemberNew, members-3)
	for i := range crowd {
		crowd[i].Alias = fmt.Sprintf("shopper %d", i+4)
	}
	if _, err = d.Office.CreateMembers(ctx, crowd); err != nil {
		return err
	}
	for _, who := range []struct {
		into   *stage.Shopper
		alias  string
		points int64
	}{{&d.anna, "Anna", 600}, {&d.ben, "Ben", 500}, {&d.clara, "Clara", 2_000}} {
		if *who.into, err = d.Enrol(ctx, who.alias, who.points); err != nil {
			return err
		}
	}
	if d.breakfast, err = d.GiveVoucher(ctx, d.anna, d.programme.Breakfast); err != nil {
		return err
	}
	for _, l := range d.Lanes {
		if err := d.awaitShoppers(ctx, l); err != nil {
			return err
		}
	}
	status, err := d.Office.Status(ctx)
	if err != nil {
		return err
	}
	if err := expect("members at HQ", status.Members, int64(members)); err != nil {
		return err
	}
	d.t.fact("%d members, known to all four lanes by number and alias only", status.Members)
	return nil
}

// awaitShoppers waits until a lane knows the three shoppers and the voucher.
func (d *demo) awaitShoppers(ctx context.Context, l *stage.Lane) error {
	for _, who := range []struct {
		shopper stage.Shopper
		points  int64
	}{{d.anna, 600}, {d.ben, 500}, {d.clara, 2_000}} {
		if err := l.AwaitMember(ctx, who.shopper.Code, stage.Points, who.points); err != nil {
			return err
		}
	}
	return stage.Until(ctx, "lane "+l.Name+" knows Anna's voucher", func() (bool, error) {
		s, err := l.Scan(ctx, d.anna.Code)
		return len(s.Vouchers) == 1, err
	})
}

// codes writes the three pictures and draws one in the terminal.
func (d *demo) codes() error {
	for _, who := range []stage.Shopper{d.anna, d.ben, d.clara} {
		png, err := passtoken.PNG(who.Code, 8)
		if err != nil {
			return fmt.Errorf("draw code: %w", err)
		}
		name := filepath.Join(d.Dir, who.Alias+".png")
		if err := os.WriteFile(name, png, 0o600); err != nil {
			return fmt.Errorf("write code: %w", err)
		}
		d.t.fact("%s's code: %s", who.Alias, name)
		drawn, err := passtoken.Terminal(who.Code)
		if err != nil {
			return fmt.Errorf("draw code: %w", err)
		}
		d.t.block(drawn)
	}
	return nil
}

// expect makes a difference an error that names both.
func expect[V comparable](what string, got, want V) error {
	if got != want {
		return fmt.Errorf("%s: got %v, want %v", what, got, want)
	}
	return nil
}
