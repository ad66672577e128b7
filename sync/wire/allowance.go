package wire

import (
	"github.com/google/uuid"
)

// Feed items of the offline protocol (docs/offline-protocol.md).
const (
	ItemAllowance ItemKind = 10 // Allowance; the id is the right's
	ItemShare     ItemKind = 11 // Share; the id is the terminal's
)

// Domains of the signatures of rights.
const (
	DomainGrant = "tallystick grant v1" // by an HQ statement key over a Grant
	DomainLoan  = "tallystick loan v1"  // by the lender's terminal key over a Loan
	DomainHead  = "tallystick head v1"  // by a terminal key over a Head
)

// Paths of the offline protocol under HQ's address.
const (
	PathAuthorise = "/sync/v1/authorise"
	PathPresent   = "/sync/v1/present"
)

// Grant is a right that HQ gives to one terminal. It is kept and shown with HQ's
// signature (Signed, DomainGrant), so that it outlives HQ's database.
type Grant struct {
	V         uint8     `cbor:"1,keyasint"`
	HQ        uuid.UUID `cbor:"2,keyasint"`
	HQEpoch   uint32    `cbor:"3,keyasint"`
	Right     uuid.UUID `cbor:"4,keyasint"`
	Account   uuid.UUID `cbor:"5,keyasint"`
	Unit      string    `cbor:"6,keyasint"`
	Amount    int64     `cbor:"7,keyasint"`
	Store     uuid.UUID `cbor:"8,keyasint"`
	Terminal  uuid.UUID `cbor:"9,keyasint"`
	Epoch     uint32    `cbor:"10,keyasint"`
	GrantedAt int64     `cbor:"11,keyasint"` // Unix milliseconds
	EndsAt    int64     `cbor:"12,keyasint"`
	Policy    uint64    `cbor:"13,keyasint"`
	Asked     bool      `cbor:"14,keyasint,omitempty"`
	Member    uuid.UUID `cbor:"15,keyasint,omitzero"`
}

// Allowance is what the feed says of a grant. Recalled and Closed never go back.
type Allowance struct {
	Grant    Signed `cbor:"1,keyasint"`
	Recalled bool   `cbor:"2,keyasint,omitempty"`
	Closed   bool   `cbor:"3,keyasint,omitempty"`
}

// Share is a terminal's part of its store's cap under one version of the policy: how
// many points, and how many voucher uses, it may stand in for between two entries
// that HQ has applied.
type Share struct {
	Terminal uuid.UUID `cbor:"1,keyasint"`
	Epoch    uint32    `cbor:"2,keyasint"`
	Policy   uint64    `cbor:"3,keyasint"`
	Unit     string    `cbor:"4,keyasint"`
	Points   int64     `cbor:"5,keyasint"`
	Uses     int64     `cbor:"6,keyasint"`
}

// AuthoriseRequest asks HQ for a one-off right of exactly Amount under the id the
// terminal chose. The same id gets the same answer.
type AuthoriseRequest struct {
	V       uint8     `cbor:"1,keyasint"`
	Right   uuid.UUID `cbor:"2,keyasint"`
	Member  uuid.UUID `cbor:"3,keyasint"`
	Account uuid.UUID `cbor:"4,keyasint"`
	Unit    string    `cbor:"5,keyasint"`
	Amount  int64     `cbor:"6,keyasint"`
	Budget  int32     `cbor:"7,keyasint"` // milliseconds the till will wait
}

// AuthoriseAnswer is HQ's answer: a grant, or the reason why not. Refused is a code of
// the table of problems.
type AuthoriseAnswer struct {
	V       uint8  `cbor:"1,keyasint"`
	Grant   Signed `cbor:"2,keyasint,omitzero"`
	Refused string `cbor:"3,keyasint,omitempty"`
	Free    int64  `cbor:"4,keyasint,omitempty"` // what was free, when it was too little
}

// PresentRequest shows HQ every grant the terminal holds, after HQ was restored.
type PresentRequest struct {
	V      uint8    `cbor:"1,keyasint"`
	Epoch  uint32   `cbor:"2,keyasint"` // HQ's, as the terminal heard it
	Grants []Signed `cbor:"3,keyasint,omitempty"`
	Last   bool     `cbor:"4,keyasint"` // no more follow
}

// PresentAnswer says how many were taken.
type PresentAnswer struct {
	V     uint8 `cbor:"1,keyasint"`
	Taken int   `cbor:"2,keyasint"`
}

// Loan is a right that a lane gives to another lane of its store out of one it holds.
// It is signed by the lender (DomainLoan) after its journal entry is durable at
// (Epoch, Seq).
type Loan struct {
	V         uint8     `cbor:"1,keyasint"`
	Right     uuid.UUID `cbor:"2,keyasint"`
	Parent    uuid.UUID `cbor:"3,keyasint"`
	Account   uuid.UUID `cbor:"4,keyasint"`
	Unit      string    `cbor:"5,keyasint"`
	Amount    int64     `cbor:"6,keyasint"`
	EndsAt    int64     `cbor:"7,keyasint"`
	Lender    uuid.UUID `cbor:"8,keyasint"`
	Epoch     uint32    `cbor:"9,keyasint"`
	Seq       uint64    `cbor:"10,keyasint"`
	HLC       uint64    `cbor:"11,keyasint"`
	Borrower  uuid.UUID `cbor:"12,keyasint"`
	BorrEpoch uint32    `cbor:"13,keyasint"`
}

// BorrowRequest asks a lane for a loan under the id the borrower chose.
type BorrowRequest struct {
	V       uint8     `cbor:"1,keyasint"`
	Right   uuid.UUID `cbor:"2,keyasint"`
	Account uuid.UUID `cbor:"3,keyasint"`
	Unit    string    `cbor:"4,keyasint"`
	Amount  int64     `cbor:"5,keyasint"`
	Less    bool      `cbor:"6,keyasint,omitempty"` // a smaller loan is welcome
	Epoch   uint32    `cbor:"7,keyasint"`           // of the borrower
	HLC     uint64    `cbor:"8,keyasint"`
}

// BorrowAnswer carries the loan, or how much is left when it was too little.
type BorrowAnswer struct {
	V         uint8  `cbor:"1,keyasint"`
	Loan      []byte `cbor:"2,keyasint,omitempty"` // CBOR of a Loan
	Signature []byte `cbor:"3,keyasint,omitempty"`
	Left      int64  `cbor:"4,keyasint,omitempty"`
	HLC       uint64 `cbor:"5,keyasint"`
}

// HeldRequest asks a lane what it could lend on an account. It promises nothing.
type HeldRequest struct {
	V       uint8     `cbor:"1,keyasint"`
	Account uuid.UUID `cbor:"2,keyasint"`
	Epoch   uint32    `cbor:"3,keyasint"` // of the asker
}

// HeldAnswer lists the rights a lane could lend of, at most MaxHeld.
type HeldAnswer struct {
	V    uint8  `cbor:"1,keyasint"`
	Held []Held `cbor:"2,keyasint,omitempty"`
}

// MaxHeld bounds a HeldAnswer; the rights with most left count.
const MaxHeld = 64

// Held is a right with what is left of it.
type Held struct {
	Right  uuid.UUID `cbor:"1,keyasint"`
	Unit   string    `cbor:"2,keyasint"`
	Left   int64     `cbor:"3,keyasint"`
	EndsAt int64     `cbor:"4,keyasint,omitempty"`
}

// Head is what a terminal says of its journal: durable through Seq with Hash. HQTime
// is the latest time HQ signed that it knows, Heard when it heard it by its own clock.
type Head struct {
	V        uint8     `cbor:"1,keyasint"`
	Terminal uuid.UUID `cbor:"2,keyasint"`
	Epoch    uint32    `cbor:"3,keyasint"`
	Seq      uint64    `cbor:"4,keyasint"`
	Hash     []byte    `cbor:"5,keyasint"`
	HLC      uint64    `cbor:"6,keyasint"`
	HQTime   int64     `cbor:"7,keyasint,omitempty"`
}
