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

func read(raw []byte) (d deed) {
	var err error
	if d.Entry, err = entry.Decode(raw); err != nil {
		return d
	}
	d.ok = true
	switch d.Kind {
	case entry.KindSale:
		if b, err := entry.DecodeSums(d.Entry); err == nil {
			d.sale = &b
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
	out := make([]deed, len(entries))
	for i, e := range entries {
		out[i] = read(e.Raw)
	}
	return out
}

// anonymous says whether it is a sale without a member.
func (d deed) anonymous() bool { return d.sale != nil && d.sale.Account == uuid.Nil }
