package entry

import "github.com/google/uuid"

// Kinds of settlement that HQ writes.
const (
	KindHQSettlementTerm  Kind = 104
	KindHQSettlementCut   Kind = 105
	KindHQSettlementMonth Kind = 106
	KindHQStatement       Kind = 107
)

// HQSettlementTerm is the body of [KindHQSettlementTerm]: something was agreed about
// settlement. Number counts all terms from 1; Record is the term as kept, of the sort that
// Term names.
type HQSettlementTerm struct {
	Number uint64    `cbor:"1,keyasint"`
	Term   string    `cbor:"2,keyasint"`
	ID     uuid.UUID `cbor:"3,keyasint"`
	Record []byte    `cbor:"4,keyasint"`
	By     uuid.UUID `cbor:"5,keyasint"`
}

// HQSettlementCut is the body of [KindHQSettlementCut]: of one shard, a month (YYYYMM)
// takes what was applied through this set.
type HQSettlementCut struct {
	Month uint32 `cbor:"1,keyasint"`
	Shard uint8  `cbor:"2,keyasint"`
	Pos   uint64 `cbor:"3,keyasint"`
}

// HQSettlementMonth is the body of [KindHQSettlementMonth]: a month was locked by Locked
// after Drafted had drafted it. Terms is the number of the last term it was drafted by.
type HQSettlementMonth struct {
	Month      uint32    `cbor:"1,keyasint"`
	Terms      uint64    `cbor:"2,keyasint"`
	CutAt      int64     `cbor:"3,keyasint"`
	Statements uint32    `cbor:"4,keyasint"`
	Drafted    uuid.UUID `cbor:"5,keyasint"`
	Locked     uuid.UUID `cbor:"6,keyasint"`
}

// HQStatement is the body of [KindHQStatement]: a statement got its number. Digest is the
// SHA-256 of the statement as kept.
type HQStatement struct {
	Party  uuid.UUID `cbor:"1,keyasint"`
	Month  uint32    `cbor:"2,keyasint"`
	Number string    `cbor:"3,keyasint"`
	Digest []byte    `cbor:"4,keyasint"`
}
