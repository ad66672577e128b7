package entry

import "github.com/google/uuid"

// Kinds HQ writes about accounts: points that move between them, links, lists of
// corrections.
const (
	KindHQTransferOut    Kind = 78
	KindHQTransferIn     Kind = 79
	KindHQCorrection     Kind = 80
	KindHQCorrectionUndo Kind = 81
	KindHQBatch          Kind = 82
	KindHQVoucherMoved   Kind = 83 // a voucher changed hands; HQRecord of the voucher
)

// LinkKind says why an account leads to another one.
type LinkKind uint8

// Kinds of links. An account without a link is its member's own.
const (
	LinkHousehold LinkKind = 1 // members share what they have
	LinkMerged    LinkKind = 2 // two cards of one shopper
	LinkMoved     LinkKind = 3 // the member got another account
)

// String returns the word used in JSON and on screen.
func (k LinkKind) String() string {
	return word("link", uint8(k), "own", "household", "merged", "moved")
}

// HQAccountLink says that facts of Account count for Target from From on, until
// Until (zero is for ever), by their effective time. It is written when the link
// is made and again when it is ended. Times are Unix milliseconds.
type HQAccountLink struct {
	ID      uuid.UUID `cbor:"1,keyasint"`
	Account uuid.UUID `cbor:"2,keyasint"`
	Target  uuid.UUID `cbor:"3,keyasint"`
	Kind    LinkKind  `cbor:"4,keyasint"`
	From    int64     `cbor:"5,keyasint"`
	Until   int64     `cbor:"6,keyasint,omitempty"`
	Member  uuid.UUID `cbor:"7,keyasint,omitzero"` // whose account it is
	Reason  uint8     `cbor:"8,keyasint"`
	By      uuid.UUID `cbor:"9,keyasint"`
}

// MoveCause says why points move between accounts.
type MoveCause uint8

// Causes of a move.
const (
	MoveGift   MoveCause = 1 // a member gives points to another
	MoveLink   MoveCause = 2 // an account was linked and is emptied
	MoveUnlink MoveCause = 3 // a link has ended; what is left goes back
)

// String returns the word used in JSON and on screen.
func (c MoveCause) String() string { return word("cause", uint8(c), "none", "gift", "link", "unlink") }

// MovedLot is a part of a lot on its way, with the dates it keeps.
type MovedLot struct {
	Lot       [16]byte `cbor:"1,keyasint"`
	Amount    int64    `cbor:"2,keyasint"`
	EarnedAt  int64    `cbor:"3,keyasint"`
	VestsAt   int64    `cbor:"4,keyasint,omitempty"`
	ExpiresAt int64    `cbor:"5,keyasint,omitempty"`
	RollDays  int32    `cbor:"6,keyasint,omitempty"` // days the lot lives after any activity
}

// MovedUnit is what moves of one unit: parts of lots, and a debt that the other
// account takes over.
type MovedUnit struct {
	Unit string     `cbor:"1,keyasint"`
	Lots []MovedLot `cbor:"2,keyasint,omitempty"`
	Debt int64      `cbor:"3,keyasint,omitempty"`
}

// HQTransfer is one leg of a move between two accounts. KindHQTransferOut takes
// from Account into the clearing book, KindHQTransferIn gives it to Account out of
// there; Other is the account at the other end. Both legs of a move have the same
// ID and units. Member is whose points they are at Account's end, for the shares of
// a household; Receiver is whose they become, when that is another member.
type HQTransfer struct {
	ID      uuid.UUID   `cbor:"1,keyasint"`
	Account uuid.UUID   `cbor:"2,keyasint"`
	Other   uuid.UUID   `cbor:"3,keyasint"`
	Member  uuid.UUID   `cbor:"4,keyasint,omitzero"`
	Cause   MoveCause   `cbor:"5,keyasint"`
	Link    uuid.UUID   `cbor:"6,keyasint,omitzero"`
	Units   []MovedUnit `cbor:"7,keyasint"`
	Reason  uint8       `cbor:"8,keyasint"`
	By      uuid.UUID   `cbor:"9,keyasint"`

	Receiver uuid.UUID `cbor:"10,keyasint,omitzero"`
}

// HQTake is what was taken from one lot.
type HQTake struct {
	Lot    [16]byte `cbor:"1,keyasint"`
	Amount int64    `cbor:"2,keyasint"`
}

// HQCorrection is one row of a list: points given (Amount above zero, into a lot
// of its own) or taken (below zero, from the lots named).
type HQCorrection struct {
	ID        uuid.UUID `cbor:"1,keyasint"`
	Batch     uuid.UUID `cbor:"2,keyasint"`
	Row       uint32    `cbor:"3,keyasint"`
	Account   uuid.UUID `cbor:"4,keyasint"`
	Member    uuid.UUID `cbor:"5,keyasint,omitzero"`
	Unit      string    `cbor:"6,keyasint"`
	Amount    int64     `cbor:"7,keyasint"`
	ExpiresAt int64     `cbor:"8,keyasint,omitempty"`
	Reason    uint8     `cbor:"9,keyasint"`
	By        uuid.UUID `cbor:"10,keyasint"`
	Takes     []HQTake  `cbor:"11,keyasint,omitempty"`
}

// HQCorrectionUndo undoes a correction: what is left of the points given goes, or
// the lots get back what was taken. Amount is what the holding changed by, signed.
type HQCorrectionUndo struct {
	ID      uuid.UUID `cbor:"1,keyasint"`
	Of      uuid.UUID `cbor:"2,keyasint"` // the correction
	Batch   uuid.UUID `cbor:"3,keyasint"`
	Row     uint32    `cbor:"4,keyasint"`
	Account uuid.UUID `cbor:"5,keyasint"`
	Member  uuid.UUID `cbor:"6,keyasint,omitzero"`
	Unit    string    `cbor:"7,keyasint"`
	Amount  int64     `cbor:"8,keyasint"`
	Takes   []HQTake  `cbor:"9,keyasint,omitempty"`
	By      uuid.UUID `cbor:"10,keyasint"`
}

// BatchStep says what was done with a list of corrections.
type BatchStep uint8

// Steps of a list.
const (
	BatchCommitted BatchStep = 1
	BatchUndone    BatchStep = 2
)

// HQBatch records who decided about a list of corrections. Digest is the SHA-256
// of the list as it was decided about.
type HQBatch struct {
	ID     uuid.UUID `cbor:"1,keyasint"`
	Step   BatchStep `cbor:"2,keyasint"`
	Rows   uint32    `cbor:"3,keyasint"`
	Digest []byte    `cbor:"4,keyasint"`
	Reason uint8     `cbor:"5,keyasint"`
	By     uuid.UUID `cbor:"6,keyasint"`
}
