package print

import "sync"

// Originals remembers of which entries a first receipt was printed. It knows only entries
// made since the agent started: an older one may have been printed before. It is safe for
// concurrent use.
type Originals struct {
	mu    sync.Mutex
	since uint64
	taken map[uint64]bool
}

// NewOriginals begins behind an entry.
func NewOriginals(since uint64) *Originals {
	return &Originals{since: since, taken: map[uint64]bool{}}
}

// Take says whether the next receipt of an entry is its first one, and that it is taken.
func (o *Originals) Take(seq uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if seq <= o.since || o.taken[seq] {
		return false
	}
	o.taken[seq] = true
	return true
}

// GiveBack says that the first receipt of an entry was not printed after all.
func (o *Originals) GiveBack(seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.taken, seq)
}
