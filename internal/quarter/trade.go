package quarter

import (
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/sync/entry"
)

// sale is what is to be sold, before a lane writes it.
type sale struct {
	id      uuid.UUID // zero: a new one
	buyer   *member   // nil: without a card
	pieces  int64     // of one kind of goods
	price   int64     // of a piece, minor units
	redeem  int64
	right   uuid.UUID // on which it redeems
	asked   bool      // head office gave that right when the till asked
	voucher uuid.UUID // a use of it
	extra   int64     // points beyond the rules
	keep    bool      // the lane keeps a right of what is earned
}

// sell writes a sale at a lane and tells the truth of it.
func (w *world) sell(l *lane, x sale) (*sold, error) {
	m := l.shop.money
	if x.id == uuid.Nil {
		x.id = w.dice.id(l.at)
	}
	total := x.pieces * x.price
	body := entry.Sale{
		ID: x.id, Total: entry.Money{Currency: m.code, Minor: total}, RuleSet: m.rules, Policy: w.policy, Key: x.id.String(), KeyHash: x.id[:],
		Lines: []entry.Line{{No: 1, SKU: "goods", Quantity: x.pieces * 1000, Amount: total}},
	}
	done := truth.Done{Currency: m.code, Total: total, Redeemed: x.redeem}
	if x.redeem > 0 {
		r := entry.Redemption{Reward: w.reward, Unit: points, Amount: x.redeem, Basis: entry.BasisStandIn, Discount: x.redeem * m.worth}
		if x.right != uuid.Nil {
			r.Basis, r.Right = entry.BasisAllowance, x.right
		}
		if x.asked {
			r.Basis = entry.BasisHQAuthorised
		}
		body.Redeemed, done.Basis, done.Discount = append(body.Redeemed, r), r.Basis.String(), r.Discount
	}
	if x.voucher != uuid.Nil {
		r := entry.Redemption{Reward: w.reward, Voucher: x.voucher, Amount: 1, Basis: entry.BasisStandIn, Discount: 100}
		body.Redeemed, done.Basis, done.Uses, done.Discount = append(body.Redeemed, r), r.Basis.String(), 1, done.Discount+r.Discount
	}
	if x.buyer == nil {
		return w.written(l, x, body, done, nil)
	}
	body.Member, body.Account, body.Freshness = x.buyer.id, x.buyer.account, entry.FreshnessStatic
	moment := l.at.Add(time.Second).UnixMilli()
	f := &truth.Fact{
		Kind: truth.Sale, Name: x.id, Store: l.shop.number, Total: total, Discount: done.Discount, Redeemed: x.redeem,
		Earned: (total - done.Discount) / m.per, Expires: truth.MonthsLater(moment, m.months),
	}
	done.Earned = f.Earned + x.extra
	if done.Earned > 0 {
		body.Earned = []entry.Earning{{Unit: points, Amount: done.Earned, ExpiresAt: f.Expires}}
	}
	if x.keep && f.Earned > 0 {
		body.Kept = []entry.Kept{{Unit: points, Amount: f.Earned, EndsAt: moment + (12 * time.Hour).Milliseconds()}}
		l.held = append(l.held, keptRight{x.id, x.buyer.id, x.buyer.account, f.Earned})
		x.buyer.heldOn = w.today
	}
	return w.written(l, x, body, done, f)
}

func (w *world) written(l *lane, x sale, body entry.Sale, done truth.Done, f *truth.Fact) (*sold, error) {
	if err := l.write(entry.KindSale, body, done, f); err != nil {
		return nil, err
	}
	l.day.Sale(body)
	if f != nil {
		w.truth.Add(x.buyer.counts(), f)
	}
	w.counts["sales"]++
	if x.redeem > 0 {
		w.counts["redemptions"]++
	}
	return &sold{id: x.id, at: l.at, lane: l, epoch: l.writer.Epoch, seq: l.head.Seq, buyer: x.buyer, fact: f, done: done, body: body}, nil
}

// undoSale voids a sale at its lane.
func (w *world) undoSale(s *sold) error {
	l := s.lane
	id := w.dice.id(l.at)
	body := entry.Void{
		ID: id, Sale: s.id, Member: s.body.Member, Account: s.body.Account, Reason: entry.VoidCashier, Key: id.String(), KeyHash: id[:], Total: s.body.Total,
	}
	var f *truth.Fact
	if s.buyer != nil {
		f = &truth.Fact{Kind: truth.Void, Name: s.id, Store: l.shop.number}
	}
	if err := l.write(entry.KindVoid, body, s.done, f); err != nil {
		return err
	}
	l.day.Void(body, s.body)
	if f != nil {
		w.truth.Add(s.buyer.account, f)
	}
	s.voided = true
	w.counts["voids"]++
	return nil
}

// bringBack returns pieces of a sale at a lane, which may be another store's: then the lane
// knows only what the receipt says.
func (w *world) bringBack(l *lane, s *sold, pieces int64) error {
	line := s.body.Lines[0]
	back := line.Amount / (line.Quantity / 1000) * pieces
	matched := l == s.lane && l.writer.Epoch == s.epoch
	id := w.dice.id(l.at)
	refund := (s.done.Total - s.done.Discount) * back / s.done.Total
	body := entry.Return{
		ID: id, Sale: s.id, Origin: s.lane.terminal, OriginEpoch: s.epoch, OriginSeq: s.seq,
		Lines:  []entry.ReturnLine{{No: 1, Quantity: pieces * 1000, Amount: back}},
		Refund: entry.Money{Currency: s.done.Currency, Minor: refund}, RuleSet: l.shop.money.rules, Matched: matched, Key: id.String(), KeyHash: id[:],
		Whole: matched && s.returns+back == s.done.Total,
	}
	if matched {
		body.Member, body.Account = s.body.Member, s.body.Account
	}
	f := &truth.Fact{Kind: truth.Return, Name: s.id, Store: l.shop.number, Back: back}
	done := truth.Done{Currency: s.done.Currency, Total: refund}
	if err := l.write(entry.KindReturn, body, done, f); err != nil {
		return err
	}
	l.day.Return(body)
	w.truth.Add(s.buyer.account, f)
	s.returns += back
	w.counts["returns"]++
	if l.shop != s.lane.shop {
		w.counts["returns in another store"]++
	}
	return nil
}

// bearsReturn says whether the buyer of a sale would owe nothing after a return of it, or a
// void: who brings back what earned points that are spent owes them, which is a story of its own.
func (w *world) bearsReturn(s *sold, at time.Time) bool {
	if s.buyer == nil {
		return true
	}
	trial := truth.NewBook()
	for _, f := range w.truth.Of(s.buyer.account) {
		trial.Add(s.buyer.account, f)
	}
	trial.Add(s.buyer.account, &truth.Fact{At: at.UnixMilli(), Known: truth.Ever, Kind: truth.Void, Name: s.id})
	return trial.Fold(s.buyer.account, at.UnixMilli(), truth.Ever).Debt == 0
}
