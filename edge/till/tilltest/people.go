package tilltest

import (
	"bytes"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/pin"
	"github.com/tallystick/tallystick/sync/wire"
)

// Hired returns a cashier of the world's store with a PIN.
func (w *World) Hired(tb T, name string, role wire.CashierRole, digits string) wire.Cashier {
	tb.Helper()
	h, err := pin.Make(bytes.NewReader([]byte("sixteen bytes: "+name+"                ")), digits)
	if err != nil {
		tb.Fatal(err)
	}
	return wire.Cashier{ID: w.NewID(), Store: w.Store, Name: name, Role: role, Active: true, PIN: h}
}

// CashierItem is what the store is told of a cashier.
func (w *World) CashierItem(tb T, c wire.Cashier) wire.Item {
	tb.Helper()
	return w.Item(tb, wire.ItemCashier, c.ID, c)
}

// TillRules is what the store is told of how its tills work.
func (w *World) TillRules(tb T, r loyalty.TillRules) wire.Item {
	tb.Helper()
	it := w.Item(tb, wire.ItemTillRules, w.Store, nil)
	r.Version = it.Version
	raw, err := wire.Marshal(r)
	if err != nil {
		tb.Fatal(err)
	}
	it.Body = raw
	return it
}
