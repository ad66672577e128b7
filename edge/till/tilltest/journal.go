package tilltest

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/tallystick/tallystick/sync/journal"
)

// Journal is a journal in memory.
type Journal struct {
	Writer journal.Writer

	mu      sync.Mutex
	entries [][]byte
	hashes  []journal.Hash
	fail    error
	written int // entries until fail; see FailAfter
	pruned  uint64
}

// Prune removes the entries with numbers below seq.
func (j *Journal) Prune(below uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pruned = below - 1
}

// FailAfter makes every append after n more ones answer err.
func (j *Journal) FailAfter(n int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written, j.fail = n, err
}

// AppendFunc adds one entry.
func (j *Journal) AppendFunc(_ context.Context, build func(uint64) ([]byte, error)) (journal.Position, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fail != nil {
		if j.written == 0 {
			return journal.Position{}, j.fail
		}
		j.written--
	}
	head := j.head()
	raw, err := build(head.Seq + 1)
	if err != nil {
		return journal.Position{}, err
	}
	j.entries = append(j.entries, bytes.Clone(raw))
	j.hashes = append(j.hashes, journal.HashEntry(j.Writer, head.Seq+1, head.Hash, raw))
	return j.head(), nil
}

func (j *Journal) head() journal.Head {
	if len(j.entries) == 0 {
		return journal.Head{}
	}
	return journal.Head{Seq: uint64(len(j.entries)), Hash: j.hashes[len(j.hashes)-1]}
}

// Head returns the last entry's place.
func (j *Journal) Head() journal.Head {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.head()
}

// First returns the number of the oldest entry kept.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.pruned + 1
}

// HashAt returns the hash of entry seq.
func (j *Journal) HashAt(_ context.Context, seq uint64) (journal.Hash, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq <= j.pruned {
		return journal.Hash{}, journal.ErrPruned
	}
	if seq > uint64(len(j.hashes)) {
		return journal.Hash{}, fmt.Errorf("no entry %d", seq)
	}
	return j.hashes[seq-1], nil
}

// Read returns entries from number from on.
func (j *Journal) Read(_ context.Context, from uint64, maxEntries, _ int) (journal.Run, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if from <= j.pruned {
		return journal.Run{}, journal.ErrPruned
	}
	if from > uint64(len(j.entries)) {
		return journal.Run{}, nil
	}
	to := min(int(from)-1+maxEntries, len(j.entries))
	run := journal.Run{Entries: j.entries[from-1 : to], Hashes: j.hashes[from-1 : to]}
	if from > 1 {
		run.Prev = journal.Head{Seq: from - 1, Hash: j.hashes[from-2]}
	}
	return run, nil
}
