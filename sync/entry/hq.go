package entry

import (
	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"
)

// HQRecord is the body of HQ's kinds that set a record whole: store, terminal,
// member, reward, voucher, rule set, policy, keys. Record is the CBOR of the feed
// item of the same name (package wire), so replaying HQ's journal rebuilds the feed.
type HQRecord struct {
	ID      uuid.UUID       `cbor:"1,keyasint"`
	Version uint64          `cbor:"2,keyasint"`
	Record  cbor.RawMessage `cbor:"3,keyasint"`
	By      uuid.UUID       `cbor:"4,keyasint,omitzero"`  // the person who did it
	Digest  []byte          `cbor:"5,keyasint,omitempty"` // salted hash of what is kept outside the chain
	Kept    bool            `cbor:"6,keyasint,omitempty"` // of a voucher: no uses are given, only the record changes
}

// HQExpiry lets time pass for an account: what was due by Until vests or expires.
// Graced says that terminals which could hold an earlier fact had not been heard of
// within the stated grace. Until is Unix milliseconds.
type HQExpiry struct {
	Account uuid.UUID `cbor:"1,keyasint"`
	Until   int64     `cbor:"2,keyasint"`
	Graced  bool      `cbor:"3,keyasint,omitempty"`
}

// HQAdjustment changes a holding by hand. Amount is signed, in the unit's smallest part.
type HQAdjustment struct {
	ID        uuid.UUID `cbor:"1,keyasint"`
	Account   uuid.UUID `cbor:"2,keyasint"`
	Unit      string    `cbor:"3,keyasint"`
	Amount    int64     `cbor:"4,keyasint"`
	Reason    uint8     `cbor:"5,keyasint"`
	By        uuid.UUID `cbor:"6,keyasint"`
	ExpiresAt int64     `cbor:"7,keyasint,omitempty"`
	Member    uuid.UUID `cbor:"8,keyasint,omitzero"` // whose card it was done for
}

// HQImport records that a journal export was taken in from a file.
type HQImport struct {
	Terminal uuid.UUID `cbor:"1,keyasint"`
	Epoch    uint32    `cbor:"2,keyasint"`
	First    uint64    `cbor:"3,keyasint"`
	Last     uint64    `cbor:"4,keyasint"`
	By       uuid.UUID `cbor:"5,keyasint,omitzero"`
}
