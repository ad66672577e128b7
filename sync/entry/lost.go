package entry

import (
	"crypto/sha256"

	"github.com/google/uuid"
)

// KindHQLost is a step in declaring a terminal lost.
const KindHQLost Kind = 96

// LostStep says what became of a declaration that a terminal is lost. Numbers are final.
type LostStep uint8

// Steps of a declaration. The first and the second are by two people.
const (
	LostDeclared  LostStep = 1
	LostConfirmed LostStep = 2
	LostWithdrawn LostStep = 3
	LostFound     LostStep = 4 // the terminal turned up and was let in again
)

// String returns the word used in JSON and on screen.
func (s LostStep) String() string {
	return word("lost_step", uint8(s), "none", "declared", "confirmed", "withdrawn", "found")
}

// HQLost is the body of [KindHQLost]. Seq and Hash are the last entry of the terminal's
// epoch that HQ has; what came after is the gap. Said is the newest entry that the
// terminal ever said it has, LastContact when that was. Bound is what the gap can cost at
// most. Times are Unix milliseconds. Reason is [LostReason] of the reason that was given.
type HQLost struct {
	Declaration uuid.UUID   `cbor:"1,keyasint"`
	Terminal    uuid.UUID   `cbor:"2,keyasint"`
	Store       uuid.UUID   `cbor:"3,keyasint"`
	Epoch       uint32      `cbor:"4,keyasint"`
	Step        LostStep    `cbor:"5,keyasint"`
	By          uuid.UUID   `cbor:"6,keyasint"`
	At          int64       `cbor:"7,keyasint"`
	Reason      []byte      `cbor:"8,keyasint"`
	Seq         uint64      `cbor:"9,keyasint,omitempty"`
	Hash        []byte      `cbor:"10,keyasint,omitempty"`
	Said        uint64      `cbor:"11,keyasint,omitempty"`
	LastContact int64       `cbor:"12,keyasint,omitempty"`
	Bound       []LostBound `cbor:"13,keyasint,omitempty"`
}

// LostBound is what a gap can cost at most in a unit: what the terminal's rights had
// left, and what it could stand in for. Uses of all vouchers are the unit "uses".
type LostBound struct {
	Unit    string `cbor:"1,keyasint"`
	Rights  int64  `cbor:"2,keyasint"`
	StandIn int64  `cbor:"3,keyasint"`
}

// LostReason commits to the words of a declaration without telling them: the SHA-256 of
// "tallystick lost terminal v1\0", the declaration's id and the text.
func LostReason(declaration uuid.UUID, text string) []byte {
	sum := sha256.Sum256([]byte("tallystick lost terminal v1\x00" + string(declaration[:]) + text))
	return sum[:]
}
