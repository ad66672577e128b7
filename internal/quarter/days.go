package quarter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/sync/entry"
)

// phase is a part of a day in which planted stories go on.
type phase int

const (
	morning phase = iota // before anybody sells
	evening              // after the last sale, before the closes
	closing              // after the closes
	late                 // head office has what was delivered, and posted it
	settled              // people have looked
)

type when struct {
	day int
	phase
}

// step is a part of a planted story.
type step func(ctx context.Context) error

func (w *world) on(day int, p phase, s step) { w.plan[when{day, p}] = append(w.plan[when{day, p}], s) }

func (w *world) happen(ctx context.Context, p phase) error {
	for _, s := range w.plan[when{w.today, p}] {
		if err := s(ctx); err != nil {
			return fmt.Errorf("day %d: %w", w.today+1, err)
		}
	}
	return nil
}

// playDay plays a day of all stores and the night in which head office hears of it. After
// the last one nobody sells any more: what waits is delivered.
func (w *world) playDay(ctx context.Context) error {
	w.outages()
	if err := w.happen(ctx, morning); err != nil {
		return err
	}
	if w.today < w.size.Days {
		if err := timed(&w.report.Seconds.Trade, func() error { return w.trade(ctx) }); err != nil {
			return fmt.Errorf("trade on day %d: %w", w.today+1, err)
		}
	}
	if err := w.happen(ctx, evening); err != nil {
		return err
	}
	if w.today < w.size.Days {
		if err := w.closeAll(); err != nil {
			return fmt.Errorf("close day %d: %w", w.today+1, err)
		}
	}
	if err := w.happen(ctx, closing); err != nil {
		return err
	}
	w.hq.until(w.size.night(w.today))
	if err := timed(&w.report.Seconds.Deliver, func() error { return w.deliverAll(ctx) }); err != nil {
		return err
	}
	if err := timed(&w.report.Seconds.Apply, func() error { return w.hq.apply(ctx) }); err != nil {
		return err
	}
	if err := w.happen(ctx, late); err != nil {
		return err
	}
	return timed(&w.report.Seconds.Certify, func() error { return w.people(ctx) })
}

// people settle what they have planted reasons for; then time passes and days are certified.
func (w *world) people(ctx context.Context) error {
	if err := w.hq.apply(ctx); err != nil {
		return err
	}
	w.hq.clock.Advance(2 * time.Minute)
	var err error
	if w.sweptTo, err = w.hq.sweep(ctx); err != nil {
		return err
	}
	for range 2 { // the first round may find what stands against a day, people settle that
		w.hq.clock.Advance(2 * time.Minute)
		if err := w.hq.storeDays.Round(ctx); err != nil {
			return fmt.Errorf("certify days: %w", err)
		}
		if err := w.settleDisputes(ctx); err != nil {
			return err
		}
	}
	if err := w.closeMonth(ctx); err != nil {
		return err
	}
	return w.happen(ctx, settled)
}

// outages cuts lanes off and lets them come back, after one to three days or, a few, after
// up to three weeks. At times all lanes of a store are cut off until the next day, and head
// office answers nobody for some hours.
func (w *world) outages() {
	left := w.size.Days - 1 - w.today
	w.silent = [2]time.Time{}
	if w.dice.chance(100) {
		from := w.size.day(w.today).Add(time.Duration(w.dice.between(6, 14)) * time.Hour)
		w.silent = [2]time.Time{from, from.Add(time.Duration(w.dice.between(1, 6)) * time.Hour)}
		w.counts["outages of head office, of hours"]++
	}
	for _, s := range w.shops {
		if left > 2 && w.dice.chance(5) {
			w.counts["outages of a whole store"]++
			for _, l := range s.lanes {
				if !l.apart && !l.dead && !l.cutOff {
					l.cutOff, l.back = true, w.today+1
				}
			}
		}
	}
	for _, l := range w.lanes {
		switch {
		case l.apart || l.dead:
		case l.cutOff && w.today >= l.back:
			l.cutOff = false
		case !l.cutOff && left > 2 && w.dice.chance(8):
			l.cutOff, l.back = true, w.today+min(left, w.dice.between(1, 3))
			if w.dice.chance(150) {
				l.back = w.today + min(left, w.dice.between(4, 21))
			}
			w.counts["outages"]++
			w.counts["days cut off"] += l.back - w.today
		}
	}
}

// visit is one moment at one lane.
type visit struct {
	at   time.Time
	lane *lane
}

// trade plays all sales of a day in the order of time.
func (w *world) trade(ctx context.Context) error {
	var visits []visit
	for _, l := range w.lanes {
		if l.dead || l.apart {
			continue
		}
		opens := w.onWall(l, 8)
		for range w.dice.between(w.size.Sales/2, w.size.Sales+w.size.Sales/2) {
			visits = append(visits, visit{opens.Add(time.Duration(w.dice.below(11*3600)) * time.Second), l})
		}
	}
	slices.SortStableFunc(visits, func(a, b visit) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.lane.shop.number, b.lane.shop.number), cmp.Compare(a.lane.number, b.lane.number))
	})
	for _, v := range visits {
		v.lane.now(v.at)
		if err := w.visit(ctx, v.lane); err != nil {
			return err
		}
	}
	w.recent = slices.DeleteFunc(w.recent, func(s *sold) bool { return s.at.Before(w.size.day(w.today - 14)) })
	return nil
}

// visit is what one shopper does at a lane.
func (w *world) visit(ctx context.Context, l *lane) error {
	switch {
	case w.dice.chance(15):
		return w.visitVoid(l)
	case w.dice.chance(25):
		return w.visitReturn(l)
	}
	x := sale{pieces: int64(w.dice.between(1, 4)), price: int64(w.dice.between(200, 3000)) * l.shop.money.worth}
	if !w.dice.chance(80) {
		if err := w.serve(ctx, l, &x); err != nil {
			return err
		}
	}
	s, err := w.sell(l, x)
	if err != nil {
		return err
	}
	if !x.asked { // undone, its right would live again until the till gives it back
		w.recent = append(w.recent, s)
	}
	if x.keep && s.fact.Earned >= 20 { // what was earned here is spent here
		l.now(l.at.Add(5 * time.Minute))
		h := &l.held[len(l.held)-1]
		spent := h.left / 2
		h.left -= spent
		w.counts["redemptions on rights"]++
		on, err := w.sell(l, sale{buyer: x.buyer, pieces: 2, price: x.price, redeem: spent, right: h.right})
		if err != nil || !w.dice.chance(100) {
			return err
		}
		h.left += spent // the right lives on with what came back, until the day is closed
		w.counts["redemptions on rights undone"]++
		return w.undoSale(on)
	}
	return nil
}

// serve finds out who the shopper is and what they wish: one in a hundred becomes a member
// here and now.
func (w *world) serve(ctx context.Context, l *lane, x *sale) (err error) {
	if w.dice.chance(10) {
		x.buyer, err = w.join(l)
		return err
	}
	if x.buyer = w.shopper(l); x.buyer == nil {
		return nil
	}
	w.wish(l, x)
	if x.redeem > 0 && !l.cutOff && w.dice.chance(60) {
		if l.at.After(w.silent[0]) && l.at.Before(w.silent[1]) {
			w.counts["tills that head office did not answer"]++
			return nil // it redeems in stand-in
		}
		return w.ask(ctx, l, x)
	}
	return nil
}

// shopper picks who comes; nobody is at two lanes at a time.
func (w *world) shopper(l *lane) *member {
	for range 20 {
		m := w.members[w.dice.below(len(w.members))]
		if !w.elsewhere(m, l.at) {
			return m
		}
	}
	return nil
}

// elsewhere says whether something happened to a member at a moment or later: lanes that
// serve somebody for a while run ahead of the others.
func (w *world) elsewhere(m *member, at time.Time) bool {
	return slices.ContainsFunc(w.truth.Of(m.account), func(f *truth.Fact) bool { return f.At >= at.UnixMilli() })
}

// wish decides what a shopper redeems, and whether the lane keeps a right.
func (w *world) wish(l *lane, x *sale) {
	if x.buyer.heldOn == w.today {
		return
	}
	if w.dice.chance(300) {
		have := w.balance(x.buyer, l.at.Add(time.Second))
		if n := min(have, 400, x.pieces*x.price/l.shop.money.worth) / 50 * 50; n > 0 {
			x.redeem = n
			if x.buyer.home != l.shop.number {
				w.counts["redemptions away from home"]++
			}
			return
		}
	}
	x.keep = w.dice.chance(30)
}

// visitVoid undoes one of the last sales of the lane, of the open day.
func (w *world) visitVoid(l *lane) error {
	for i := len(w.recent) - 1; i >= max(0, len(w.recent)-2000); i-- {
		s := w.recent[i]
		if s.lane == l && s.epoch == l.writer.Epoch && !s.voided && s.returns == 0 && len(s.body.Kept) == 0 &&
			(s.buyer == nil || !w.elsewhere(s.buyer, l.at)) && w.bearsReturn(s, l.at) {
			return w.undoSale(s)
		}
	}
	return nil
}

// visitReturn brings goods of an earlier sale back, half of them to another store.
func (w *world) visitReturn(l *lane) error {
	if len(w.recent) == 0 {
		return nil
	}
	s := w.recent[w.dice.below(len(w.recent))]
	line := s.body.Lines[0]
	left := (s.done.Total - s.returns) / (line.Amount / (line.Quantity / 1000))
	if s.voided || s.buyer == nil || left == 0 || len(s.body.Kept) > 0 || s.lane.shop.money != l.shop.money || w.elsewhere(s.buyer, l.at) || !w.bearsReturn(s, l.at) {
		return nil
	}
	return w.bringBack(l, s, int64(w.dice.between(1, int(left))))
}

// closeAll closes the day at all lanes, when their shops close.
func (w *world) closeAll() error {
	for _, l := range w.lanes {
		if l.dead || l.date != entry.DateOf(w.size.day(w.today)) {
			continue
		}
		l.now(w.shut(l))
		if err := l.close(nil); err != nil {
			return err
		}
	}
	return nil
}

// shut is when a lane's shop closes today: nine in the evening.
func (w *world) shut(l *lane) time.Time { return w.onWall(l, 21) }

// onWall is today's hour on the wall of a lane's shop.
func (w *world) onWall(l *lane, hour int) time.Time {
	at := w.size.day(w.today).Add(time.Duration(hour) * time.Hour)
	_, offset := at.In(l.shop.zone).Zone()
	return at.Add(-time.Duration(offset) * time.Second)
}

func (w *world) deliverAll(ctx context.Context) error {
	for _, l := range w.lanes {
		if l.cutOff || l.dead {
			continue
		}
		if err := l.deliver(ctx, w.hq); err != nil {
			return err
		}
	}
	return nil
}
