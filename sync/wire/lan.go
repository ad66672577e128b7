package wire

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"math"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Paths that the lanes of a store serve each other (docs/offline-protocol.md). Below
// PathLANRelay stands a path of HQ.
const (
	PathLANHead   = "/lan/v1/head"
	PathLANHeld   = "/lan/v1/held"
	PathLANBorrow = "/lan/v1/borrow"
	PathLANRelay  = "/lan/v1/relay"
)

// SignedHead is a Head with the signature of its terminal (DomainHead).
type SignedHead struct {
	Head      []byte `cbor:"1,keyasint"`
	Signature []byte `cbor:"2,keyasint"`
}

// HeadRequest shows a lane the asker's head, and which head of the lane the asker
// knows, as the lane once signed it. Proof is the asker's head as it was at the
// sequence number that the lane said it knew, with no HLC. Said is the latest word of HQ
// that the asker can show.
type HeadRequest struct {
	V     uint8      `cbor:"1,keyasint"`
	Mine  SignedHead `cbor:"2,keyasint"`
	Known SignedHead `cbor:"3,keyasint,omitzero"`
	Proof SignedHead `cbor:"4,keyasint,omitzero"`
	Said  Dated      `cbor:"5,keyasint,omitzero"`
}

// HeadAnswer is the same the other way round. Finding is what the lane concludes
// about the asker.
type HeadAnswer struct {
	V       uint8      `cbor:"1,keyasint"`
	Mine    SignedHead `cbor:"2,keyasint"`
	Known   SignedHead `cbor:"3,keyasint,omitzero"`
	Proof   SignedHead `cbor:"4,keyasint,omitzero"`
	Finding uint8      `cbor:"5,keyasint,omitempty"` // entry.WitnessFinding
	Online  bool       `cbor:"6,keyasint,omitempty"` // the lane hears HQ by itself, and relays
	Said    Dated      `cbor:"7,keyasint,omitzero"`
}

// SignHead signs a head with the terminal's own key.
func SignHead(signer keys.Signer, head Head) (SignedHead, error) {
	raw, err := Marshal(head)
	if err != nil {
		return SignedHead{}, fmt.Errorf("encode head: %w", err)
	}
	return SignedHead{Head: raw, Signature: signer.Sign(DomainHead, raw)}, nil
}

// OpenHead checks and reads a head that the holder of key has signed.
func OpenHead(key ed25519.PublicKey, signed SignedHead) (Head, error) {
	if err := keys.Verify(key, DomainHead, signed.Head, signed.Signature); err != nil {
		return Head{}, problem.Wrap(problem.ProofInvalid, err, "the head is not signed by its terminal")
	}
	head, err := Unmarshal[Head](signed.Head)
	if err != nil {
		return Head{}, fmt.Errorf("read head: %w", err)
	}
	if head.Seq == 0 || head.Seq > math.MaxInt64 || len(head.Hash) != 32 {
		return Head{}, problem.New(problem.InvalidBody, "the head is incomplete, or has a number that no journal reaches")
	}
	return head, nil
}

// Contradicts says what two heads of one terminal prove. A terminal takes its HLC
// before its head and under one lock, so of two heads of one honest terminal the one
// with the later HLC is never the shorter; a head without HLC is a proof of an earlier
// place and is never a rollback.
func Contradicts(known, shown Head) entry.WitnessFinding {
	switch {
	case known.Terminal != shown.Terminal:
		return entry.WitnessSeen
	case shown.Epoch == known.Epoch && shown.Seq == known.Seq && !bytes.Equal(shown.Hash, known.Hash):
		return entry.WitnessFork
	case shown.HLC > known.HLC && (shown.Epoch < known.Epoch || shown.Epoch == known.Epoch && shown.Seq < known.Seq):
		return entry.WitnessRollback
	}
	return entry.WitnessSeen
}
