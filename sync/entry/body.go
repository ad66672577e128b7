package entry

import (
	"fmt"

	"github.com/google/uuid"
)

// Freshness is what the presented code proved (DESIGN: rotating, static, keyed).
type Freshness uint8

// Freshness values; zero means that no code was presented.
const (
	FreshnessStatic   Freshness = 1
	FreshnessRotating Freshness = 2
	FreshnessKeyed    Freshness = 3
)

// String returns the word used in JSON and on screen.
func (f Freshness) String() string {
	return word("freshness", uint8(f), "none", "static", "rotating", "keyed")
}

// Basis is the right under which a redemption was accepted.
type Basis uint8

// Basis values.
const (
	BasisAllowance    Basis = 1
	BasisStandIn      Basis = 2
	BasisHQAuthorised Basis = 3
)

// String returns the word used in JSON and on screen.
func (b Basis) String() string {
	return word("basis", uint8(b), "none", "allowance", "stand_in", "hq_authorised")
}

// word names a value. One that this release does not know is never shown as another.
func word(of string, value uint8, words ...string) string {
	if int(value) < len(words) {
		return words[value]
	}
	return fmt.Sprintf("%s_%d", of, value)
}

// Money is an amount in the currency's minor unit (ISO 4217 exponent).
type Money struct {
	Currency string `cbor:"1,keyasint"`
	Minor    int64  `cbor:"2,keyasint"`
}

// Enrolled is the first entry of every epoch of a terminal.
type Enrolled struct {
	Terminal  uuid.UUID `cbor:"1,keyasint"`
	Store     uuid.UUID `cbor:"2,keyasint"`
	Epoch     uint32    `cbor:"3,keyasint"`
	PublicKey []byte    `cbor:"4,keyasint"`
	HQ        uuid.UUID `cbor:"5,keyasint"`
	Software  string    `cbor:"6,keyasint"`
}

// Code is the part of a presented pass token that a decision rested on.
type Code struct {
	Subject uuid.UUID `cbor:"1,keyasint"`
	KeyID   uint8     `cbor:"2,keyasint"`
	Issue   uint16    `cbor:"3,keyasint"`
	Step    int64     `cbor:"4,keyasint,omitempty"` // TOTP step of a rotating code
}

// Line is one line of the basket. Quantity is in thousandths, Amount in minor units.
type Line struct {
	No       uint16 `cbor:"1,keyasint"`
	SKU      string `cbor:"2,keyasint,omitempty"`
	Quantity int64  `cbor:"3,keyasint"`
	Amount   int64  `cbor:"4,keyasint"`
	Category string `cbor:"5,keyasint,omitempty"`
}

// Earning is an amount of a unit earned. VestsAt and ExpiresAt are Unix
// milliseconds; zero VestsAt is at once, zero ExpiresAt is never.
type Earning struct {
	Unit      string `cbor:"1,keyasint"`
	Amount    int64  `cbor:"2,keyasint"`
	Line      uint16 `cbor:"3,keyasint,omitempty"`
	VestsAt   int64  `cbor:"4,keyasint,omitempty"`
	ExpiresAt int64  `cbor:"5,keyasint,omitempty"`
}

// Redemption is a right used up. Points carry Unit and Amount; a voucher carries
// Voucher and the number of uses in Amount. Discount is in the sale's minor unit.
type Redemption struct {
	Reward   uuid.UUID `cbor:"1,keyasint,omitzero"`
	Voucher  uuid.UUID `cbor:"2,keyasint,omitzero"`
	Unit     string    `cbor:"3,keyasint,omitempty"`
	Amount   int64     `cbor:"4,keyasint"`
	Basis    Basis     `cbor:"5,keyasint"`
	Right    uuid.UUID `cbor:"6,keyasint,omitzero"` // the right it spends; zero for stand-in
	Discount int64     `cbor:"7,keyasint,omitempty"`
}

// Sale is one basket, committed atomically with what it earned and redeemed. Key
// is the caller's idempotency key and KeyHash the SHA-256 of its request, so that
// a repeated call is answered from the journal.
//
// A till that knew nothing of the member but the pass writes the member's id as the
// account, here and in what undoes the sale; HQ finds the account.
type Sale struct {
	ID        uuid.UUID    `cbor:"1,keyasint"`
	Member    uuid.UUID    `cbor:"2,keyasint,omitzero"`
	Account   uuid.UUID    `cbor:"3,keyasint,omitzero"`
	Total     Money        `cbor:"4,keyasint"`
	Receipt   string       `cbor:"5,keyasint,omitempty"`
	Cashier   string       `cbor:"6,keyasint,omitempty"`
	RuleSet   uint64       `cbor:"7,keyasint"`
	Policy    uint64       `cbor:"8,keyasint"`
	Freshness Freshness    `cbor:"9,keyasint,omitempty"`
	Code      *Code        `cbor:"10,keyasint,omitempty"`
	Lines     []Line       `cbor:"11,keyasint,omitempty"`
	Earned    []Earning    `cbor:"12,keyasint,omitempty"`
	Redeemed  []Redemption `cbor:"13,keyasint,omitempty"`
	Key       string       `cbor:"14,keyasint"`
	KeyHash   []byte       `cbor:"15,keyasint"`
	Online    bool         `cbor:"16,keyasint,omitempty"` // HQ was in reach when it was decided
	Claim     uuid.UUID    `cbor:"17,keyasint,omitzero"`  // the printed claim that whoever shows it first may use
	Kept      []Kept       `cbor:"18,keyasint,omitempty"` // of what is earned, the parts that this terminal may spend
	Hands
}

// Kept is the part of a sale's earnings that the terminal keeps as a right of its own,
// whose id is the sale's, until EndsAt (Unix milliseconds). One per unit.
type Kept struct {
	Unit   string `cbor:"1,keyasint"`
	Amount int64  `cbor:"2,keyasint"`
	EndsAt int64  `cbor:"3,keyasint"`
}

// VoidReason says why a sale was voided.
type VoidReason uint8

// Void reasons.
const (
	VoidCashier    VoidReason = 1 // the cashier undid it
	VoidLostAnswer VoidReason = 2 // the POS never saw the answer
)

// Void undoes a whole sale of the same terminal. Member and Account repeat those
// of the sale so that a reader can route it without looking the sale up.
type Void struct {
	ID      uuid.UUID  `cbor:"1,keyasint"`
	Sale    uuid.UUID  `cbor:"2,keyasint"`
	Member  uuid.UUID  `cbor:"3,keyasint,omitzero"`
	Account uuid.UUID  `cbor:"4,keyasint,omitzero"`
	Reason  VoidReason `cbor:"5,keyasint"`
	Cashier string     `cbor:"6,keyasint,omitempty"`
	Key     string     `cbor:"7,keyasint"`
	KeyHash []byte     `cbor:"8,keyasint"`
	Total   Money      `cbor:"9,keyasint,omitzero"` // of the sale
	Hands
}

// WitnessFinding says what a witnessed head proves. Numbers are final.
type WitnessFinding uint8

// Findings. A fork and a rollback carry both signed heads.
const (
	WitnessSeen     WitnessFinding = 0 // nothing but that the head was there
	WitnessFork     WitnessFinding = 1 // two hashes at one sequence number
	WitnessRollback WitnessFinding = 2 // an older head, said later
)

// String returns the word used in JSON and on screen.
func (f WitnessFinding) String() string {
	return word("witness_finding", uint8(f), "seen", "fork", "rollback")
}

// Witness records a head of another writer that this terminal has seen. Head is the
// CBOR of wire.Head and Signature that writer's; Known and KnownSignature are the head
// that it contradicts.
type Witness struct {
	Writer         uuid.UUID      `cbor:"1,keyasint"`
	Epoch          uint32         `cbor:"2,keyasint"`
	Seq            uint64         `cbor:"3,keyasint"`
	Hash           []byte         `cbor:"4,keyasint"`
	Finding        WitnessFinding `cbor:"5,keyasint,omitempty"`
	Head           []byte         `cbor:"6,keyasint,omitempty"`
	Signature      []byte         `cbor:"7,keyasint,omitempty"`
	Known          []byte         `cbor:"8,keyasint,omitempty"`
	KnownSignature []byte         `cbor:"9,keyasint,omitempty"`
}

// Clock records that the wall clock jumped: by how many milliseconds it moved
// against the monotonic clock since the last look.
type Clock struct {
	Jump int64 `cbor:"1,keyasint"`
	Wall int64 `cbor:"2,keyasint"` // Unix milliseconds after the jump
}

// NoteCode names something worth keeping that changes no balance.
type NoteCode uint16

// Note codes.
const (
	NoteStarted      NoteCode = 1 // the agent started
	NoteCacheRebuilt NoteCode = 2 // the cache was thrown away and rebuilt
	NoteJournalCut   NoteCode = 3 // recovery cut a torn tail
)

// Note carries a code and numbers, never text.
type Note struct {
	Code   NoteCode `cbor:"1,keyasint"`
	Values []int64  `cbor:"2,keyasint,omitempty"`
}
