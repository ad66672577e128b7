package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/google/uuid"
)

// entryDomain opens every hashed entry, so that an entry's hash can never be
// taken for a hash of anything else.
const entryDomain = "tallystick entry v1\x00"

// Hash is the SHA-256 of one entry and, through it, of all entries before it.
type Hash [32]byte

// Genesis is the hash before the first entry: all zero.
var Genesis Hash

// String returns the hash as 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short returns the first 8 hexadecimal digits, as printed on a receipt.
func (h Hash) Short() string { return hex.EncodeToString(h[:4]) }

// MarshalText writes the form of [Hash.String].
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(h) {
		return fmt.Errorf("read hash: %d characters, want %d", len(text), hex.EncodedLen(len(h)))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return fmt.Errorf("read hash: %w", err)
	}
	return nil
}

// Writer names whose journal it is. ID is a terminal, or the writer of one HQ
// shard. HQ gives a terminal a new Epoch when it must start again at seq 1.
type Writer struct {
	ID    uuid.UUID `json:"terminal" cbor:"1,keyasint"`
	Epoch uint32    `json:"epoch" cbor:"2,keyasint"`
}

// String returns the id and the epoch, as "id/epoch".
func (w Writer) String() string { return fmt.Sprintf("%s/%d", w.ID, w.Epoch) }

// Head is a place in a journal: the last entry's number and its hash. The zero
// Head is the place before the first entry.
type Head struct {
	Seq  uint64 `json:"seq" cbor:"1,keyasint"`
	Hash Hash   `json:"hash" cbor:"2,keyasint"`
}

// String returns the number and the short hash.
func (h Head) String() string { return fmt.Sprintf("%d-%s", h.Seq, h.Hash.Short()) }

// HashEntry returns the hash of the entry with number seq that follows the entry
// with hash prev (Genesis before seq 1):
//
//	SHA-256("tallystick entry v1\0" ‖ id (16) ‖ epoch (4) ‖ seq (8) ‖ prev (32) ‖ entry)
//
// Integers are big endian.
func HashEntry(w Writer, seq uint64, prev Hash, entry []byte) Hash {
	c := newChain(w, Head{Seq: seq - 1, Hash: prev})
	return c.next(entry).Hash
}

// HashRun returns the hash of each entry of a run that follows the head after.
func HashRun(w Writer, after Head, entries [][]byte) []Hash {
	out := make([]Hash, 0, len(entries))
	c := newChain(w, after)
	for _, e := range entries {
		out = append(out, c.next(e).Hash)
	}
	return out
}

// chain computes hashes one after the other without allocating.
type chain struct {
	head   Head
	digest hash.Hash
	prefix [len(entryDomain) + 16 + 4 + 8 + 32]byte
}

func newChain(w Writer, head Head) *chain {
	c := &chain{head: head, digest: sha256.New()}
	n := copy(c.prefix[:], entryDomain)
	n += copy(c.prefix[n:], w.ID[:])
	binary.BigEndian.PutUint32(c.prefix[n:], w.Epoch)
	return c
}

// next moves the head over entry and returns it.
func (c *chain) next(entry []byte) Head {
	const at = len(entryDomain) + 16 + 4
	c.head.Seq++
	binary.BigEndian.PutUint64(c.prefix[at:], c.head.Seq)
	copy(c.prefix[at+8:], c.head.Hash[:])
	c.digest.Reset()
	c.digest.Write(c.prefix[:])
	c.digest.Write(entry)
	c.digest.Sum(c.head.Hash[:0])
	return c.head
}
