package wire

import (
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
)

// ItemKind names what a feed item is about.
type ItemKind uint8

// Kinds of feed items and the type of their body.
const (
	ItemStore    ItemKind = 1 // Store
	ItemTerminal ItemKind = 2 // Terminal (the store's roster)
	ItemMember   ItemKind = 3 // Member
	ItemVoucher  ItemKind = 4 // VoucherState
	ItemReward   ItemKind = 5 // loyalty.Reward
	ItemRuleSet  ItemKind = 6 // loyalty.RuleSet
	ItemPolicy   ItemKind = 7 // loyalty.Policy
	ItemKeys     ItemKind = 8 // keys.Set
	ItemGroups   ItemKind = 9 // Groups
)

// Item is the latest state of one record. Version grows with every change of the
// record; a reader MUST ignore an item whose version is below the one it holds. A
// missing body means that the record is gone.
type Item struct {
	Kind    ItemKind        `cbor:"1,keyasint"`
	ID      uuid.UUID       `cbor:"2,keyasint"`
	Version uint64          `cbor:"3,keyasint"`
	Body    cbor.RawMessage `cbor:"4,keyasint,omitempty"`
}

// FeedPage is one answer of the change feed. It is sent signed (DomainFeed) and
// holds for one store. Next is opaque. Restart tells that the cursor was from
// before a restore: the reader starts again from the empty cursor.
type FeedPage struct {
	V       uint8     `cbor:"1,keyasint"`
	HQ      uuid.UUID `cbor:"2,keyasint"`
	HQEpoch uint32    `cbor:"3,keyasint"`
	Store   uuid.UUID `cbor:"4,keyasint"`
	From    string    `cbor:"5,keyasint"`
	Next    string    `cbor:"6,keyasint"`
	More    bool      `cbor:"7,keyasint"`
	HQTime  int64     `cbor:"8,keyasint"`
	Items   []Item    `cbor:"9,keyasint"`
	Applied Mark      `cbor:"10,keyasint,omitzero"` // through which entry of the asking terminal HQ has applied
	// Heads is a sealed Heads for the terminal to keep, when it asked for one.
	Heads []byte `cbor:"15,keyasint,omitempty"`
}

// Mark says through which entry of a terminal's journal a holding is complete.
// The terminal adds its own later entries by itself.
type Mark struct {
	Terminal uuid.UUID `cbor:"1,keyasint"`
	Epoch    uint32    `cbor:"2,keyasint"`
	Seq      uint64    `cbor:"3,keyasint"`
}

// Holding is what an account has of one unit, as HQ has applied it.
type Holding struct {
	Unit      string `cbor:"1,keyasint"`
	Free      int64  `cbor:"2,keyasint"`
	Pending   int64  `cbor:"3,keyasint,omitempty"`
	Overdraft int64  `cbor:"4,keyasint,omitempty"`
	Allowance int64  `cbor:"5,keyasint,omitempty"` // set aside for terminals; part of the balance
	// Expires is what expires first. An HQ of an older release never says.
	Expires loyalty.Expiry `cbor:"6,keyasint,omitzero"`
}

// Member is a shopper as edges know one: no name, no address. Issue is the newest
// issue number of the pass. Marks hold for all of Holdings.
type Member struct {
	ID       uuid.UUID `cbor:"1,keyasint"`
	Account  uuid.UUID `cbor:"2,keyasint"`
	Alias    string    `cbor:"3,keyasint,omitempty"` // chosen by the shopper for the till's screen
	Issue    uint16    `cbor:"4,keyasint"`
	Blocked  bool      `cbor:"5,keyasint,omitempty"`
	Holdings []Holding `cbor:"6,keyasint,omitempty"`
	Marks    []Mark    `cbor:"7,keyasint,omitempty"`
	// Replaced are issues of the pass that updates replaced. An HQ of an older release says
	// of none.
	Replaced []loyalty.Replaced `cbor:"8,keyasint,omitempty"`
}

// VoucherState is a voucher as HQ has applied it, with the marks its count of uses
// left rests on.
type VoucherState struct {
	Voucher loyalty.Voucher `cbor:"1,keyasint"`
	Marks   []Mark          `cbor:"2,keyasint,omitempty"`
}

// Store is a shop.
type Store struct {
	ID       uuid.UUID `cbor:"1,keyasint"`
	Code     string    `cbor:"2,keyasint"`
	Name     string    `cbor:"3,keyasint"`
	TimeZone string    `cbor:"4,keyasint"` // IANA
	Currency string    `cbor:"5,keyasint"` // ISO 4217
}

// Terminal is one lane of the store's roster.
type Terminal struct {
	ID        uuid.UUID `cbor:"1,keyasint"`
	Store     uuid.UUID `cbor:"2,keyasint"`
	Name      string    `cbor:"3,keyasint"`
	Epoch     uint32    `cbor:"4,keyasint"`
	PublicKey []byte    `cbor:"5,keyasint"`
	State     string    `cbor:"6,keyasint"` // enrolled, quarantined, revoked
}

// Groups carries the secrets of the freshness epochs.
type Groups struct {
	Keys []keys.GroupKey `cbor:"1,keyasint"`
}

// Signed is a message of HQ with the signature over its exact bytes.
type Signed struct {
	KeyID     uint8  `cbor:"1,keyasint"`
	Payload   []byte `cbor:"2,keyasint"`
	Signature []byte `cbor:"3,keyasint"`
}

// Domains of the signatures on the wire.
const (
	DomainEnrol   = "tallystick enrol v1"
	DomainWelcome = "tallystick welcome v1"
	DomainReceipt = "tallystick receipt v1"
	DomainFeed    = "tallystick feed v1"
)
