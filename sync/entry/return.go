package entry

import "github.com/google/uuid"

// ReturnLine is what came back of one line of the sale. No is the line's number in
// the sale, Quantity is in thousandths and Amount in minor units of the sale's
// currency: what the line's goods cost, as far as the POS said so.
type ReturnLine struct {
	No       uint16 `cbor:"1,keyasint"`
	Quantity int64  `cbor:"2,keyasint"`
	Amount   int64  `cbor:"3,keyasint,omitempty"`
}

// Return is goods brought back: which sale, which lines and quantities, and what
// money was given back. It records facts and nothing that follows from them; what is
// taken back and restored is worked out at HQ.
//
// Matched says that the terminal held the sale and checked lines, quantities and
// amounts against it and all earlier returns of it. Only then are Member and Account
// those of the sale. Of a return that is not matched, Sale, Origin and the receipts
// are what the POS handed over, and nothing in it was checked.
//
// Lines is empty when the sale has no lines, or when only the money is known: then
// Refund says how much of what was paid came back. Whole is set, on a matched return
// only, when nothing is left of the sale after it.
type Return struct {
	ID          uuid.UUID    `cbor:"1,keyasint"`
	Sale        uuid.UUID    `cbor:"2,keyasint,omitzero"` // zero when unknown
	Origin      uuid.UUID    `cbor:"3,keyasint,omitzero"` // the terminal whose journal holds the sale
	OriginEpoch uint32       `cbor:"4,keyasint,omitempty"`
	OriginSeq   uint64       `cbor:"5,keyasint,omitempty"`
	Member      uuid.UUID    `cbor:"6,keyasint,omitzero"`
	Account     uuid.UUID    `cbor:"7,keyasint,omitzero"`
	Lines       []ReturnLine `cbor:"8,keyasint,omitempty"`
	Refund      Money        `cbor:"9,keyasint"`
	Receipt     string       `cbor:"10,keyasint,omitempty"` // of the return
	SaleReceipt string       `cbor:"11,keyasint,omitempty"` // of the sale
	Cashier     string       `cbor:"12,keyasint,omitempty"`
	RuleSet     uint64       `cbor:"13,keyasint"` // the rule set the terminal held
	Matched     bool         `cbor:"14,keyasint,omitempty"`
	Key         string       `cbor:"15,keyasint"`
	KeyHash     []byte       `cbor:"16,keyasint"`
	Whole       bool         `cbor:"17,keyasint,omitempty"`
	Hands
}
