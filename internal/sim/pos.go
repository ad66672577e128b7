package sim

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// sold is a sale as the POS knows it: what it was told, and what it did about it since.
type sold struct {
	lane     *lane
	fork     *fork
	body     entry.Sale
	at       till.Entry
	member   string
	voided   bool // or may be
	whole    bool // everything was brought back
	partly   bool
	returned int
}

// attempt is a call of the POS that it may repeat.
type attempt struct {
	commit till.Commit
	member string
	sale   uuid.UUID // what it was told; zero: it was told nothing
}

// atLane does what happens at a till that runs.
func (w *world) atLane(ctx context.Context, e event, d *dice, l *lane) {
	ctx = timeless{ctx}
	m := w.members[e.member%len(w.members)]
	if e.fuse > 0 && (e.kind <= claimed || e.kind == tend) {
		l.disk.fuse, l.disk.dies = e.fuse, moment(d.IntN(int(moments)))
	}
	switch e.kind {
	case sell:
		w.sell(ctx, d, l, m, e.key(), "")
	case race:
		w.race(ctx, e, d, l, m)
	case again:
		w.again(ctx, d, l)
	case replay:
		w.replay(ctx, e, d, l, m)
	case treat:
		w.treat(ctx, d, l, m, e.key())
	case undo:
		w.undo(ctx, e, d, l)
	case bring:
		w.bring(ctx, e, d, l)
	case enlist:
		w.enlist(ctx, e, d, l)
	case claimed:
		w.claim(ctx, e, d, l, m)
	case push:
		w.push(ctx, e, d, l)
	case pull:
		w.pull(ctx, l)
	case tend:
		w.tend(ctx, l)
	case meet:
		w.gossip(ctx, l)
	case keepImage:
		l.kept = l.take()
		w.say("somebody copies the disk of %s, with %d acknowledged entries", l.name, len(l.acks))
	case clone:
		w.clone(ctx, l)
	case renew:
		w.renew(ctx, l)
	}
	if l.up && !l.blown() {
		l.disk.fuse = 0
	}
}

// code returns what the shopper shows: the printed code, or the one of this moment.
func (w *world) code(d *dice, l *lane, m *member) string {
	if d.chance(50) {
		return m.code
	}
	return passtoken.RotatingText(m.token, w.hq.group, w.now)
}

// sell makes a basket, quotes it perhaps, and commits it.
func (w *world) sell(ctx context.Context, d *dice, l *lane, m *member, key, code string) bool {
	req := till.Request{Basket: loyalty.Basket{Currency: "EUR"}}
	for no := range d.between(1, 3) {
		amount := int64(d.between(1, 40)) * 50
		req.Basket.Total += amount
		req.Basket.Lines = append(req.Basket.Lines, loyalty.Line{No: uint16(no + 1), SKU: "4006381333931", Quantity: 1000, Amount: amount})
	}
	c := till.Commit{Request: req, Key: key, KeyHash: sha256.Sum256([]byte(key)), Receipt: "R" + key, Cashier: "7"}
	name := "nobody"
	if code != "" || d.chance(90) {
		if code == "" {
			code = w.code(d, l, m)
		}
		c.Request.Codes, name = []string{code}, m.name
		switch n := d.IntN(10); {
		case n < 5:
			reward := w.rewards[d.IntN(len(w.rewards))]
			c.Request.Wishes = []loyalty.Wish{{Reward: reward.ID, Times: int64(d.between(1, 2))}}
		case n < 7 && len(m.vouchers) > 0:
			c.Request.Wishes = []loyalty.Wish{{Voucher: loyalty.ID(m.vouchers[d.IntN(len(m.vouchers))]), Times: 1}}
		}
	}
	if d.chance(20) {
		q, err := l.till.Quote(ctx, c.Request)
		if l.disk.off || w.refused(l, "quote", err) {
			return false
		}
		c.Quote = q.ID
	}
	return w.commit(ctx, l, c, name)
}

// refused says whether a call was refused, which must be in words of the table.
func (w *world) refused(l *lane, what string, err error) bool {
	if err == nil {
		return false
	}
	if !l.disk.off {
		w.expect("lane "+l.name+": "+what, err)
		w.say("lane %s: %s refused: %s", l.name, what, problem.CodeOf(err))
	}
	return true
}

func (w *world) commit(ctx context.Context, l *lane, c till.Commit, name string) bool {
	a := attempt{commit: c, member: name}
	sale, err := l.till.Commit(ctx, c)
	if err == nil {
		a.sale = sale.Body.ID
	}
	if err == nil || l.disk.off {
		l.tried = append(l.tried, a)
	}
	w.inTime(l, name, err)
	if w.refused(l, "sale to "+name, err) {
		if l.disk.off {
			w.say("lane %s dies in a sale to %s (%s of a %s)", l.name, name, momentNames[l.disk.dies], l.disk.burnt)
		}
		return false
	}
	if l.forkTold && !sale.Replayed && len(sale.Body.Redeemed) > 0 {
		w.fail("G6: lane %s redeems in entry %d although it was told that somebody has another journal of its name", l.name, sale.At.Seq)
	}
	w.told(l, sale, name)
	w.held(ctx, l)
	return true
}

// grace is how long after its end a pass may be taken.
const grace = 5 * time.Minute

// inTime checks that a till that heard HQ's time since it started, within three days, takes
// no pass that has ended and refuses none that has not, wherever its wall clock went (I6).
func (w *world) inTime(l *lane, name string, err error) {
	i := slices.IndexFunc(w.members, func(m *member) bool { return m.name == name })
	if i < 0 || l.heard.IsZero() || w.now.Sub(l.heard) > 72*time.Hour {
		return
	}
	m := w.members[i]
	switch {
	case err == nil && w.now.After(m.ends.Add(grace)):
		w.fail("I6: lane %s takes the pass of %s, which ended %s ago", l.name, m.name, w.now.Sub(m.ends))
	case problem.CodeOf(err) == problem.CodeExpired && w.now.Before(m.ends.Add(-grace)):
		w.fail("I6: lane %s refuses the pass of %s, which ends in %s", l.name, m.name, m.ends.Sub(w.now))
	case problem.CodeOf(err) == problem.CodeExpired:
		w.tally.Ended++
	}
}

// told takes in what the POS was told of a sale it had not heard of.
func (w *world) told(l *lane, s till.Sale, name string) {
	l.acks = append(l.acks, ack{s.At, s.Body.ID})
	w.sold = append(w.sold, &sold{lane: l, fork: l.fork, body: s.Body, at: s.Entry, member: name})
	if s.Claim != nil {
		w.receipts = append(w.receipts, &receipt{id: s.Body.Claim, text: s.Claim.Token.Text(), worth: s.Claim.Worth})
	}
	what := ""
	for _, r := range s.Body.Redeemed {
		if r.Basis != entry.BasisStandIn && r.Voucher == uuid.Nil {
			l.fork.spentOnRights += r.Amount
			w.tally.OnRights++
		}
		what += fmt.Sprintf(", redeems %d %s (%s)", r.Amount, unitOf(r), r.Basis)
	}
	for _, e := range s.Body.Earned {
		what += fmt.Sprintf(", earns %d %s", e.Amount, e.Unit)
	}
	w.say("lane %s sells %d to %s%s [%d]", l.name, s.Body.Total.Minor, name, what, s.At.Seq)
}

// race lets one shopper spend the same points in two places at once.
func (w *world) race(ctx context.Context, e event, d *dice, l *lane, m *member) {
	w.sell(ctx, d, l, m, e.key(), m.code)
	other := w.lanes[e.other%len(w.lanes)]
	if other != l && other.up {
		w.sell(ctx, newDice(e.sub, 5), other, m, e.key()+"'", m.code)
	}
}

// again repeats a call under its key: it makes nothing twice, and what it answered once
// it answers again (G4).
func (w *world) again(ctx context.Context, d *dice, l *lane) {
	if len(l.tried) == 0 {
		return
	}
	a := &l.tried[len(l.tried)-1-d.IntN(min(4, len(l.tried)))]
	sale, err := l.till.Commit(ctx, a.commit)
	if l.disk.off {
		return
	}
	w.count("call repeated")
	switch {
	case a.sale == uuid.Nil && err == nil:
		a.sale = sale.Body.ID
		w.say("lane %s repeats a call that got no answer (done already: %t)", l.name, sale.Replayed)
		w.told(l, sale, a.member)
	case a.sale == uuid.Nil:
		w.refused(l, "repeated call", err)
	case err != nil || sale.Body.ID != a.sale || !sale.Replayed:
		w.fail("G4: lane %s answers a repeated call with sale %s (%v), not with %s", l.name, sale.Body.ID, err, a.sale)
	}
}

// replay shows one rotating code twice at one till.
func (w *world) replay(ctx context.Context, e event, d *dice, l *lane, m *member) {
	code := passtoken.RotatingText(m.token, w.hq.group, w.now)
	first := w.sell(ctx, d, l, m, e.key(), code)
	if !l.up || l.disk.off {
		return
	}
	w.count("code replayed")
	if w.sell(ctx, d, l, m, e.key()+"'", code) && first {
		w.fail("lane %s takes one rotating code twice", l.name)
	}
}

// ownSale picks a sale that a lane made as what it is now.
func (w *world) ownSale(e event, l *lane) *sold {
	var own []*sold
	for _, s := range w.sold {
		if s.lane == l && s.fork == l.fork {
			own = append(own, s)
		}
	}
	if len(own) == 0 {
		return nil
	}
	return own[len(own)-1-e.other%min(8, len(own))]
}

func (w *world) undo(ctx context.Context, e event, d *dice, l *lane) {
	s := w.ownSale(e, l)
	if s == nil {
		return
	}
	v, err := l.till.Void(ctx, till.Void{
		Sale: s.body.ID, Key: e.key(), KeyHash: sha256.Sum256([]byte(e.key())), Reason: entry.VoidCashier, Cashier: "7",
	})
	if l.disk.off {
		s.voided = true // it may be: the machine died in it
	}
	if w.refused(l, "void", err) {
		return
	}
	s.voided = true
	l.acks = append(l.acks, ack{at: v.At})
	w.say("lane %s voids its sale [%d] of %s", l.name, s.at.At.Seq, s.member)
}

// bring returns goods: here or in another store, whole or a line of them.
func (w *world) bring(ctx context.Context, e event, d *dice, l *lane) {
	s := w.ownSale(e, l)
	if (s == nil || d.chance(40)) && len(w.sold) > 0 {
		s = w.sold[len(w.sold)-1-e.other%min(12, len(w.sold))]
	}
	if s == nil {
		return
	}
	r := till.Return{Sale: s.body.ID, Key: e.key(), KeyHash: sha256.Sum256([]byte(e.key())), Cashier: "7"}
	here := s.lane == l && s.fork == l.fork
	whole := len(s.body.Lines) == 1 || d.chance(60)
	if !here {
		r.Origin = till.Origin{Terminal: s.fork.writer.ID, Epoch: s.fork.writer.Epoch, Seq: s.at.At.Seq}
	}
	if !here || !whole {
		for i, line := range s.body.Lines {
			if whole || i == 0 {
				r.Lines = append(r.Lines, till.ReturnLine{No: line.No, Quantity: line.Quantity})
			}
		}
	}
	back, err := l.till.Return(ctx, r)
	if w.refused(l, "return", err) {
		return
	}
	s.whole, s.partly, s.returned = s.whole || whole, s.partly || !whole, s.returned+1
	l.acks = append(l.acks, ack{at: back.At})
	w.say("lane %s takes back %s of sale [%d] of %s at %s", l.name, map[bool]string{true: "all", false: "a line"}[whole], s.at.At.Seq, s.member, s.lane.name)
}

func unitOf(r entry.Redemption) string {
	if r.Voucher != uuid.Nil {
		return useUnit(r.Voucher)
	}
	return r.Unit
}

func useUnit(voucher uuid.UUID) string { return loyalty.UseUnit(voucher.String()) }
