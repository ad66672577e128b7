package main

import (
	"context"
	"errors"
	"slices"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// setAside puts a policy in force under which HQ gives rights, and finds the lane that
// holds Clara's.
func (d *demo) setAside(ctx context.Context) error {
	policy := stage.DefaultPolicy
	policy.Rights = hqclient.Rights{SharePercent: 50, Cap: 2_000, LifeSeconds: 7 * 24 * 3600, OneOffSecs: 3600, GraceSeconds: 24 * 3600}
	if err := d.Office.PutPolicy(ctx, policy); err != nil {
		return err
	}
	if _, err := d.n1.Sell(ctx, "N1-0010", edgeclient.QuoteRequest{Code: d.clara.Code, Currency: stage.Currency, Total: 100_00}); err != nil {
		return err
	}
	d.t.say("Clara buys for 100.00 EUR and has 2100 points. Half of them become a right of one lane of that store.")
	err := stage.Until(ctx, "a lane holds the right", func() (bool, error) {
		for _, pair := range [][2]*stage.Lane{{d.n1, d.n2}, {d.n2, d.n1}} {
			status, err := pair[0].Status(ctx)
			if err != nil {
				return false, err
			}
			if status.Rights.Points >= 1_050 {
				d.holder, d.borrower = pair[0], pair[1]
			}
		}
		return d.holder != nil, nil
	})
	if err != nil {
		return err
	}
	d.t.fact("%s may redeem 1050 points without asking anybody; at HQ they are set aside", d.holder.Name)
	return nil
}

// twoCoffees are 400 points for exactly what they take off.
func (d *demo) twoCoffees(ctx context.Context, l *stage.Lane, receipt string) error {
	sale, err := l.Sell(ctx, receipt, edgeclient.QuoteRequest{
		Code: d.clara.Code, Currency: stage.Currency, Total: 6_00, Redeem: []edgeclient.Wish{{Reward: d.programme.Coffee.ID, Times: 2}},
	})
	if err != nil {
		return err
	}
	for _, r := range sale.Redeemed {
		if err := expect("basis", r.Basis, "allowance"); err != nil {
			return err
		}
	}
	return expect("to pay", sale.ToPay, 0)
}

func (d *demo) spendAside(ctx context.Context) error {
	d.WAN.Cut()
	for _, l := range d.Lanes {
		if err := l.AwaitOffline(ctx); err != nil {
			return err
		}
	}
	if err := d.twoCoffees(ctx, d.holder, "N-0011"); err != nil {
		return err
	}
	d.t.fact("%s redeems 400 on its right: no cap of stand-in is touched, and nothing is risked", d.holder.Name)
	if err := d.twoCoffees(ctx, d.borrower, "N-0012"); err != nil {
		return err
	}
	d.t.fact("%s holds none, and borrows 400 from %s over the store's network, with HQ out of reach", d.borrower.Name, d.holder.Name)
	return nil
}

func (d *demo) neverTwice(ctx context.Context) error {
	sale, err := d.s1.Sell(ctx, "S1-0010", edgeclient.QuoteRequest{
		Code: d.clara.Code, Currency: stage.Currency, Total: 10_00, Redeem: []edgeclient.Wish{{Reward: d.programme.Bag.ID}},
	})
	if err != nil {
		return err
	}
	d.t.fact("%s redeems 500 as %s out of the 1050 that are free", d.s1.Name, sale.Redeemed[0].Basis)
	if err := errors.Join(d.WAN.Restore(ctx), d.AwaitSettled(ctx)); err != nil {
		return err
	}
	detail, err := d.Office.Member(ctx, d.clara.ID)
	if err != nil {
		return err
	}
	h := detail.Holding(stage.Points)
	all, err := d.Office.Exceptions(ctx)
	if err != nil {
		return err
	}
	// A sale may have arrived before the loan it cites. It waited, and is explained now.
	all = slices.DeleteFunc(all, func(e hqclient.Exception) bool { return e.State == "withdrawn" })
	if err := errors.Join(
		expect("Clara's points, free and set aside", h.Free+h.Allowance, 2_100-400-400-500),
		expect("Clara's overdraft", h.Overdraft, 0),
		expect("exceptions at HQ", len(all), 1),
	); err != nil {
		return err
	}
	d.t.fact("HQ: Clara has 2100 - 400 - 400 - 500 = 800 points, owes nothing, and there is no new exception")
	return nil
}
