package truth

import (
	"cmp"
	"slices"
)

// Lot is points earned together. Of Amount, what is not Left, Spent or Paid (for a debt)
// is expired or taken back; Owed is the part of Spent that came of an earning taken back.
type Lot struct {
	Issuer                    int
	EarnedAt, Expires         int64
	Amount, Left, Spent, Paid int64
	Owed                      int64
}

// Flow is points that changed what an account has.
type Flow struct {
	At     int64
	What   string // one of the words below
	By     *Fact  // nil: time
	Of     *Fact  // the sale that redeemed, of what was redeemed and restored
	Lot    *Lot   // nil where the account had none
	Amount int64
}

// What flows.
const (
	Issued   = "issued"
	Adjusted = "adjusted" // given by head office
	Redeemed = "redeemed"
	Restored = "restored"
	Reversed = "reversed"
	Repaid   = "repaid" // a debt, out of a lot
	Borne    = "borne"  // what was spent or repaid of an earning that was taken back is a debt now
	Expired  = "expired"
	Moved    = "moved" // to or from another account
)

// State is how an account stands.
type State struct {
	Lots  []*Lot
	Debt  int64
	Short int64 // what was redeemed and not there, when it was redeemed
	Flows []Flow

	now     *Fact
	undone  *Fact // the sale that is being undone
	sales   map[ID]*sold
	waiting []*Fact // voids and returns whose sale has not been heard of
}

type part struct {
	lot    *Lot
	amount int64
}

// sold is a sale with what came back of it.
type sold struct {
	by     *Fact
	takes  []part // what its redemption took and was not given back, the debt last
	lot    *Lot
	back   int64 // price of the goods that came back
	given  int64 // of the redemption
	undone int64 // of the earning
	voided bool
}

// Free is what can be spent.
func (s *State) Free() (n int64) {
	for _, l := range s.Lots {
		n += l.Left
	}
	return n
}

// pass lets lots expire that are due by a moment.
func (s *State) pass(at int64) {
	for _, l := range s.Lots {
		if l.Expires != 0 && l.Expires <= at && l.Left > 0 {
			s.flow(Flow{At: max(l.Expires, s.since()), What: Expired, Lot: l, Amount: l.Left})
			l.Left = 0
		}
	}
}

// since is when the fact that is being taken took effect; what it brings back to a lot that
// is past expires there and then.
func (s *State) since() int64 {
	if s.now == nil {
		return 0
	}
	return s.now.At
}

func (s *State) flow(f Flow) {
	if f.Amount != 0 {
		s.Flows = append(s.Flows, f)
	}
}

func (s *State) take(f *Fact, other func(ID, int64) *State) {
	s.now = f
	defer func() { s.now = nil }()
	switch f.Kind {
	case Sale:
		s.sale(f)
	case Void, Return:
		s.undo(f)
	case Gift:
		s.gift(f)
	case Arrival:
		for _, l := range other(f.Other, f.At-1).Lots {
			if l.Left > 0 {
				s.flow(Flow{At: f.At, What: Moved, By: f, Lot: l, Amount: l.Left})
				s.add(&Lot{Issuer: l.Issuer, EarnedAt: l.EarnedAt, Expires: l.Expires, Amount: l.Left, Left: l.Left})
			}
		}
		s.pay()
	case Leave:
		for _, l := range s.Lots {
			s.flow(Flow{At: f.At, What: Moved, By: f, Lot: l, Amount: -l.Left})
			l.Spent, l.Left = l.Spent+l.Left, 0
		}
	}
}

// sale redeems first and earns then. A sale's name counts once.
func (s *State) sale(f *Fact) {
	if s.sales[f.Name] != nil {
		return
	}
	x := &sold{by: f}
	s.sales[f.Name] = x
	if f.Redeemed > 0 {
		x.takes = s.spend(f.Redeemed, func(l *Lot, n int64) { l.Spent += n })
		missing := f.Redeemed
		for _, t := range x.takes {
			missing -= t.amount
			s.flow(Flow{f.At, Redeemed, f, f, t.lot, t.amount})
		}
		if missing > 0 {
			x.takes = append(x.takes, part{nil, missing})
			s.Debt, s.Short = s.Debt+missing, s.Short+missing
			s.flow(Flow{f.At, Redeemed, f, f, nil, missing})
		}
	}
	if f.Earned > 0 {
		x.lot = &Lot{Issuer: f.Store, EarnedAt: f.At, Expires: f.Expires, Amount: f.Earned, Left: f.Earned}
		s.flow(Flow{At: f.At, What: Issued, By: f, Lot: x.lot, Amount: f.Earned})
		s.add(x.lot)
		s.pay()
	}
	waiting := s.waiting
	s.waiting = nil
	for _, w := range waiting {
		s.undo(w)
	}
}

func (s *State) gift(f *Fact) {
	l := &Lot{Issuer: Programme, EarnedAt: f.At, Expires: f.Expires, Amount: f.Earned, Left: f.Earned}
	s.flow(Flow{At: f.At, What: Adjusted, By: f, Lot: l, Amount: f.Earned})
	s.add(l)
	s.pay()
}

// add puts a lot where it is spent: first expiry first, what never expires last, then the
// older one.
func (s *State) add(l *Lot) {
	never := func(at int64) int64 {
		if at == 0 {
			return Ever
		}
		return at
	}
	s.Lots = append(s.Lots, l)
	slices.SortStableFunc(s.Lots, func(a, b *Lot) int {
		return cmp.Or(cmp.Compare(never(a.Expires), never(b.Expires)), cmp.Compare(a.EarnedAt, b.EarnedAt))
	})
}

// spend takes up to amount from what is left of the lots, in their order.
func (s *State) spend(amount int64, use func(l *Lot, n int64)) (out []part) {
	for _, l := range s.Lots {
		n := min(amount, l.Left)
		if n == 0 {
			continue
		}
		l.Left, amount = l.Left-n, amount-n
		use(l, n)
		out = append(out, part{l, n})
	}
	return out
}

// pay pays debt from what is left.
func (s *State) pay() {
	for _, p := range s.spend(s.Debt, func(l *Lot, n int64) { l.Paid += n }) {
		s.Debt -= p.amount
		s.flow(Flow{At: s.since(), What: Repaid, By: s.now, Of: s.undone, Lot: p.lot, Amount: p.amount})
	}
}

// undo takes back what a sale did, as far as its goods have come back.
func (s *State) undo(f *Fact) {
	x := s.sales[f.Name]
	switch {
	case x == nil:
		s.waiting = append(s.waiting, f)
		return
	case x.voided || x.back == x.by.Total:
		return
	case f.Kind == Void:
		x.voided, x.back = true, x.by.Total
	default:
		x.back = min(x.by.Total, x.back+f.Back)
	}
	s.undone = x.by
	defer func() { s.undone = nil }()
	if due := share(x.by.Redeemed, x) - x.given; due > 0 {
		x.given += due
		s.giveBack(f, x, due)
	}
	if due := share(x.by.Earned, x) - x.undone; due > 0 {
		x.undone += due
		s.takeBack(x.lot, due)
	}
}

// share is the part of an amount that belongs to what has come back, rounded down.
func share(amount int64, x *sold) int64 {
	if x.back == x.by.Total {
		return amount
	}
	return amount * x.back / x.by.Total
}

// giveBack gives points of a redemption back, those it took last first.
func (s *State) giveBack(f *Fact, x *sold, amount int64) {
	forgiven := int64(0)
	for i := len(x.takes) - 1; i >= 0 && amount > 0; i-- {
		t := &x.takes[i]
		n := min(amount, t.amount)
		if n == 0 {
			continue
		}
		t.amount, amount = t.amount-n, amount-n
		if t.lot == nil {
			s.flow(Flow{f.At, Restored, f, x.by, nil, n})
			forgiven += n
			continue
		}
		owed := min(n, t.lot.Owed)
		s.flow(Flow{f.At, Restored, f, x.by, t.lot, n - owed})
		s.flow(Flow{f.At, Restored, f, x.by, nil, owed})
		t.lot.Spent, t.lot.Owed, t.lot.Left = t.lot.Spent-n, t.lot.Owed-owed, t.lot.Left+n-owed
		forgiven += owed
	}
	paid := forgiven - min(forgiven, s.Debt)
	s.Debt -= forgiven - paid
	for i := len(s.Lots) - 1; i >= 0 && paid > 0; i-- {
		l := s.Lots[i]
		n := min(paid, l.Paid)
		s.flow(Flow{At: f.At, What: Repaid, By: f, Of: x.by, Lot: l, Amount: -n})
		l.Paid, l.Left, paid = l.Paid-n, l.Left+n, paid-n
	}
	s.pass(f.At)
	s.pay()
}

// takeBack takes back what was earned: what is left first, then what paid a debt or was
// spent, which is owed then.
func (s *State) takeBack(l *Lot, amount int64) {
	left := min(amount, l.Left)
	s.flow(Flow{At: s.since(), What: Reversed, By: s.now, Lot: l, Amount: left})
	l.Left, amount = l.Left-left, amount-left
	paid := min(amount, l.Paid)
	l.Paid, amount = l.Paid-paid, amount-paid
	spent := min(amount, l.Spent-l.Owed)
	l.Owed += spent
	s.flow(Flow{At: s.since(), What: Borne, By: s.now, Of: s.undone, Lot: l, Amount: paid + spent})
	s.Debt += paid + spent
	s.pay()
}
