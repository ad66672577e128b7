package journal

import (
	"context"
	"errors"
)

const formatVersion = 1

// Position is where an entry was put.
type Position = Head

// Option changes how a journal is opened.
type Option func(*options)

type options struct{ segmentSize int }

// Journal is one writer's journal, open for append. It is safe for concurrent use.
type Journal struct{}

// Run is a piece of a journal.
type Run struct {
	// Prev is the head before the first entry.
	Prev Head
	// Entries are the entry bytes, in order.
	Entries [][]byte
	// Hashes has the hash of each entry.
	Hashes []Hash
}

// Last returns the head after the run's last entry; Prev when it has none.
func (r Run) Last() Head {
	if len(r.Entries) == 0 {
		return r.Prev
	}
	return Head{Seq: r.Prev.Seq + uint64(len(r.Entries)), Hash: r.Hashes[len(r.Hashes)-1]}
}

var errSkeleton = errors.New("not built yet")

// Open opens or creates the journal of w in the directory dir.
func Open(ctx context.Context, dir string, w Writer, opts ...Option) (*Journal, error) {
	return nil, errSkeleton
}

// WithSegmentSize sets the size of new segment files in bytes.
func WithSegmentSize(bytes int) Option { return func(o *options) { o.segmentSize = bytes } }

// Append adds one entry and returns when it is durable.
func (j *Journal) Append(ctx context.Context, entry []byte) (Position, error) {
	return j.AppendFunc(ctx, func(uint64) ([]byte, error) { return entry, nil })
}

// AppendFunc is Append for an entry that must know its number.
func (j *Journal) AppendFunc(ctx context.Context, build func(seq uint64) ([]byte, error)) (Position, error) {
	return Position{}, errSkeleton
}

// Head returns the last durable entry's place.
func (j *Journal) Head() Head { return Head{} }

// First returns the number of the oldest entry kept.
func (j *Journal) First() uint64 { return 1 }

// Writer returns whose journal it is.
func (j *Journal) Writer() Writer { return Writer{} }

// Read returns up to maxEntries entries from number from on.
func (j *Journal) Read(ctx context.Context, from uint64, maxEntries, maxBytes int) (Run, error) {
	return Run{}, errSkeleton
}

// Each calls fn for every durable entry from number from on. entry is only valid
// during the call.
func (j *Journal) Each(ctx context.Context, from uint64, fn func(at Head, entry []byte) error) error {
	return errSkeleton
}

// HashAt returns the hash of entry seq.
func (j *Journal) HashAt(seq uint64) (Hash, error) { return Hash{}, errSkeleton }

// Prune removes whole segments whose entries all have numbers below seq.
func (j *Journal) Prune(ctx context.Context, below uint64) error { return errSkeleton }

// MaxEntry returns the longest entry accepted, in bytes.
func (j *Journal) MaxEntry() int { return 64 << 10 }

// Done is closed when the journal can append no more.
func (j *Journal) Done() <-chan struct{} { return nil }

// Err returns why the journal stopped, or nil.
func (j *Journal) Err() error { return nil }

// Close ends the journal.
func (j *Journal) Close() error { return nil }
