package wire

import "github.com/google/uuid"

// ItemIdentity is an [Identity]; the id is the member's.
const ItemIdentity ItemKind = 12

// Identity is a member that HQ has issued ahead, for one terminal to give to a shopper
// while HQ is out of reach. Only the terminal named, in the epoch named, may use it. The
// account is entry.IdentityAccount of the member. Pass is a static pass token.
type Identity struct {
	Member   uuid.UUID `cbor:"1,keyasint"`
	Account  uuid.UUID `cbor:"2,keyasint"`
	Terminal uuid.UUID `cbor:"3,keyasint"`
	Epoch    uint32    `cbor:"4,keyasint"`
	Issue    uint16    `cbor:"5,keyasint"`
	Pass     []byte    `cbor:"6,keyasint"`
	IssuedAt int64     `cbor:"7,keyasint"` // Unix milliseconds
}
