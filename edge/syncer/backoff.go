package syncer

import (
	"encoding/binary"
	"io"
	"time"
)

// backoff is full jitter: a wait between zero and min(limit, base·2ⁿ) after the
// n-th failure in a row, so that a chain of stores coming back does not come back
// at once. It belongs to one goroutine.
type backoff struct {
	base, limit time.Duration
	random      io.Reader
	failures    int
}

// reset forgets the failures after a success.
func (b *backoff) reset() { b.failures = 0 }

// next returns how long to wait now. HQ's Retry-After is a lower bound, and gets
// jitter on top, since HQ may tell many terminals the same number.
func (b *backoff) next(retryAfter time.Duration) time.Duration {
	ceiling := b.limit
	if b.failures < 30 {
		ceiling = min(b.limit, b.base<<b.failures)
	}
	b.failures++
	return retryAfter + time.Duration(b.fraction()*float64(ceiling))
}

// fraction draws from [0, 1). A random source that fails gives 1/2: waiting is
// still right, only less spread out.
func (b *backoff) fraction() float64 {
	var raw [8]byte
	if _, err := io.ReadFull(b.random, raw[:]); err != nil {
		return 0.5
	}
	return float64(binary.BigEndian.Uint64(raw[:])>>11) / (1 << 53)
}
