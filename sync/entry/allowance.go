package entry

import (
	"fmt"

	"github.com/google/uuid"
)

// Kinds of the offline protocol that HQ writes beside [KindHQGrant].
const (
	KindHQTakeBack Kind = 84
	KindHQRecall   Kind = 85
)

// AllowanceOp says what became of a right. Numbers are final.
type AllowanceOp uint8

// What a terminal does with rights.
const (
	AllowanceReceived AllowanceOp = 1 // it holds the right from now on
	AllowanceReleased AllowanceOp = 2 // it will never use the right (again)
	AllowanceLent     AllowanceOp = 3 // a part of its right Parent is now the right Right of the terminal To
)

// String returns the word used in JSON and on screen.
func (o AllowanceOp) String() string {
	return word("allowance_op", uint8(o), "none", "received", "released", "lent")
}

// ReleaseReason says why a right was released.
type ReleaseReason uint8

// Reasons to release a right.
const (
	ReleaseRecalled ReleaseReason = 1 // HQ asked for it
	ReleaseEnded    ReleaseReason = 2 // its time was over
	ReleaseGivenUp  ReleaseReason = 3 // asked for, and not waited for any longer
	ReleaseRetired  ReleaseReason = 4 // the lane is taken out of service
	ReleaseUnused   ReleaseReason = 5 // more was given than the sale needed
)

// String returns the word used in JSON and on screen.
func (r ReleaseReason) String() string {
	return word("release_reason", uint8(r), "none", "recalled", "ended", "given_up", "retired", "unused")
}

// AllowanceChange is the body of [KindAllowanceChange]: a step in the life of a right
// (docs/offline-protocol.md). Unit is a unit of points or loyalty.UseUnit of a voucher.
//
// Received: Amount is the whole right, From the lender (zero is HQ), Proof the bytes of
// the signed grant or loan. Released: Amount is what was left, zero when it was never
// received. Lent: Right is the id the borrower chose, Amount what it gets, Parent whence.
type AllowanceChange struct {
	Op        AllowanceOp   `cbor:"1,keyasint"`
	Right     uuid.UUID     `cbor:"2,keyasint"`
	Account   uuid.UUID     `cbor:"3,keyasint"`
	Unit      string        `cbor:"4,keyasint"`
	Amount    int64         `cbor:"5,keyasint"`
	EndsAt    int64         `cbor:"6,keyasint,omitempty"` // Unix milliseconds
	From      uuid.UUID     `cbor:"7,keyasint,omitzero"`
	FromEpoch uint32        `cbor:"8,keyasint,omitempty"`
	To        uuid.UUID     `cbor:"9,keyasint,omitzero"`
	ToEpoch   uint32        `cbor:"10,keyasint,omitempty"`
	Parent    uuid.UUID     `cbor:"11,keyasint,omitzero"`
	Reason    ReleaseReason `cbor:"12,keyasint,omitempty"`
	Proof     []byte        `cbor:"13,keyasint,omitempty"`
	Member    uuid.UUID     `cbor:"14,keyasint,omitzero"`
}

// HQGrant is the body of [KindHQGrant]: HQ sets Amount of the account aside for one
// terminal. Asked says that the terminal chose the id and waits for it (authorisation).
// Adopted says that HQ had lost it and a terminal presented it.
type HQGrant struct {
	Right     uuid.UUID `cbor:"1,keyasint"`
	Account   uuid.UUID `cbor:"2,keyasint"`
	Unit      string    `cbor:"3,keyasint"`
	Amount    int64     `cbor:"4,keyasint"`
	Store     uuid.UUID `cbor:"5,keyasint"`
	Terminal  uuid.UUID `cbor:"6,keyasint"`
	Epoch     uint32    `cbor:"7,keyasint"`
	GrantedAt int64     `cbor:"8,keyasint"` // Unix milliseconds
	EndsAt    int64     `cbor:"9,keyasint"`
	Policy    uint64    `cbor:"10,keyasint"`
	Asked     bool      `cbor:"11,keyasint,omitempty"`
	Adopted   bool      `cbor:"12,keyasint,omitempty"`
	Member    uuid.UUID `cbor:"13,keyasint,omitzero"`
}

// TakeBackCause says why HQ closed a right that its holder had not released.
type TakeBackCause uint8

// Causes of taking back.
const (
	TakeBackEnded    TakeBackCause = 1 // the holder's journal past its end has arrived
	TakeBackGrace    TakeBackCause = 2 // the grace is over; the holder was not heard
	TakeBackLost     TakeBackCause = 3 // two people declared the terminal lost
	TakeBackReplaced TakeBackCause = 4 // the terminal has a new epoch, or was retired
)

// String returns the word used in JSON and on screen.
func (c TakeBackCause) String() string {
	return word("take_back_cause", uint8(c), "none", "ended", "grace", "lost", "replaced")
}

// Flagged reports whether the holder may have spent what HQ took back: in all cases but
// when its journal past the end has arrived.
func (c TakeBackCause) Flagged() bool { return c != TakeBackEnded }

// HQTakeBack is the body of [KindHQTakeBack]: HQ closes a right; what is left of it as
// HQ knows it is free again.
type HQTakeBack struct {
	Right   uuid.UUID     `cbor:"1,keyasint"`
	Account uuid.UUID     `cbor:"2,keyasint"`
	Unit    string        `cbor:"3,keyasint"`
	Cause   TakeBackCause `cbor:"4,keyasint"`
	At      int64         `cbor:"5,keyasint"`
	By      uuid.UUID     `cbor:"6,keyasint,omitzero"`
}

// HQRecall is the body of [KindHQRecall]: HQ asks the holder to release a right.
type HQRecall struct {
	Right   uuid.UUID `cbor:"1,keyasint"`
	Account uuid.UUID `cbor:"2,keyasint"`
	Unit    string    `cbor:"3,keyasint"`
	At      int64     `cbor:"4,keyasint"`
	For     uuid.UUID `cbor:"5,keyasint,omitzero"` // the right asked for that it should cover
}

// Notes of a terminal about itself.
const (
	// NotePolicy: everything later in the journal was decided under this policy. Its
	// version, and the terminal's share of the store's cap in points and uses of vouchers.
	NotePolicy NoteCode = 4
	// NoteWitnessed: HQ or a lane has confirmed the own head. Its sequence number.
	NoteWitnessed NoteCode = 5
	// NoteContradicted: HQ or a lane holds another branch of this journal. The sequence
	// number, zero when it was not said, and the WitnessFinding.
	NoteContradicted NoteCode = 6
)

// Check refuses a step that contradicts itself.
func (c AllowanceChange) Check() error {
	switch {
	case c.Right == uuid.Nil || c.Account == uuid.Nil || c.Unit == "":
		return fmt.Errorf("%w: a right has an id, an account and a unit", ErrUnreadable)
	case c.Op == AllowanceReleased && c.Amount < 0, c.Op != AllowanceReleased && c.Amount <= 0:
		return fmt.Errorf("%w: %s of %d", ErrUnreadable, c.Op, c.Amount)
	case c.Op == AllowanceLent && (c.To == uuid.Nil || c.Parent == uuid.Nil || c.Parent == c.Right):
		return fmt.Errorf("%w: a loan has a borrower and a parent", ErrUnreadable)
	case c.Op < AllowanceReceived || c.Op > AllowanceLent:
		return fmt.Errorf("%w: %s", ErrUnreadable, c.Op)
	}
	return nil
}
