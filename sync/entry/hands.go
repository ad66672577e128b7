package entry

import "github.com/google/uuid"

// Hands is who did what an entry says: the cashier who was signed in and the manager
// who approved, each by the id that HQ gave them, and the version of the store's till
// rules that it was done under. Their names are not in the journal. With nobody signed
// in the entry's Cashier is what the till software said.
//
// Its keys are the same in every body that has it.
type Hands struct {
	CashierID uuid.UUID `cbor:"40,keyasint,omitzero"`
	Approver  uuid.UUID `cbor:"41,keyasint,omitzero"`
	TillRules uint64    `cbor:"42,keyasint,omitempty"`
}
