package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// dice are a stream of chance that follows from a seed and a name of its own, so that
// what one part of the world draws does not shift what another one gets.
type dice struct{ *rand.Rand }

func newDice(seed, stream uint64) *dice { return &dice{rand.New(rand.NewPCG(seed, stream))} }

// Read fills p; it never fails.
func (d *dice) Read(p []byte) (int, error) {
	var word [8]byte
	for n := 0; n < len(p); n += 8 {
		binary.LittleEndian.PutUint64(word[:], d.Uint64())
		copy(p[n:], word[:])
	}
	return len(p), nil
}

// chance is true in so many of a hundred cases.
func (d *dice) chance(percent int) bool { return d.IntN(100) < percent }

// between draws from low to high, both included.
func (d *dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// id makes a UUIDv7 of a moment (RFC 9562 §5.7).
func (d *dice) id(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|d.Uint64()&0x0fff)
	binary.BigEndian.PutUint64(id[8:], d.Uint64())
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
