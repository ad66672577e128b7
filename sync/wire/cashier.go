package wire

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/pin"
)

// Items about who works at a store's tills. Both are told to that store only.
const (
	ItemCashier   ItemKind = 13 // Cashier
	ItemTillRules ItemKind = 14 // loyalty.TillRules; the id is the store's
)

// CashierRole is what a cashier may do. Numbers are final.
type CashierRole uint8

// Roles.
const (
	RoleCashier CashierRole = 1
	RoleManager CashierRole = 2 // may approve what others do
)

// String returns the word used in JSON and on screen.
func (r CashierRole) String() string {
	switch r {
	case RoleCashier:
		return "cashier"
	case RoleManager:
		return "manager"
	}
	return "none"
}

// Cashier is somebody who works at the tills of one store. Name is what the till
// shows. One that is not active stays known, so that what they did keeps a name; its
// PIN is gone.
type Cashier struct {
	ID     uuid.UUID   `cbor:"1,keyasint"`
	Store  uuid.UUID   `cbor:"2,keyasint"`
	Name   string      `cbor:"3,keyasint"`
	Role   CashierRole `cbor:"4,keyasint"`
	Active bool        `cbor:"5,keyasint,omitempty"`
	PIN    pin.Hash    `cbor:"6,keyasint,omitzero"`
}
