package entry

import (
	"crypto/sha256"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// Kinds of what HQ's people settle about exceptions.
const (
	KindHQCase        Kind = 102 // a step in the work on one exception
	KindHQCaseSetting Kind = 103 // the policy of that work, or a rule that does some of it
)

// CaseStep says what changed about an exception. Numbers are final.
type CaseStep uint8

// Steps of the work on an exception.
const (
	CaseSettled  CaseStep = 1
	CaseReopened CaseStep = 2
	CaseLiable   CaseStep = 3 // somebody else answers for it
)

// String returns the word used in JSON and on screen.
func (s CaseStep) String() string {
	return word("case_step", uint8(s), "none", "settled", "reopened", "liable")
}

// HQCase is the body of [KindHQCase]. Source is the entry that the exception is about, Cause
// its kind. Resolution says how it was settled, Liable who answers for it then. By did it;
// Second approved it, where two people are needed. Rule and RuleVersion name the rule that
// did it instead of a person. At is Unix milliseconds. Text is [CaseText] of the reason.
// Amount of Unit and Money in Currency are what the exception was about then.
type HQCase struct {
	Exception   uuid.UUID `cbor:"1,keyasint"`
	Source      []byte    `cbor:"2,keyasint"`
	Cause       string    `cbor:"3,keyasint"`
	Step        CaseStep  `cbor:"4,keyasint"`
	Resolution  string    `cbor:"5,keyasint,omitempty"`
	Liable      string    `cbor:"6,keyasint,omitempty"`
	By          uuid.UUID `cbor:"7,keyasint,omitzero"`
	Second      uuid.UUID `cbor:"8,keyasint,omitzero"`
	Rule        uint64    `cbor:"9,keyasint,omitempty"`
	RuleVersion uint64    `cbor:"10,keyasint,omitempty"`
	At          int64     `cbor:"11,keyasint"`
	Text        []byte    `cbor:"12,keyasint"`
	Unit        string    `cbor:"13,keyasint,omitempty"`
	Amount      int64     `cbor:"14,keyasint,omitempty"`
	Currency    string    `cbor:"15,keyasint,omitempty"`
	Money       int64     `cbor:"16,keyasint,omitempty"`
}

// HQCaseSetting is the body of [KindHQCaseSetting]: a version of the policy (Rule zero) or
// of a rule that was put in force, or, with Over, one that is in force no more. By proposed
// it or ended it, Second approved it. Record is CBOR of the setting.
type HQCaseSetting struct {
	Rule    uint64          `cbor:"1,keyasint,omitempty"`
	Version uint64          `cbor:"2,keyasint"`
	Over    bool            `cbor:"3,keyasint,omitempty"`
	By      uuid.UUID       `cbor:"4,keyasint"`
	Second  uuid.UUID       `cbor:"5,keyasint,omitzero"`
	At      int64           `cbor:"6,keyasint"`
	Record  cbor.RawMessage `cbor:"7,keyasint,omitempty"`
}

// CaseText commits to the words about an exception without telling them: the SHA-256 of
// "tallystick case v1\0", the id of the note that has the words, and the words.
func CaseText(note uuid.UUID, text string) []byte {
	sum := sha256.Sum256([]byte("tallystick case v1\x00" + string(note[:]) + text))
	return sum[:]
}
