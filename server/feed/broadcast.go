package feed

import "sync"

// broadcast wakes everybody who waits, once for each change.
type broadcast struct {
	mu  sync.Mutex
	gen uint64
	ch  chan struct{}
}

func newBroadcast() *broadcast { return &broadcast{ch: make(chan struct{})} }

// next returns how often it has woken, and a channel that closes at the next wake.
// Take both before looking.
func (b *broadcast) next() (uint64, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gen, b.ch
}

func (b *broadcast) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.ch)
	b.gen, b.ch = b.gen+1, make(chan struct{})
}
