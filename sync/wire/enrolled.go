package wire

import (
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
)

// Domains of what a terminal keeps for an HQ that has lost it.
const (
	DomainEnrolled = "tallystick enrolled v1"
	DomainHeads    = "tallystick hq heads v1"
)

// Enrolled is HQ's word that it has enrolled a terminal under an epoch. It is sent
// sealed (DomainEnrolled) in the Enrolment; the terminal keeps it and shows it in
// each Hello and export, so that an HQ that was restored to an earlier state knows
// whose journal it is offered. Times are Unix milliseconds.
type Enrolled struct {
	V          uint8     `cbor:"1,keyasint"`
	HQ         uuid.UUID `cbor:"2,keyasint"`
	HQEpoch    uint32    `cbor:"3,keyasint"`
	Terminal   uuid.UUID `cbor:"4,keyasint"`
	Epoch      uint32    `cbor:"5,keyasint"`
	Store      uuid.UUID `cbor:"6,keyasint"`
	Name       string    `cbor:"7,keyasint"`
	PublicKey  []byte    `cbor:"8,keyasint"`
	EnrolledAt int64     `cbor:"9,keyasint"`
	// Ended is the epoch before, as far as HQ had it when this one began and the
	// terminal was trusted; nil when there was none.
	Ended *EndedEpoch `cbor:"10,keyasint,omitempty"`
}

// EndedEpoch is an epoch of a terminal that ended in good order, and the last entry
// of it that HQ had.
type EndedEpoch struct {
	Epoch uint32 `cbor:"1,keyasint"`
	Seq   uint64 `cbor:"2,keyasint"`
	Hash  []byte `cbor:"3,keyasint"`
}

// OpenEnrolled verifies a sealed Enrolled of an HQ and decodes it. Keys count as of
// the time the statement names: HQ itself has stated it, and what it enrolled once
// stays enrolled when a key runs out. One that is not this HQ's is
// problem.EnrolmentRefused.
func OpenEnrolled(raw []byte, set keys.Set, hq uuid.UUID) (Enrolled, error) {
	signed, err := Unmarshal[Signed](raw)
	if err != nil {
		return Enrolled{}, err
	}
	claim, err := Unmarshal[Enrolled](signed.Payload)
	if err != nil {
		return Enrolled{}, err
	}
	e, err := Open[Enrolled](raw, DomainEnrolled, set, time.UnixMilli(claim.EnrolledAt))
	switch {
	case err != nil:
		return Enrolled{}, problem.Wrap(problem.EnrolmentRefused, err, "this HQ has not signed the enrolment")
	case e.HQ != hq || e.Terminal == uuid.Nil || e.Store == uuid.Nil || e.Epoch == 0 || len(e.PublicKey) != 32:
		return Enrolled{}, problem.New(problem.EnrolmentRefused, "the enrolment is incomplete, or another HQ's")
	}
	return e, nil
}

// Heads says how far HQ's own journal had come: what a terminal keeps of it shows a
// restored HQ what it has lost. It is sent sealed (DomainHeads).
type Heads struct {
	V       uint8     `cbor:"1,keyasint"`
	HQ      uuid.UUID `cbor:"2,keyasint"`
	HQEpoch uint32    `cbor:"3,keyasint"`
	At      int64     `cbor:"4,keyasint"`
	List    []HQHead  `cbor:"5,keyasint"`
}

// HQHead is the end of HQ's journal of one shard. Hash is its first 8 bytes.
type HQHead struct {
	_     struct{} `cbor:",toarray"`
	Shard uint8
	Seq   uint64
	Hash  []byte
}
