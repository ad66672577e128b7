package pin

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
)

// Least and Most bound the digits of a PIN.
const (
	Least = 4
	Most  = 8
)

// Cost of one hash: argon2id (RFC 9106) over 19 MiB, four passes, one thread, about 60 ms
// of one core of a small PC. The figures stand in each hash, so they can grow later.
const (
	memory  = 19 * 1024 // KiB
	passes  = 4
	threads = 1
	saltLen = 16
	keyLen  = 32
)

// Bounds of a hash that is checked, so that no record can make a till stand still.
const (
	mostMemory = 64 * 1024 // KiB
	mostPasses = 16
)

// ErrShape means that a text is no PIN, ErrHash that a hash cannot be one.
var (
	ErrShape = errors.New("a PIN has 4 to 8 digits")
	ErrHash  = errors.New("the hash of the PIN cannot be read")
)

// Hash is a PIN as kept. Memory is in KiB.
type Hash struct {
	Salt   []byte `cbor:"1,keyasint"`
	Key    []byte `cbor:"2,keyasint"`
	Memory uint32 `cbor:"3,keyasint"`
	Passes uint32 `cbor:"4,keyasint"`
}

// OK reports whether a text has the shape of a PIN.
func OK(digits string) bool {
	if len(digits) < Least || len(digits) > Most {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	return true
}

// Make hashes a PIN under a fresh salt.
func Make(random io.Reader, digits string) (Hash, error) {
	if !OK(digits) {
		return Hash{}, ErrShape
	}
	h := Hash{Salt: make([]byte, saltLen), Memory: memory, Passes: passes}
	if _, err := io.ReadFull(random, h.Salt); err != nil {
		return Hash{}, fmt.Errorf("read salt: %w", err)
	}
	h.Key = h.of(digits, keyLen)
	return h, nil
}

// Check tells whether the digits made the hash. A text that is no PIN made none.
func (h Hash) Check(digits string) (bool, error) {
	if len(h.Salt) < saltLen || len(h.Salt) > 64 || len(h.Key) < saltLen || len(h.Key) > 64 ||
		h.Memory < 8 || h.Memory > mostMemory || h.Passes < 1 || h.Passes > mostPasses {
		return false, ErrHash
	}
	if !OK(digits) {
		return false, nil
	}
	return subtle.ConstantTimeCompare(h.of(digits, uint32(len(h.Key))), h.Key) == 1, nil
}

func (h Hash) of(digits string, length uint32) []byte {
	return argon2.IDKey([]byte(digits), h.Salt, h.Passes, h.Memory, threads, length)
}
