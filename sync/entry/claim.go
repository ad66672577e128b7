package entry

import (
	"fmt"

	"github.com/google/uuid"
)

// Kinds of receipts that are claimed.
const (
	KindClaim     Kind = 11 // a terminal was shown a receipt and a pass
	KindHQClaimed Kind = 86
)

// ClaimOf is the claim of a sale: the UUID version 5 of "tallystick claim v1" in the
// namespace of the sale.
func ClaimOf(sale uuid.UUID) uuid.UUID { return uuid.NewSHA1(sale, []byte("tallystick claim v1")) }

// Claim is the body of [KindClaim]: who shows the receipt wants what its sale earned.
// It gives nothing before HQ says so. Token is the receipt's code. Matched says that the
// terminal checked its signature by the store's roster. A till that knew nothing of the
// member but the pass writes the member's id as the account.
type Claim struct {
	Claim     uuid.UUID `cbor:"1,keyasint"`
	Member    uuid.UUID `cbor:"2,keyasint"`
	Account   uuid.UUID `cbor:"3,keyasint"`
	Token     []byte    `cbor:"4,keyasint"`
	Freshness Freshness `cbor:"5,keyasint,omitempty"`
	Code      *Code     `cbor:"6,keyasint,omitempty"`
	Matched   bool      `cbor:"7,keyasint,omitempty"`
	Cashier   string    `cbor:"8,keyasint,omitempty"`
	Key       string    `cbor:"9,keyasint"`
	KeyHash   []byte    `cbor:"10,keyasint"`
	Hands
}

// Check refuses a claim that contradicts itself.
func (c Claim) Check() error {
	if c.Claim == uuid.Nil || c.Member == uuid.Nil {
		return fmt.Errorf("%w: a claim has a receipt and a member", ErrUnreadable)
	}
	return nil
}

// HQClaimed is the body of [KindHQClaimed]: the account gets what the sale's basket
// earns under the sale's rule set, with the sale's times, less what had come back of it.
// Undone are the entries that say so. Source is the hash of the claim's entry, or By who
// did it at HQ. Times are Unix milliseconds.
type HQClaimed struct {
	Claim       uuid.UUID `cbor:"1,keyasint"`
	Account     uuid.UUID `cbor:"2,keyasint"`
	Member      uuid.UUID `cbor:"3,keyasint"`
	Sale        uuid.UUID `cbor:"4,keyasint"`
	Terminal    uuid.UUID `cbor:"5,keyasint"`
	Epoch       uint32    `cbor:"6,keyasint"`
	Seq         uint64    `cbor:"7,keyasint"`
	Store       uuid.UUID `cbor:"8,keyasint"`
	Total       Money     `cbor:"9,keyasint"`
	RuleSet     uint64    `cbor:"10,keyasint"`
	OccurredAt  int64     `cbor:"11,keyasint"`
	EffectiveAt int64     `cbor:"12,keyasint"`
	Lines       []Line    `cbor:"13,keyasint,omitempty"`
	Undone      [][]byte  `cbor:"14,keyasint,omitempty"`
	Unproven    bool      `cbor:"15,keyasint,omitempty"`
	By          uuid.UUID `cbor:"16,keyasint,omitzero"`
	Source      []byte    `cbor:"17,keyasint,omitempty"`
}
