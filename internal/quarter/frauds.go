package quarter

import (
	"bytes"
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// after is a moment of today behind the last sale, on the wall of a lane's shop.
func (w *world) after(l *lane, minutes int) time.Time {
	return w.shut(l).Add(-time.Hour + time.Duration(minutes)*time.Minute)
}

// basket is what is bought in planted stories.
func basket(buyer *member) sale { return sale{buyer: buyer, pieces: 2, price: 25_000} }

// sellToLoner sells a basket to somebody who is known from no other story.
func (w *world) sellToLoner(ctx context.Context, l *lane, minutes int) (*sold, error) {
	m, err := w.loner(ctx, 0)
	if err != nil {
		return nil, err
	}
	l.now(w.after(l, minutes))
	return w.sell(l, basket(m))
}

// reserve keeps a lane for a story from the day before on, with nothing of it on its way.
func (w *world) reserve(from int, l *lane) {
	w.on(from-1, morning, func(context.Context) error {
		l.apart, l.cutOff = true, false
		return nil
	})
}

// again enrols a lane under a new epoch, as somebody does who was told of a fork.
func (w *world) again(ctx context.Context, l *lane, over string) error {
	l.said.Ended, l.said.Since, l.said.Over = true, w.hq.ms(), over
	l.now(w.size.day(w.today).Add(3 * time.Hour))
	return l.enrol(ctx, w)
}

// cloned: a disk is copied in the morning, and both machines sell. Head office has two
// branches of a journal in the night.
func (w *world) cloned(from int, l *lane) {
	const story = "cloned terminal"
	var copied *lane
	w.reserve(from, l)
	w.on(from, morning, func(ctx context.Context) error {
		copied = l.copied()
		return nil
	})
	w.on(from, evening, func(ctx context.Context) error {
		for _, one := range []*lane{l, copied} {
			if _, err := w.sellToLoner(ctx, one, 1); err != nil {
				return err
			}
		}
		return nil
	})
	w.on(from, late, func(ctx context.Context) error {
		copied.settled = l.settled
		w.expect(story, ledger.Fork, l, copied.head.Seq, int64(copied.head.Seq))
		return copied.deliver(ctx, w.hq)
	})
	w.on(from+1, morning, func(ctx context.Context) error {
		l.apart = false
		return w.again(ctx, l, "replaced")
	})
}

// rolledBack: a machine comes back in the morning with the disk of the morning before, and
// goes on.
func (w *world) rolledBack(from int, l *lane) {
	const story = "rolled-back disk"
	var old *lane
	w.reserve(from, l)
	w.on(from, morning, func(context.Context) error {
		old = l.copied()
		return nil
	})
	w.on(from, evening, func(ctx context.Context) error {
		_, err := w.sellToLoner(ctx, l, 1)
		return err
	})
	w.on(from+1, evening, func(ctx context.Context) error {
		l.dead = true // what its journal was goes on as the old one
		old.date = entry.DateOf(w.size.day(w.today))
		_, err := w.sellToLoner(ctx, old, 1)
		return err
	})
	w.on(from+1, late, func(ctx context.Context) error {
		old.settled = l.settled
		w.expect(story, ledger.Fork, l, old.head.Seq, int64(old.head.Seq))
		return old.deliver(ctx, w.hq)
	})
	w.on(from+2, morning, func(ctx context.Context) error {
		l.dead, l.apart = false, false
		l.date = entry.DateOf(w.size.day(w.today))
		return w.again(ctx, l, "replaced")
	})
}

// forgedBatch: somebody between the lane and head office changes an entry, or signs with
// another key. Nothing of it is taken in, and the lane's own batch is.
func (w *world) forgedBatch(from int, l *lane) {
	w.on(from, closing, func(ctx context.Context) error {
		l.cutOff = false
		t, err := w.hq.fleet.Deliverer(ctx, l.terminal, l.writer.Epoch)
		if err != nil {
			return err
		}
		n := min(len(l.queue), wire.MaxBatchEntries)
		push := func(b wire.Batch) problem.Code {
			_, err := w.hq.ingest.Push(ctx, t, b, w.hq.clock.Now())
			return problem.CodeOf(err)
		}
		changed, last := l.batch(n)
		changed.Entries[n-1] = bytes.Clone(changed.Entries[n-1])
		changed.Entries[n-1][len(changed.Entries[n-1])-1] ^= 1
		w.refused = append(w.refused, refusal{"entry changed after signing", problem.BatchInvalid, push(changed)})

		forged, _ := l.batch(n)
		thief, err := w.newSigner()
		if err != nil {
			return err
		}
		forged.Signature = journal.SignCheckpoint(thief, l.writer, l.sent.Seq+1, last).Signature
		w.refused = append(w.refused, refusal{"batch of somebody else's key", problem.BatchSignature, push(forged)})
		return nil
	})
}

// ghostEarnings: a sale says that it earned more than the rules give.
func (w *world) ghostEarnings(from int, l *lane) {
	w.on(from, evening, func(ctx context.Context) error {
		m, err := w.loner(ctx, 0)
		if err != nil {
			return err
		}
		l.now(w.after(l, 2))
		x := basket(m)
		x.extra = 500
		if _, err = w.sell(l, x); err == nil {
			w.expect("ghost earnings", ledger.EarningDiffers, l, l.head.Seq, 500)
		}
		return err
	})
}

// saleRepeated: one sale is written twice.
func (w *world) saleRepeated(from int, l *lane) {
	w.on(from, evening, func(ctx context.Context) error {
		first, err := w.sellToLoner(ctx, l, 3)
		if err != nil {
			return err
		}
		x := basket(first.buyer)
		x.id, x.pieces = first.id, 3
		if _, err = w.sell(l, x); err == nil {
			w.expect("sale repeated", ledger.SaleRepeated, l, l.head.Seq, -1)
		}
		return err
	})
}

// cutOffStores: a shopper spends the same points, and the same voucher by a screenshot, in
// two stores that cannot hear of each other.
func (w *world) cutOffStores(from int, a, b *lane) {
	var m *member
	var voucher uuid.UUID
	w.reserve(from, a)
	w.reserve(from, b)
	w.on(from, morning, func(ctx context.Context) (err error) {
		a.cutOff, b.cutOff = true, true
		if m, err = w.loner(ctx, 300); err != nil {
			return err
		}
		v, err := w.hq.programme.IssueVoucher(ctx, w.ann, programme.Voucher{Member: m.id, Reward: w.reward, Uses: 1})
		voucher = v.ID
		return err
	})
	w.on(from, evening, func(context.Context) error {
		for i, l := range []*lane{a, b} {
			l.now(w.after(a, 4+10*i))
			for _, x := range []sale{
				{buyer: m, pieces: 1, price: 300 * l.shop.money.worth, redeem: 300}, {buyer: m, pieces: 1, price: 100, voucher: voucher},
			} {
				if _, err := w.sell(l, x); err != nil {
					return err
				}
				if l == b && x.redeem > 0 {
					w.overdrawn(l, m)
				} else if l == b {
					w.expect("screenshot of a voucher used twice", ledger.VoucherOveruse, l, l.head.Seq, 1)
				}
			}
		}
		return nil
	})
	w.on(from+2, morning, func(ctx context.Context) error {
		e, err := w.hq.rights.Exposure(ctx)
		if err != nil {
			return err
		}
		for _, line := range e.Lines {
			if line.Store == b.shop.id && line.Unit == points {
				w.bounds = append(w.bounds, bound{Real: w.truth.Fold(m.account, truth.Ever, truth.Ever).Short, Bound: line.Worst()})
			}
		}
		a.apart, a.cutOff, b.apart, b.cutOff = false, false, false, false
		return nil
	})
}

// overdrawn expects what was just redeemed at a lane to be more than there was.
func (w *world) overdrawn(l *lane, m *member) {
	w.expect("overdraw across cut-off stores", ledger.Overdraw, l, l.head.Seq, w.truth.Fold(m.account, truth.Ever, truth.Ever).Short)
}

// nobody: a sale for an account that head office never made.
func (w *world) nobody(from int, l *lane) {
	w.on(from, evening, func(context.Context) error {
		l.now(w.after(l, 5))
		ghost := &member{id: w.id(), account: w.id()}
		s, err := w.sell(l, basket(ghost))
		if err != nil {
			return err
		}
		s.fact.Refused = true // it waits for a member who will not come
		w.expect("card that was never issued", ledger.UnknownMember, l, l.head.Seq, s.fact.Earned)
		return nil
	})
}

// returnOfNothing: goods come back of a sale that never was.
func (w *world) returnOfNothing(from int, l *lane) {
	w.on(from, evening, func(context.Context) error {
		l.now(w.after(l, 6))
		id := w.id()
		done := truth.Done{Currency: l.shop.money.code, Total: 900}
		body := entry.Return{
			ID: id, Sale: w.id(), Origin: l.terminal, Refund: entry.Money{Currency: done.Currency, Minor: 900},
			RuleSet: l.shop.money.rules, Key: id.String(), KeyHash: id[:],
		}
		if err := l.write(entry.KindReturn, body, done, nil); err != nil {
			return err
		}
		l.day.Return(body)
		w.expect("return of a sale that never was", ledger.ReturnUnmatched, l, l.head.Seq, -1)
		return nil
	})
}
