package quarter

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// join makes a shopper a member at a lane, with a pass that head office signed ahead.
func (w *world) join(l *lane) (*member, error) {
	id := w.dice.id(l.at)
	pass, err := w.hq.programme.FirstPass(id)
	if err != nil {
		return nil, fmt.Errorf("issue a pass ahead: %w", err)
	}
	m := &member{id: id, account: entry.IdentityAccount(id), home: l.shop.number, heldOn: -1}
	f := &truth.Fact{Kind: truth.Join, Store: l.shop.number}
	err = l.write(entry.KindEnrolMember, entry.EnrolMember{
		Member: m.id, Account: m.account, Issue: 1, Pass: pass[:], Key: id.String(), KeyHash: id[:],
	}, truth.Done{}, f)
	w.truth.Add(m.account, f)
	w.members = append(w.members, m)
	w.counts["members who joined at a till"]++
	return m, err
}

// ask has the till ask head office for what it is to redeem, while the shopper waits. What
// head office does not give is not redeemed: it has not heard of today yet.
func (w *world) ask(ctx context.Context, l *lane, x *sale) error {
	w.hq.until(l.at)
	l.now(w.hq.clock.Now()) // a till that hears head office is not behind it
	right := w.dice.id(l.at)
	who := allowance.Lane{ID: l.terminal, Epoch: l.writer.Epoch, Store: l.shop.id}
	answer, err := w.hq.rights.Authorise(ctx, who, wire.AuthoriseRequest{
		V: wire.Version, Right: right, Member: x.buyer.id, Account: x.buyer.account, Unit: points, Amount: x.redeem, Budget: 1,
	})
	if err != nil {
		return fmt.Errorf("ask head office: %w", err)
	}
	if answer.Refused != "" {
		x.redeem = 0
		w.counts["redemptions that head office refused"]++
		return nil
	}
	proof, err := wire.Marshal(answer.Grant)
	if err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	grant, err := wire.Open[wire.Grant](proof, wire.DomainGrant, w.hq.keys, w.hq.clock.Now())
	if err != nil {
		return fmt.Errorf("read a grant: %w", err)
	}
	x.right, x.asked = right, true
	w.counts["redemptions that head office authorised"]++
	return l.write(entry.KindAllowanceChange, entry.AllowanceChange{
		Op: entry.AllowanceReceived, Right: right, Account: x.buyer.account, Unit: points, Amount: grant.Amount, EndsAt: grant.EndsAt,
		Member: x.buyer.id, Proof: proof,
	}, truth.Done{}, nil)
}
