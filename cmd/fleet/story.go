package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// step is one part of the story.
type step struct {
	title string
	tell  func(context.Context) error
}

func (d *demo) story() []step {
	return []step{
		{"A sale with the network up", d.saleOnline},
		{"The WAN is cut", d.cut},
		{"Anna redeems points and a voucher, offline, on lane 1", d.redeemOffline},
		{"The same voucher again on lane 1: refused", d.voucherAgain},
		{"Clara wants more than one sale may redeem without HQ: refused by a cap", d.overCap},
		{"Ben spends all his points on lane 1, offline", d.benInTheNorth},
		{"Lane 1 is killed (SIGKILL) and started again: nothing is lost", d.killLane},
		{"Ben spends the same points in the other store, which cannot know", d.benInTheSouth},
		{"The WAN is restored: the journals arrive", d.restore},
		{"Balances match", d.balances},
		{"The double spend is one exception at HQ, with its amount", d.exception},
		{"HQ sets half of Clara's points aside for the store she shops at", d.setAside},
		{"The WAN is cut again: the lanes spend what was set aside, one lends to the other", d.spendAside},
		{"The other store cannot touch it, and nothing is spent twice", d.neverTwice},
		{"Dora joins on her phone and adds the card to a wallet", d.joins},
		{"A sale reaches the wallet", d.doraBuys},
		{"A Google phone's rotating code at the till", d.googlePhone},
		{"The south store closes its day, and HQ certifies it", d.endOfDay},
		{"hq verify checks every chain, signature and balance", d.verify},
	}
}

func (d *demo) saleOnline(ctx context.Context) error {
	sale, err := d.n1.Sell(ctx, "N1-0001", edgeclient.QuoteRequest{Code: d.anna.Code, Currency: stage.Currency, Total: 42_00})
	if err != nil {
		return err
	}
	if err := expect("points earned", earned(sale), 42); err != nil {
		return err
	}
	d.t.fact("Anna's code scanned, 42.00 EUR sold, 42 points earned; journal entry %d-%s", sale.Seq, sale.Hash)
	if err := d.AwaitSettled(ctx); err != nil {
		return err
	}
	if err := d.expectAtHQ(ctx, d.anna, 642, 0); err != nil {
		return err
	}
	// The news travels back too; without it the lane would go on with 600 when it is cut off.
	if err := d.n1.AwaitMember(ctx, d.anna.Code, stage.Points, 642); err != nil {
		return err
	}
	d.t.fact("HQ has the entry and says Anna has 642 points")
	d.lookAtLane(d.n1)
	return nil
}

func (d *demo) cut(ctx context.Context) error {
	d.WAN.Cut()
	d.t.say("The proxy closes HQ's port to all four lanes and resets every connection.")
	for _, l := range d.Lanes {
		if err := l.AwaitOffline(ctx); err != nil {
			return err
		}
		d.t.fact("%s says that it is offline, and still serves", l.Name)
	}
	return nil
}

func (d *demo) redeemOffline(ctx context.Context) error {
	scan, err := d.n1.Scan(ctx, d.anna.Code)
	if err != nil {
		return err
	}
	if err := expect("points the lane knows of", scan.Free(stage.Points), 642); err != nil {
		return err
	}
	sale, err := d.n1.Sell(ctx, "N1-0002", edgeclient.QuoteRequest{
		Code: d.anna.Code, Currency: stage.Currency, Total: 20_00,
		Redeem: []edgeclient.Wish{{Reward: d.programme.Coffee.ID}, {Voucher: d.breakfast}},
	})
	if err != nil {
		return err
	}
	d.offline = append(d.offline, sale)
	if err := errors.Join(
		expect("to pay", sale.ToPay, 12_00),
		expect("points earned", earned(sale), 12),
	); err != nil {
		return err
	}
	d.t.fact("20.00 EUR less 3.00 for 200 points less 5.00 for the voucher: 12.00 to pay, 12 points earned")
	d.t.fact("decided alone as %s, on disk before the answer; journal entry %d-%s", sale.Redeemed[0].Basis, sale.Seq, sale.Hash)
	if err := d.expectAtLane(ctx, d.n1, d.anna, 442); err != nil {
		return err
	}
	d.t.say("The 12 new points can be spent once HQ has them.")
	return nil
}

func (d *demo) voucherAgain(ctx context.Context) error {
	return d.refused(ctx, problem.VoucherUsed, edgeclient.QuoteRequest{
		Code: d.anna.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Voucher: d.breakfast}},
	})
}

func (d *demo) overCap(ctx context.Context) error {
	d.t.say("Clara has 2000 points. Three coffees are 600; the cap is %d a sale.", stage.DefaultPolicy.PerSale)
	return d.refused(ctx, problem.CapPerSale, edgeclient.QuoteRequest{
		Code: d.clara.Code, Currency: stage.Currency, Total: 50_00,
		Redeem: []edgeclient.Wish{{Reward: d.programme.Coffee.ID, Times: 3}},
	})
}

// refused asks lane 1 for a quote and expects this refusal.
func (d *demo) refused(ctx context.Context, want problem.Code, in edgeclient.QuoteRequest) error {
	_, err := d.n1.Quote(ctx, in)
	if got := problem.CodeOf(err); err == nil || got != want {
		return fmt.Errorf("the lane answered %w, want the refusal %s", errOr(err), want)
	}
	d.t.fact("refused with the code %s", want)
	d.t.say("The cashier reads: %q", problem.Table[want].Say)
	return nil
}

// errOr names the absence of an error.
func errOr(err error) error {
	if err == nil {
		return errors.New("yes")
	}
	return err
}

// spendAll has Ben buy a bag for all his points, and nothing else.
func (d *demo) spendAll(ctx context.Context, l *stage.Lane, receipt string) (edgeclient.Sale, error) {
	sale, err := l.Sell(ctx, receipt, edgeclient.QuoteRequest{
		Code: d.ben.Code, Currency: stage.Currency, Total: 10_00, Redeem: []edgeclient.Wish{{Reward: d.programme.Bag.ID}},
	})
	if err != nil {
		return sale, err
	}
	return sale, errors.Join(expect("to pay", sale.ToPay, 0), expect("points earned", earned(sale), 0))
}

func (d *demo) benInTheNorth(ctx context.Context) error {
	sale, err := d.spendAll(ctx, d.n1, "N1-0003")
	if err != nil {
		return err
	}
	d.offline = append(d.offline, sale)
	d.t.fact("Ben's 500 points buy a bag of 10.00 EUR; nothing to pay; journal entry %d-%s", sale.Seq, sale.Hash)
	return d.expectAtLane(ctx, d.n1, d.ben, 0)
}

func (d *demo) benInTheSouth(ctx context.Context) error {
	sale, err := d.spendAll(ctx, d.s1, "S1-0001")
	if err != nil {
		return err
	}
	d.t.fact("%s accepts them as %s: what it risks is bounded by its caps; journal entry %d-%s",
		d.s1.Name, sale.Redeemed[0].Basis, sale.Seq, sale.Hash)
	return nil
}

// earned sums the points of a sale.
func earned(s edgeclient.Sale) (sum int64) {
	for _, e := range s.Earned {
		if e.Unit == stage.Points {
			sum += e.Amount
		}
	}
	return sum
}
