package quarter

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// wrongSums: a close says more money than was taken.
func (w *world) wrongSums(from int, l *lane) {
	w.on(from, evening, func(ctx context.Context) error {
		if _, err := w.sellToLoner(ctx, l, 7); err != nil {
			return err
		}
		l.now(w.shut(l))
		err := l.close(func(c *entry.DayClose) { c.Money[0].Total += 5_000 })
		w.expect("close with wrong sums", ledger.DayCloseDiffers, l, l.head.Seq, -1)
		return err
	})
}

// closesTwice: the same date is closed once more, with nothing in it.
func (w *world) closesTwice(from int, l *lane) {
	w.on(from, closing, func(context.Context) error {
		l.now(w.shut(l).Add(10 * time.Minute))
		return l.close(func(c *entry.DayClose) { c.Date = entry.DateOf(w.size.day(w.today)) })
	})
}

// closesTomorrow: a close names the date of the next day, which then goes on.
func (w *world) closesTomorrow(from int, l *lane) {
	w.on(from, evening, func(context.Context) error {
		l.now(w.shut(l))
		next := entry.DateOf(w.size.day(w.today + 1))
		err := l.close(func(c *entry.DayClose) { c.Date = next })
		l.date = next // the till goes on with the date that it has closed
		return err
	})
}

// neverCloses: a day is not closed; the close after it speaks of both.
func (w *world) neverCloses(from int, l *lane) {
	w.on(from, evening, func(context.Context) error {
		l.now(w.shut(l))
		err := l.release() // what is over is given back, closed or not
		l.date = l.date.Next()
		return err
	})
}

// clockAhead: for one sale in the evening the clock is a day and two hours ahead.
func (w *world) clockAhead(from int, l *lane) {
	w.on(from, closing, func(ctx context.Context) error {
		l.cutOff = false
		m, err := w.loner(ctx, 0)
		if err != nil {
			return err
		}
		was := l.at
		l.at = w.size.night(w.today).Add(26 * time.Hour)
		_, err = w.sell(l, basket(m))
		l.at = was
		w.expect("clock a day ahead", ledger.ClockAhead, l, l.head.Seq, -1)
		return err
	})
}

// clockBehind: for an evening the clock is three hours behind. Nothing is wrong with that.
func (w *world) clockBehind(from int, l *lane) {
	w.on(from, evening, func(ctx context.Context) error {
		m, err := w.loner(ctx, 0)
		if err != nil {
			return err
		}
		l.now(w.after(l, 8))
		was := l.at
		l.at = was.Add(-3 * time.Hour)
		_, err = w.sell(l, basket(m))
		l.at = was
		return err
	})
}

// lostAndFound: a machine is stolen with a day that nobody has heard of. Two people declare
// it lost, its store's days go on, and then it is found and its journal delivered.
func (w *world) lostAndFound(from int, l *lane) {
	w.reserve(from, l)
	w.on(from, evening, func(ctx context.Context) error {
		l.cutOff = true
		s, err := w.sellToLoner(ctx, l, 9)
		if err != nil {
			return err
		}
		w.want = append(w.want, expected{
			story: "terminal lost, and found with sales nobody had heard of", kind: ledger.Unproven, terminal: l.terminal, epoch: l.writer.Epoch, seq: s.seq,
			amount: s.fact.Earned, state: ledger.ExceptionReleased,
		})
		return nil
	})
	w.on(from+1, morning, func(context.Context) error {
		l.dead = true
		return nil
	})
	w.on(from+3, late, func(ctx context.Context) error {
		if _, err := w.hq.fleet.DeclareLost(ctx, w.ann, l.terminal, "it was stolen"); err != nil {
			return err
		}
		if _, err := w.hq.fleet.ConfirmLost(ctx, w.bo, l.terminal); err != nil {
			return err
		}
		l.said.Ended, l.said.Since, l.said.Over = true, w.hq.ms(), "lost"
		w.want = append(w.want, expected{
			story: "terminal lost, and found with sales nobody had heard of", kind: ledger.TerminalLost, terminal: l.terminal, epoch: l.writer.Epoch,
			seq: l.sent.Seq, amount: -1, state: ledger.ExceptionOpen,
		})
		return nil
	})
	w.on(from+6, late, func(ctx context.Context) error {
		facts := l.queue
		if err := l.deliver(ctx, w.hq); err != nil {
			return err
		}
		if err := w.hq.apply(ctx); err != nil {
			return err
		}
		w.hq.clock.Advance(time.Minute)
		for _, f := range facts { // it counts from when people let it
			if f.fact != nil {
				f.fact.Known = w.hq.ms()
			}
		}
		return w.release(ctx, l)
	})
}

// merged: two cards of one shopper become one, while tills still know both. Nothing is
// wrong with that either: the old card spends what both had.
func (w *world) merged(from int, a, b *lane) {
	var old, kept *member
	w.on(from, evening, func(ctx context.Context) error {
		for i, l := range []*lane{a, b} {
			l.cutOff = false
			s, err := w.sellToLoner(ctx, l, 10+i)
			if err != nil {
				return err
			}
			old, kept = kept, s.buyer
		}
		return nil
	})
	w.on(from, settled, func(ctx context.Context) error {
		w.hq.clock.Advance(time.Minute)
		if _, err := w.hq.accounts.Merge(ctx, w.ann, old.id, kept.id, 1); err != nil {
			return fmt.Errorf("merge accounts: %w", err)
		}
		now := w.hq.ms()
		w.truth.Add(old.account, &truth.Fact{At: now, Known: now, Kind: truth.Leave, Other: kept.account})
		w.truth.Add(kept.account, &truth.Fact{At: now, Known: now, Kind: truth.Arrival, Other: old.account})
		old.into = kept
		w.counts["cards that became one"]++
		_, err := w.hq.accounts.Settle(ctx)
		return err
	})
	w.on(from+1, evening, func(context.Context) error {
		a.now(w.after(a, 12))
		x := basket(old)
		x.redeem = w.balance(old, a.at.Add(time.Second))
		_, err := w.sell(a, x)
		return err
	})
}

// lateTill: a shopper earns at one store, earns and spends at a till that is cut off, and
// spends at a third store. When the till is heard of, the third store's points turn out to
// be others than they seemed, of another issuer; in the first set a month has been settled
// meanwhile.
func (w *world) lateTill(from int, first, cut, third *lane) {
	var m *member
	shop := func(l *lane, minutes int, redeem int64) error {
		l.now(w.after(l, minutes))
		_, err := w.sell(l, sale{buyer: m, pieces: 2, price: 25_000 * l.shop.money.worth, redeem: redeem})
		return err
	}
	w.reserve(from+1, cut)
	w.on(from, evening, func(ctx context.Context) (err error) {
		if m, err = w.loner(ctx, 0); err != nil {
			return err
		}
		first.cutOff = false
		return shop(first, 13, 0)
	})
	w.on(from+1, evening, func(context.Context) error {
		cut.cutOff = true
		return shop(cut, 13, 0)
	})
	w.on(from+2, evening, func(context.Context) error { return shop(cut, 13, 400) })
	w.on(from+3, evening, func(context.Context) error {
		third.cutOff = false
		return shop(third, 13, 300)
	})
	w.on(from+6, morning, func(context.Context) error {
		cut.apart, cut.cutOff = false, false
		w.counts["redemptions that turned out to be of other points"]++
		return nil
	})
}

// joinsUnheard: somebody joins at the till that is cut off in [world.lateTill], and spends
// in another store on the next day. Until the till is heard of nobody has that card, and
// what was done with it counts for nothing; in the first set a month has been settled
// meanwhile.
func (w *world) joinsUnheard(from int, cut, other *lane) {
	var m *member
	w.on(from+1, evening, func(context.Context) (err error) {
		cut.now(w.after(cut, 20))
		if m, err = w.join(cut); err != nil {
			return err
		}
		w.members = slices.DeleteFunc(w.members, func(x *member) bool { return x == m }) // who shops nowhere else
		_, err = w.sell(cut, sale{buyer: m, pieces: 2, price: 25_000 * cut.shop.money.worth})
		return err
	})
	w.on(from+2, evening, func(context.Context) error {
		other.cutOff = false
		other.now(w.after(other, 20))
		w.counts["redemptions by who had joined unheard"]++
		_, err := w.sell(other, sale{buyer: m, pieces: 2, price: 25_000 * other.shop.money.worth, redeem: 300})
		return err
	})
}

// enrolledAgain: a terminal gets a new disk on one morning and another one on the next.
// Its code is rotated before it is used: the one before, and one that was used, enrol
// nobody.
func (w *world) enrolledAgain(from int, l *lane) {
	w.reserve(from, l)
	again := func(ctx context.Context) error {
		old, err := w.hq.fleet.NewCode(ctx, l.terminal)
		if err != nil {
			return err
		}
		code, err := w.hq.fleet.NewCode(ctx, l.terminal)
		if err != nil {
			return err
		}
		l.said.Ended, l.said.Since, l.said.Over = true, w.hq.ms(), "replaced"
		l.now(w.size.day(w.today).Add(3 * time.Hour))
		thief := *l
		w.refused = append(w.refused, refusal{"enrolment code that was rotated", problem.EnrolCodeInvalid, problem.CodeOf(thief.enrolBy(ctx, w, old.Text))})
		if err := l.enrolBy(ctx, w, code.Text); err != nil {
			return err
		}
		w.refused = append(w.refused, refusal{"enrolment code that was used", problem.EnrolCodeInvalid, problem.CodeOf(thief.enrolBy(ctx, w, code.Text))})
		w.counts["terminals enrolled again"]++
		return nil
	}
	w.on(from, morning, again)
	w.on(from+1, morning, func(ctx context.Context) error {
		l.apart = false
		return again(ctx)
	})
}
