package entry

import "github.com/google/uuid"

// Verdict is what was decided about a fact that waits in suspense.
type Verdict uint8

// Verdicts.
const (
	VerdictRelease Verdict = 1 // it counts as if it had never waited
	VerdictReject  Verdict = 2 // it counts for nothing
	VerdictCover   Verdict = 3 // another account took the debt over and had enough
)

// String returns the word used in JSON and on screen.
func (v Verdict) String() string {
	return word("verdict", uint8(v), "none", "release", "reject", "cover")
}

// HQDecision is the body of KindHQExceptionDecision: what was decided about the
// entry Source of a terminal, as far as it waits in suspense for Cause. At is when
// it takes effect among the facts of Account, after the entry, in Unix milliseconds.
// RuleSet is the version that made an unknown unit known, and is zero when a person
// decided, who is By; Second is who agreed, where two people are needed.
type HQDecision struct {
	ID      uuid.UUID `cbor:"1,keyasint"`
	Account uuid.UUID `cbor:"2,keyasint"`
	Source  []byte    `cbor:"3,keyasint"` // the entry's chain hash
	Cause   string    `cbor:"4,keyasint"` // the kind of the exception
	Verdict Verdict   `cbor:"5,keyasint"`
	At      int64     `cbor:"6,keyasint"`
	RuleSet uint64    `cbor:"7,keyasint,omitempty"`
	Member  uuid.UUID `cbor:"8,keyasint,omitzero"` // whose card the entry names
	By      uuid.UUID `cbor:"9,keyasint,omitzero"`
	Unit    string    `cbor:"10,keyasint,omitempty"` // of an unknown unit or a debt: only this one
	Amount  int64     `cbor:"11,keyasint,omitempty"` // of a debt: how much was covered
	Second  uuid.UUID `cbor:"12,keyasint,omitzero"`
}
