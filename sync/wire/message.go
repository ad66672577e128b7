package wire

import (
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
)

// Version is the wire version this package speaks; HQ serves the last two.
const (
	Version    = 1
	MinVersion = 1
)

// Limits of the wire, the same at both ends.
const (
	MaxBatchEntries = 500
	MaxBatchBytes   = 1 << 20 // of entries, before compression
	MaxBody         = 2 << 20 // of any message, decompressed
	MaxFeedItems    = 1000
	MaxWaitSeconds  = 30
)

// Paths under HQ's address.
const (
	PathEnrol = "/sync/v1/enrol"
	PathHello = "/sync/v1/hello"
	PathPush  = "/sync/v1/push"
	PathPull  = "/sync/v1/pull"
)

// ContentType of every message; a compressed one also has Content-Encoding zstd.
const ContentType = "application/cbor"

// EnrolRequest turns a one-time code into a terminal. Signature is by the new key,
// domain DomainEnrol, over the code and the public key: proof of possession.
type EnrolRequest struct {
	V         uint8  `cbor:"1,keyasint"`
	Code      string `cbor:"2,keyasint"`
	PublicKey []byte `cbor:"3,keyasint"`
	Software  string `cbor:"4,keyasint"`
	Signature []byte `cbor:"5,keyasint"`
}

// Enrolment is HQ's answer: who the terminal is, and whom it may believe.
type Enrolment struct {
	V        uint8     `cbor:"1,keyasint"`
	HQ       uuid.UUID `cbor:"2,keyasint"`
	Terminal uuid.UUID `cbor:"3,keyasint"`
	Epoch    uint32    `cbor:"4,keyasint"`
	Store    uuid.UUID `cbor:"5,keyasint"`
	Keys     keys.Set  `cbor:"6,keyasint"`
	Name     string    `cbor:"7,keyasint"`
	HQTime   int64     `cbor:"8,keyasint"`
	// Statement is a sealed Enrolled for the terminal to keep.
	Statement []byte `cbor:"9,keyasint,omitempty"`
	// TimeZone is the store's, as an IANA name.
	TimeZone string `cbor:"10,keyasint,omitempty"`
}

// Hello opens a session: the terminal says what it has, so that both can find the
// last head they share.
type Hello struct {
	V         uint8     `cbor:"1,keyasint"`
	Terminal  uuid.UUID `cbor:"2,keyasint"`
	Epoch     uint32    `cbor:"3,keyasint"`
	FirstSeq  uint64    `cbor:"4,keyasint"` // oldest entry still kept
	HeadSeq   uint64    `cbor:"5,keyasint"`
	HeadHash  []byte    `cbor:"6,keyasint"`
	AckedSeq  uint64    `cbor:"7,keyasint"` // as of HQ's last receipt
	AckedHash []byte    `cbor:"8,keyasint"`
	Software  string    `cbor:"9,keyasint"`
	WallTime  int64     `cbor:"10,keyasint"`
	// Enrolment is the sealed Enrolled of this epoch, Witness the latest sealed Heads
	// that the terminal has; empty when it has none.
	Enrolment []byte `cbor:"20,keyasint,omitempty"`
	Witness   []byte `cbor:"21,keyasint,omitempty"`
}

// Welcome answers a Hello. It is sent signed (DomainWelcome). HaveSeq may be below
// what HQ once acknowledged when HQ was restored: the terminal sends again from
// HaveSeq + 1. Entries at or below RetainSeq may be pruned.
type Welcome struct {
	V          uint8     `cbor:"1,keyasint"`
	HQ         uuid.UUID `cbor:"2,keyasint"`
	HQEpoch    uint32    `cbor:"3,keyasint"`
	Terminal   uuid.UUID `cbor:"4,keyasint"`
	Epoch      uint32    `cbor:"5,keyasint"`
	HaveSeq    uint64    `cbor:"6,keyasint"`
	HaveHash   []byte    `cbor:"7,keyasint"`
	RetainSeq  uint64    `cbor:"8,keyasint"`
	MaxEntries int       `cbor:"9,keyasint"`
	MaxBytes   int       `cbor:"10,keyasint"`
	HQTime     int64     `cbor:"11,keyasint"`
	// Witnessed is the highest head of the terminal's journal that another lane was shown
	// and that HQ has no entry for yet, as the terminal once signed it. A journal that does
	// not go on from there is a copy, or was rolled back.
	Witnessed SignedHead `cbor:"12,keyasint,omitzero"`
	// Heads is a sealed Heads for the terminal to keep, Enrolment the sealed Enrolled of
	// a terminal that showed none.
	Heads     []byte `cbor:"20,keyasint,omitempty"`
	Enrolment []byte `cbor:"21,keyasint,omitempty"`
}

// Batch is a run of entries and one checkpoint signature over its head. Prev is
// the hash before First; hashes of the entries do not travel.
type Batch struct {
	V         uint8     `cbor:"1,keyasint"`
	Terminal  uuid.UUID `cbor:"2,keyasint"`
	Epoch     uint32    `cbor:"3,keyasint"`
	First     uint64    `cbor:"4,keyasint"`
	Prev      []byte    `cbor:"5,keyasint"`
	Entries   [][]byte  `cbor:"6,keyasint"`
	Head      []byte    `cbor:"7,keyasint"`
	Signature []byte    `cbor:"8,keyasint"`
}

// Last returns the sequence number of the last entry.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Entries)) - 1 }

// Receipt is HQ's word that it has durably taken the terminal's journal through
// Seq, whose hash is Hash. It is sent signed (DomainReceipt); the same batch gets
// the same bytes again.
type Receipt struct {
	V          uint8     `cbor:"1,keyasint"`
	HQ         uuid.UUID `cbor:"2,keyasint"`
	HQEpoch    uint32    `cbor:"3,keyasint"`
	Terminal   uuid.UUID `cbor:"4,keyasint"`
	Epoch      uint32    `cbor:"5,keyasint"`
	Seq        uint64    `cbor:"6,keyasint"`
	Hash       []byte    `cbor:"7,keyasint"`
	RecordedAt int64     `cbor:"8,keyasint"`
	RetainSeq  uint64    `cbor:"9,keyasint"`
}
