package storeday

import (
	"github.com/google/uuid"

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

// read reads an entry; sale is where it puts what it says of one.
func read(raw []byte, sale *entry.Sale) (d deed) {
	var err error
	if d.Entry, err = entry.DecodeShared(raw); err != nil {
		return d
	}
	d.ok = true
	switch d.Kind {
	case entry.KindSale:
		if err := entry.DecodeSums(d.Entry, sale); err == nil {
			d.sale = sale
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

func readAll(entries []Entry) []deed {
	out, sales := make([]deed, len(entries)), make([]entry.Sale, len(entries))
	for i, e := range entries {
		out[i] = read(e.Raw, &sales[i])
	}
	return out
}

// anonymous says whether it is a sale without a member.
func (d deed) anonymous() bool { return d.sale != nil && d.sale.Account == uuid.Nil }
