package loyalty

import (
	"cmp"
	"encoding/hex"
	"slices"
)

// Basis is under what a redemption was accepted. Numbers are on the wire.
type Basis uint8

// Bases of a redemption.
const (
	ByRight   Basis = 1 // a right held here: a grant, a loan, or points earned here
	ByStandIn Basis = 2 // none: within the caps of the policy
	ByHQ      Basis = 3 // a right that HQ gave for this sale
)

// Right is what may still be spent of a right. Unit is a unit of points, or [UseUnit]
// of a voucher. EndsAt is in Unix milliseconds; zero never ends.
type Right struct {
	ID     ID
	Unit   string
	Left   int64
	EndsAt int64
	Basis  Basis // ByRight or ByHQ
}

// Usable reports whether a right may be spent at a moment: a terminal stops the clock
// bound before its end.
func (p Policy) Usable(r Right, now int64) bool {
	if r.Left <= 0 {
		return false
	}
	stop, err := Add(now, max(0, p.Rights.ClockBoundSeconds)*1000)
	return r.EndsAt == 0 || err == nil && stop < r.EndsAt
}

// Short is an amount of a unit that no right at hand covers.
type Short struct {
	Unit   string
	Amount int64
}

// Missing returns what the rights held and offered do not cover of the wishes, by unit,
// so that exactly that can be asked for. It refuses what no right can help.
func Missing(r Request) ([]Short, *Refusal) {
	w, refusal := wished(r)
	if refusal != nil || w == nil {
		return nil, refusal
	}
	var out []Short
	for _, need := range w.needs {
		if need.short > 0 {
			out = append(out, Short{need.unit, need.short})
		}
	}
	return out, nil
}

// part is an amount with what it is redeemed on.
type part struct {
	amount int64
	basis  Basis
	right  ID
}

// need is all that is wished for of one unit: the parts that rights cover, in the order
// in which they are spent, and the rest.
type need struct {
	unit    string
	voucher ID // of uses
	asked   int64
	parts   []part
	short   int64
}

// cover takes what it can from rights: first those held, the one that ends first
// first, then those offered, in their order.
func (n *need) cover(r Request) {
	n.short = n.asked
	if r.Authorised {
		n.parts, n.short = append(n.parts, part{amount: n.asked, basis: ByHQ}), 0
		return
	}
	held := slices.Clone(r.Rights)
	slices.SortStableFunc(held, func(a, b Right) int {
		return cmp.Or(cmp.Compare(lastIfNever(a.EndsAt), lastIfNever(b.EndsAt)), slices.Compare(a.ID[:], b.ID[:]))
	})
	for _, rights := range [][]Right{held, r.Offered} {
		for _, right := range rights {
			if n.short == 0 {
				return
			}
			if right.Unit != n.unit || !r.Policy.Usable(right, r.Now) || !r.mayUse(right) {
				continue
			}
			take := min(n.short, right.Left)
			n.parts = append(n.parts, part{take, right.Basis, right.ID})
			n.short -= take
		}
	}
}

func lastIfNever(endsAt int64) uint64 { return uint64(endsAt) - 1 }

// mayUse keeps a typed card number from spending what was set aside: whoever typed it
// has not shown the card.
func (r Request) mayUse(right Right) bool {
	return right.Basis == ByHQ || r.StandIn.Freshness != Keyed || !r.Policy.keyedOff()
}

// split gives each redemption its parts, what no right covers last. The first part of
// each carries its discount.
func (w *wishes) split() []Redeemed {
	for _, n := range w.needs {
		if n.short > 0 {
			n.parts = append(n.parts, part{amount: n.short, basis: ByStandIn})
		}
	}
	var out []Redeemed
	for _, whole := range w.redeemed {
		n := w.need(whole.unit(), whole.Voucher)
		for left := whole.Amount; left > 0; {
			p := &n.parts[0]
			one := whole
			one.Amount, one.Basis, one.Right = min(left, p.amount), p.basis, p.right
			out = append(out, one)
			left -= one.Amount
			if p.amount -= one.Amount; p.amount == 0 {
				n.parts = n.parts[1:]
			}
			whole.Discount = 0
		}
	}
	return out
}

// unit is the unit in which the ledger counts what is redeemed.
func (r Redeemed) unit() string {
	if r.Voucher != (ID{}) {
		return useUnitOf(r.Voucher)
	}
	return r.Unit
}

// Totals returns the redemptions with the parts of each put together: what the shopper
// gives and gets, on whatever basis.
func (d Decision) Totals() []Redeemed {
	var out []Redeemed
	for _, r := range d.Redeemed {
		r.Basis, r.Right = 0, ID{}
		at := slices.IndexFunc(out, func(o Redeemed) bool {
			return o.Reward == r.Reward && o.Voucher == r.Voucher && o.Unit == r.Unit
		})
		if at < 0 {
			out = append(out, r)
			continue
		}
		out[at].Amount += r.Amount
		out[at].Discount += r.Discount
	}
	return out
}

// Kept is the part of what a sale earns that its terminal may spend at once, until
// EndsAt.
type Kept struct {
	Unit   string
	Amount int64
	EndsAt int64
}

// keep returns what the policy lets a terminal keep of the earnings. Nothing is kept of
// a unit in which the account owes something: earnings repay that first.
func (r Request) keep(earned []Earned) []Kept {
	life := r.Policy.Rights.LifeSeconds
	if !r.Policy.SpendEarned || r.Authorised || life <= 0 || r.Member.Account == (ID{}) {
		return nil
	}
	ends, err := Add(r.Now, life*1000)
	if err != nil {
		return nil
	}
	var out []Kept
	for _, e := range earned {
		if e.Amount <= 0 || r.Member.Owes[e.Unit] > 0 || e.VestsAt > r.Now && !r.Policy.SpendPending {
			continue
		}
		until := ends
		if e.ExpiresAt != 0 {
			until = min(until, e.ExpiresAt)
		}
		at := slices.IndexFunc(out, func(k Kept) bool { return k.Unit == e.Unit })
		if at < 0 {
			out = append(out, Kept{e.Unit, e.Amount, until})
			continue
		}
		out[at].Amount += e.Amount
		out[at].EndsAt = min(out[at].EndsAt, until)
	}
	return out
}

// useUnitOf is UseUnit of a voucher's id.
func useUnitOf(id ID) string {
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return UseUnit(string(text[:]))
}
