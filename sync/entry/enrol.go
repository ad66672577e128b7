package entry

import (
	"fmt"

	"github.com/google/uuid"
)

// EnrolMember is the body of [KindEnrolMember]: the terminal gave an identity that HQ had
// issued to it to a shopper. Pass is the pass token as HQ signed it, which proves the
// identity to an HQ that has lost its own record, and answers a repeated call. Nothing in
// it is about the person. Key and KeyHash are those of a [Sale].
type EnrolMember struct {
	Member  uuid.UUID `cbor:"1,keyasint"`
	Account uuid.UUID `cbor:"2,keyasint"`
	Issue   uint16    `cbor:"3,keyasint"`
	Pass    []byte    `cbor:"4,keyasint"`
	Cashier string    `cbor:"5,keyasint,omitempty"`
	Key     string    `cbor:"6,keyasint"`
	KeyHash []byte    `cbor:"7,keyasint"`
	Hands
}

// IdentityAccount is the account of a member that HQ issued as an identity: it has the
// member's id. So no terminal can name the account of somebody else, and a lane that
// knows no more of the member than the pass, and puts the member for the account, names
// the same one before HQ has heard of either.
func IdentityAccount(member uuid.UUID) uuid.UUID { return member }

// Check refuses an enrolment that contradicts itself.
func (m EnrolMember) Check() error {
	switch {
	case m.Member == uuid.Nil || m.Issue == 0:
		return fmt.Errorf("%w: an enrolment has a member and an issue", ErrUnreadable)
	case m.Account != IdentityAccount(m.Member):
		return fmt.Errorf("%w: the account is not that of the identity", ErrUnreadable)
	}
	return nil
}
