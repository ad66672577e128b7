package quarter

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
)

// dice are a stream of chance out of a seed. They are safe for concurrent use, since head
// office draws identifiers from them too.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newDice(seed, stream uint64) *dice { return &dice{rand: rand.New(rand.NewPCG(seed, stream))} }

func (d *dice) word() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.Uint64()
}

// below draws a number below n.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

// between draws from low to high, both included.
func (d *dice) between(low, high int) int { return low + d.below(high-low+1) }

// chance is true in so many of a thousand cases.
func (d *dice) chance(permille int) bool { return d.below(1000) < permille }

// Read fills p; it never fails.
func (d *dice) Read(p []byte) (int, error) {
	var word [8]byte
	for n := 0; n < len(p); n += 8 {
		binary.LittleEndian.PutUint64(word[:], d.word())
		copy(p[n:], word[:])
	}
	return len(p), nil
}

// id makes a UUIDv7 of a moment (RFC 9562 §5.7).
func (d *dice) id(at time.Time) uuid.UUID {
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|d.word()&0x0fff)
	binary.BigEndian.PutUint64(id[8:], d.word())
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
