package till

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// source says where a right came from.
type source uint8

const (
	fromGrant  source = 1
	fromAsking source = 2 // one-off, given by HQ for one sale
	fromLane   source = 3 // a loan
	fromSale   source = 4 // earned here
)

// basis is what a redemption on such a right states.
func (s source) basis() loyalty.Basis {
	if s == fromAsking {
		return loyalty.ByHQ
	}
	return loyalty.ByRight
}

// rightRow is a right as this journal has it (TableRight): received, or kept by a sale.
type rightRow struct {
	Unit   string    `cbor:"1,keyasint"`
	Amount int64     `cbor:"2,keyasint"`
	EndsAt int64     `cbor:"3,keyasint"`
	Source source    `cbor:"4,keyasint"`
	Member uuid.UUID `cbor:"5,keyasint,omitzero"`
	Proof  []byte    `cbor:"6,keyasint,omitempty"` // of HQ or of the lender
}

// used is what one entry takes of a right (TableUse); a void gives back.
type used struct {
	Unit     string `cbor:"1,keyasint"`
	Amount   int64  `cbor:"2,keyasint,omitempty"`
	Released bool   `cbor:"3,keyasint,omitempty"`
	LentTill int64  `cbor:"4,keyasint,omitempty"` // the end of the loan it went into
	// Loan is the right that it went into, Account that of the right, At the entry's time.
	Loan    uuid.UUID `cbor:"5,keyasint,omitzero"`
	Account uuid.UUID `cbor:"6,keyasint,omitzero"`
	At      int64     `cbor:"7,keyasint,omitempty"`
}

// right is a right of this terminal with what is left of it.
type right struct {
	id, account uuid.UUID
	rightRow
	left     int64
	received bool // this journal says so
	touched  bool // this journal has taken of it, or released it
	released bool
	recalled bool // HQ wants it back
	closed   bool // HQ counts it as over
	over     bool // it ended long ago, whatever the clock says; see isOver
}

// live reports whether it may still be spent, but for its end.
func (r right) live() bool { return !r.released && !r.recalled && !r.closed && !r.over && r.left > 0 }

// ofUses reports whether it is a right to uses of a voucher.
func (r right) ofUses() bool { return strings.HasPrefix(r.Unit, loyalty.UseUnit("")) }

func (r right) domain() loyalty.Right {
	return loyalty.Right{ID: r.id, Unit: r.Unit, Left: r.left, EndsAt: r.EndsAt, Basis: r.Source.basis()}
}

// change is the entry of a step in its life.
func (r right) change(op entry.AllowanceOp, amount int64) entry.AllowanceChange {
	return entry.AllowanceChange{
		Op: op, Right: r.id, Account: r.account, Unit: r.Unit, Amount: amount, EndsAt: r.EndsAt, Member: r.Member,
	}
}

// rightsOf returns the rights of this terminal on an account, dead ones too, in the
// order of their ids.
func (t *Till) rightsOf(l look, account uuid.UUID) ([]right, error) {
	var out []right
	over := t.over()
	err := l.scan(TableRight, account[:], nil, func(key, value []byte) error {
		rows, err := decode[[]rightRow](TableRight, value)
		for _, row := range rows {
			out = append(out, right{id: uuid.UUID(key[len(account):]), account: account, rightRow: row, received: true})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	grants, err := t.grantsOf(l, account)
	if err != nil {
		return nil, err
	}
	for _, g := range grants {
		known := slices.ContainsFunc(out, func(r right) bool { return r.id == g.id })
		if !known && g.own(t.cfg.Writer) && !t.forgotten(g) {
			out = append(out, right{id: g.id, account: account, rightRow: g.row()})
		}
	}
	for i := range out {
		if err := t.reckonRight(l, &out[i]); err != nil {
			return nil, err
		}
		out[i].over = isOver(out[i].EndsAt, over)
	}
	slices.SortFunc(out, func(a, b right) int {
		return cmp.Or(slices.Compare(a.id[:], b.id[:]), cmp.Compare(a.Unit, b.Unit))
	})
	return out, nil
}

// reckonRight adds up what became of a right: what is left is its amount less what the
// entries of this journal took, and HQ may want it back or count it as over.
func (t *Till) reckonRight(l look, r *right) error {
	now, _ := t.time.now()
	r.left = r.Amount
	err := l.scan(TableUse, r.id[:], nil, func(_, value []byte) error {
		uses, err := decode[[]used](TableUse, value)
		for _, u := range uses {
			if u.Unit != r.Unit {
				continue
			}
			r.touched, r.released = true, r.released || u.Released
			if t.cfg.Mutant == MutantFreeLoans && u.LentTill != 0 && now.UnixMilli() > u.LentTill {
				continue
			}
			r.left -= u.Amount
		}
		return err
	})
	if err != nil {
		return err
	}
	it, known, err := get[item](l, TableItem, itemKey(wire.ItemAllowance, r.id))
	if err != nil || !known {
		return err
	}
	if it.Body == nil {
		r.closed = true
		return nil
	}
	said, err := decode[wire.Allowance](TableItem, it.Body)
	r.recalled, r.closed = said.Recalled, said.Closed
	if t.cfg.Mutant == MutantStaleRecall && !said.Recalled && !said.Closed {
		r.released = false
	}
	return err
}

// held is the rights on an account that may be spent now.
func (t *Till) held(l look, account uuid.UUID) ([]right, error) {
	if account == uuid.Nil {
		return nil, nil
	}
	rights, err := t.rightsOf(l, account)
	return slices.DeleteFunc(rights, func(r right) bool { return !r.live() }), err
}

// usable keeps the rights that have not ended.
func usable(p loyalty.Policy, rights []right, now time.Time) []right {
	return slices.DeleteFunc(slices.Clone(rights), func(r right) bool { return !p.Usable(r.domain(), now.UnixMilli()) })
}
