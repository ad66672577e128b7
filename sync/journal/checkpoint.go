package journal

import (
	"crypto/ed25519"
	"encoding/binary"
)

// CheckpointDomain is the signing domain of a checkpoint. The signed bytes are
// the domain, a zero byte, and [Checkpoint.Message].
const CheckpointDomain = "tallystick checkpoint v1"

// Signer signs a message under a domain; keys.Signer is one.
type Signer interface {
	Sign(domain string, msg []byte) []byte
}

// Checkpoint is a writer's signature over the head of a run: "my entries First to
// Last lead to Head". Through the chain the one signature proves every entry
// before it too.
type Checkpoint struct {
	Writer
	First     uint64 `json:"first" cbor:"3,keyasint"`
	Last      uint64 `json:"last" cbor:"4,keyasint"`
	Head      Hash   `json:"head" cbor:"5,keyasint"`
	Signature []byte `json:"signature" cbor:"6,keyasint"`
}

// Message returns the 68 signed bytes:
// id (16) ‖ epoch (4) ‖ first (8) ‖ last (8) ‖ head (32), integers big endian.
func (c Checkpoint) Message() []byte {
	out := make([]byte, 0, 68)
	out = append(out, c.ID[:]...)
	out = binary.BigEndian.AppendUint32(out, c.Epoch)
	out = binary.BigEndian.AppendUint64(out, c.First)
	out = binary.BigEndian.AppendUint64(out, c.Last)
	return append(out, c.Head[:]...)
}

// SignCheckpoint makes the checkpoint of the run first..head.Seq. head must be a
// synced head (see [Journal.Head]): a signed head that a power cut can take back
// would look like a fork.
func SignCheckpoint(s Signer, w Writer, first uint64, head Head) Checkpoint {
	c := Checkpoint{Writer: w, First: first, Last: head.Seq, Head: head.Hash}
	c.Signature = s.Sign(CheckpointDomain, c.Message())
	return c
}

// Verify checks the signature, and that the run is not turned round. Its errors
// are *[RunError] and *[SignatureError].
func (c Checkpoint) Verify(pub ed25519.PublicKey) error {
	if c.First == 0 || c.First > c.Last {
		return &RunError{Writer: c.Writer, First: c.First, Last: c.Last, Reason: ReasonBounds}
	}
	msg := append([]byte(CheckpointDomain+"\x00"), c.Message()...)
	if len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, msg, c.Signature) {
		return &SignatureError{Writer: c.Writer, Last: c.Last}
	}
	return nil
}

// VerifyRun checks that entries, which follow the known head, lead to the signed
// head of cp, and returns the hash of each entry.
//
// The run may begin before known (cp.First <= known.Seq): then entries are only
// those after known, trimmed by the caller. With no entries it checks a bare
// signed head against known.
//
// The errors say who is to blame, so that a damaged relay never accuses a terminal:
//   - *[RunError]: the pieces do not fit each other. With [ReasonHead] either the
//     entries were changed on the way or the writer continued another branch. To
//     tell which, call VerifyRun again with the head the sender says the run follows
//     and pass the result to [Compare]: if that succeeds, Compare names the fork.
//   - *[SignatureError]: not signed by pub.
//   - *[GapError]: entries between known and the run are missing.
//   - *[ForkError]: a validly signed head contradicts known at the same number.
func VerifyRun(w Writer, known Head, entries [][]byte, cp Checkpoint, pub ed25519.PublicKey) ([]Hash, error) {
	bad := func(reason string) error {
		return &RunError{Writer: w, First: cp.First, Last: cp.Last, Reason: reason}
	}
	if cp.Writer != w {
		return nil, bad(ReasonWriter)
	}
	if err := cp.Verify(pub); err != nil {
		return nil, err
	}
	if cp.First-1 > known.Seq {
		return nil, &GapError{Want: known.Seq + 1, Got: cp.First}
	}
	if cp.Last < known.Seq || cp.Last-known.Seq != uint64(len(entries)) {
		return nil, bad(ReasonCount)
	}
	if len(entries) == 0 {
		if cp.Head != known.Hash {
			return nil, &ForkError{Seq: known.Seq, Known: known.Hash, Got: cp.Head}
		}
		return nil, nil
	}
	heads := HashRun(w, known, entries)
	if heads[len(heads)-1] != cp.Head {
		return nil, bad(ReasonHead)
	}
	return heads, nil
}

// Compare holds a verified run (the heads that [VerifyRun] returned for entries
// that follow prev) against the head known of the same writer. skip is how many
// leading entries known already covers.
//
// It returns a *[GapError] when the run begins after known, and a *[ForkError]
// when both have an entry with the same number and different hashes; since the
// run's signature covers prev through the chain, that is proof. When known lies
// past the whole run, skip is len(heads) and nothing was compared: compare again
// with the hash that is stored for the run's last number.
func Compare(known, prev Head, heads []Hash) (skip int, err error) {
	if prev.Seq > known.Seq {
		return 0, &GapError{Want: known.Seq + 1, Got: prev.Seq + 1}
	}
	over := known.Seq - prev.Seq
	if over > uint64(len(heads)) {
		return len(heads), nil
	}
	at := prev.Hash
	if over > 0 {
		at = heads[over-1]
	}
	if at != known.Hash {
		return 0, &ForkError{Seq: known.Seq, Known: known.Hash, Got: at}
	}
	return int(over), nil
}
