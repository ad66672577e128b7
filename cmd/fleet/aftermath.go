package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

func (d *demo) killLane(ctx context.Context) error {
	before, err := d.n1.Status(ctx)
	if err != nil {
		return err
	}
	pid := d.n1.Process().PID()
	if err := d.n1.Kill(); err != nil {
		return err
	}
	d.t.say("kill -9 %d", pid)
	if err := d.n1.Start(ctx); err != nil {
		return err
	}
	d.t.fact("%s is ready again after %d ms, with HQ out of reach", d.n1.Name, d.n1.Process().ReadyAfter().Milliseconds())
	for _, was := range d.offline {
		found, err := d.n1.Find(ctx, was.Receipt)
		if err != nil {
			return err
		}
		if len(found) != 1 || found[0].ID != was.ID || found[0].Seq != was.Seq || found[0].Hash != was.Hash {
			return fmt.Errorf("receipt %s: found %+v, want the one sale %+v", was.Receipt, found, was)
		}
		d.t.fact("receipt %s is there, same entry %d-%s", was.Receipt, was.Seq, was.Hash)
	}
	after, err := d.n1.Status(ctx)
	if err != nil {
		return err
	}
	if after.Queue < before.Queue || after.HeadSeq < before.HeadSeq {
		return fmt.Errorf("the queue shrank from %d (head %d) to %d (head %d)", before.Queue, before.HeadSeq, after.Queue, after.HeadSeq)
	}
	d.t.fact("%d entries wait for HQ, %d before the kill", after.Queue, before.Queue)
	if _, err := d.n1.Quote(ctx, edgeclient.QuoteRequest{
		Code: d.anna.Code, Currency: stage.Currency, Total: 20_00, Redeem: []edgeclient.Wish{{Voucher: d.breakfast}},
	}); problem.CodeOf(err) != problem.VoucherUsed {
		return fmt.Errorf("the used voucher: the lane answered %w", errOr(err))
	}
	d.t.fact("the voucher is still used")
	return d.expectAtLane(ctx, d.n1, d.anna, 442)
}

func (d *demo) restore(ctx context.Context) error {
	if err := d.WAN.Restore(ctx); err != nil {
		return err
	}
	if err := d.AwaitSettled(ctx); err != nil {
		return err
	}
	for _, l := range d.Lanes {
		s, err := l.Status(ctx)
		if err != nil {
			return err
		}
		d.t.fact("%s: HQ has acknowledged entry %d of %d, %d wait", l.Name, s.AckedSeq, s.HeadSeq, s.Queue)
	}
	return nil
}

func (d *demo) balances(ctx context.Context) error {
	if err := d.expectAtHQ(ctx, d.anna, 454, 0); err != nil {
		return err
	}
	d.t.fact("HQ: Anna has 600 + 42 + 12 - 200 = 454 points")
	for _, l := range d.Lanes {
		if err := stage.Until(ctx, l.Name+" has heard of Anna's sale", func() (bool, error) {
			s, err := l.Scan(ctx, d.anna.Code)
			return err == nil && s.Free(stage.Points) == 454 && len(s.Vouchers) == 0, err
		}); err != nil {
			return err
		}
		d.t.fact("%s: Anna has 454 points and no voucher left", l.Name)
	}
	detail, err := d.Office.Member(ctx, d.anna.ID)
	if err != nil {
		return err
	}
	voucher, ok := detail.Voucher(d.breakfast)
	if !ok || voucher.Left != 0 {
		return fmt.Errorf("HQ says of the voucher: %+v, want it there with 0 uses left", voucher)
	}
	d.t.fact("HQ: the voucher has 0 of 1 uses left")
	balance, err := d.Office.TrialBalance(ctx)
	if err != nil {
		return err
	}
	if !balance.Balanced || len(balance.Lines) == 0 {
		return fmt.Errorf("the trial balance is off: %+v", balance)
	}
	d.t.fact("trial balance: the accounts of every unit sum to zero")
	return nil
}

func (d *demo) exception(ctx context.Context) error {
	all, err := d.Office.Exceptions(ctx)
	if err != nil {
		return err
	}
	if len(all) != 1 {
		return fmt.Errorf("HQ has %d exceptions, want exactly one: %+v", len(all), all)
	}
	e := all[0]
	if err := errors.Join(
		expect("whose", e.Member, d.ben.ID),
		expect("unit", e.Unit, stage.Points),
		expect("amount", e.Amount, 500),
		d.expectAtHQ(ctx, d.ben, 0, 500),
	); err != nil {
		return err
	}
	d.t.fact("one exception: %s of %d %s by Ben, state %s", e.Cause, e.Amount, e.Unit, e.State)
	d.t.fact("HQ: Ben has 0 points and owes 500, which his next earnings repay")
	status, err := d.Office.Status(ctx)
	if err != nil {
		return err
	}
	d.t.say("The most that all lanes could redeem alone before their next sync: %d %s, %d vouchers.",
		status.Exposure.Points, status.Exposure.Unit, status.Exposure.Vouchers)
	return nil
}

func (d *demo) verify(ctx context.Context) error {
	out, err := d.HQ.Verify(ctx)
	if err != nil {
		return err
	}
	d.t.block(out)
	d.t.fact("hq verify passes")
	d.t.look("%s verify --data %s", d.Bin.Path("hq"), d.HQ.Data)
	return nil
}

// addresses says where everything is, for as long as the demo stays up.
func (d *demo) addresses() {
	d.t.title("Everything stays up until Ctrl-C")
	d.t.say("HQ     %s   sign in as %s, password %s", d.HQ.URL(), stage.Admin, d.HQ.Password)
	d.t.say("       Console: %s/console   the same name and password", d.HQ.URL())
	d.t.say("       Card: %s/card   its mails stay in the outbox: GET %s/api/v1/mails", d.HQ.URL(), d.HQ.URL())
	d.t.say("       API description: %s/api/v1/openapi.json", d.HQ.URL())
	d.t.say("       Wallets: %s wallet doctor says what is set up; passes are self-made, Google and Apple's pushes are doubles", d.Bin.Path("hq"))
	for _, l := range d.Lanes {
		d.t.say("%s   till page: %s/till/   token in %s", l.Name, l.Base, filepath.Join(l.Data, "token"))
	}
	for _, c := range staff {
		d.t.say("       %s, %s at each store: PIN %s", c.Name, c.Role, c.PIN)
	}
	d.t.say("Codes  %s", filepath.Join(d.Dir, "*.png"))
	d.t.say("Logs   %s", filepath.Join(d.Dir, "processes.log"))
	d.lookAtLane(d.n1)
}

func (d *demo) lookAtLane(l *stage.Lane) {
	d.t.look(`curl -s -H "Authorization: Bearer $(cat %s)" %s/v1/status`, filepath.Join(l.Data, "token"), l.Base)
}

// expectAtHQ checks what HQ's ledger says of a shopper's points.
func (d *demo) expectAtHQ(ctx context.Context, who stage.Shopper, free, overdraft int64) error {
	detail, err := d.Office.Member(ctx, who.ID)
	if err != nil {
		return err
	}
	h := detail.Holding(stage.Points)
	return errors.Join(
		expect(who.Alias+"'s points at HQ", h.Free, free),
		expect(who.Alias+"'s overdraft at HQ", h.Overdraft, overdraft),
	)
}

// expectAtLane checks what a lane says of a shopper's points.
func (d *demo) expectAtLane(ctx context.Context, l *stage.Lane, who stage.Shopper, free int64) error {
	scan, err := l.Scan(ctx, who.Code)
	if err != nil {
		return err
	}
	if err := expect(who.Alias+"'s points on "+l.Name, scan.Free(stage.Points), free); err != nil {
		return err
	}
	d.t.fact("%s now says: %s has %d points", l.Name, who.Alias, free)
	return nil
}
