package storeday

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// deed is an entry that has been read once, for all who count it. One that cannot be read,
// or whose body cannot, is an exception of its own.
type deed struct {
	entry.Entry
	ok   bool
	sale *entry.Sale
	void *entry.Void
	back *entry.Return
}

// brief is what figures need of a sale, by the keys of [entry.Sale]: its lines are most of
// its bytes, and nothing here counts them.
type brief struct {
	ID       [16]byte        `cbor:"1,keyasint"`
	Account  [16]byte        `cbor:"3,keyasint"`
	Total    entry.Money     `cbor:"4,keyasint"`
	Cashier  string          `cbor:"6,keyasint"`
	Earned   []briefEarning  `cbor:"12,keyasint"`
	Redeemed []briefRedeemed `cbor:"13,keyasint"`
	Claim    [16]byte        `cbor:"17,keyasint"`
	By       [16]byte        `cbor:"40,keyasint"`
}

type briefEarning struct {
	Unit   string `cbor:"1,keyasint"`
	Amount int64  `cbor:"2,keyasint"`
}

type briefRedeemed struct {
	Unit     string      `cbor:"3,keyasint"`
	Amount   int64       `cbor:"4,keyasint"`
	Basis    entry.Basis `cbor:"5,keyasint"`
	Discount int64       `cbor:"7,keyasint"`
}

func (b *brief) sale() *entry.Sale {
	out := &entry.Sale{ID: b.ID, Account: b.Account, Total: b.Total, Cashier: b.Cashier, Claim: b.Claim, Hands: entry.Hands{CashierID: b.By}}
	for _, e := range b.Earned {
		out.Earned = append(out.Earned, entry.Earning{Unit: e.Unit, Amount: e.Amount})
	}
	for _, r := range b.Redeemed {
		out.Redeemed = append(out.Redeemed, entry.Redemption{Unit: r.Unit, Amount: r.Amount, Basis: r.Basis, Discount: r.Discount})
	}
	return out
}

func read(raw []byte) (d deed) {
	var err error
	if d.Entry, err = entry.Decode(raw); err != nil {
		return d
	}
	d.ok = true
	switch d.Kind {
	case entry.KindSale:
		if b, err := entry.DecodeBody[brief](d.Entry); err == nil {
			d.sale = b.sale()
		}
	case entry.KindVoid:
		if b, err := entry.DecodeBody[entry.Void](d.Entry); err == nil {
			d.void = &b
		}
	case entry.KindReturn:
		if b, err := entry.DecodeBody[entry.Return](d.Entry); err == nil {
			d.back = &b
		}
	}
	return d
}

func readAll(entries []ledger.Entry) []deed {
	out := make([]deed, len(entries))
	for i, e := range entries {
		out[i] = read(e.Raw)
	}
	return out
}

// anonymous says whether it is a sale without a member.
func (d deed) anonymous() bool { return d.sale != nil && d.sale.Account == uuid.Nil }
