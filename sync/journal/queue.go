package journal

import (
	"context"
	"sync"
	"sync/atomic"
)

// request is one caller waiting for its entry (or a seal) to be durable.
type request struct {
	build func(seq uint64) ([]byte, error)
	floor uint64 // for a seal: the retention floor; build is nil

	state atomic.Int32
	done  chan struct{} // gets one value when pos and err are set
	pos   Position
	err   error
}

// The states of a request. The writer claims it, or the caller takes it back.
const (
	waiting = iota
	claimed
	withdrawn
)

var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

func (r *request) finish(pos Position, err error) {
	r.pos, r.err = pos, err
	r.done <- struct{}{}
}

// queue holds the requests that wait for the next group.
type queue struct {
	mu     sync.Mutex
	items  []*request
	closed bool
	wake   chan struct{} // has a value when items or closed changed
}

func newQueue() *queue { return &queue{wake: make(chan struct{}, 1)} }

// put adds r, or returns false when the queue is closed.
func (q *queue) put(r *request) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	q.items = append(q.items, r)
	first := len(q.items) == 1
	q.mu.Unlock()
	if first {
		q.signal()
	}
	return true
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take waits for requests and swaps them against the empty slice into. more is
// false when the queue is closed and empty.
func (q *queue) take(into []*request) (out []*request, more bool) {
	for {
		q.mu.Lock()
		if len(q.items) > 0 {
			out, q.items = q.items, into
			q.mu.Unlock()
			return out, true
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return into, false
		}
		<-q.wake
	}
}

// length is how many wait now.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()
}

// Append adds one entry and returns when it is durable. The bytes are not kept.
//
// When ctx ends before the entry is taken into a group, nothing is written and
// ctx's error is returned; after that Append waits for the disk.
//
// Errors: [ErrEmpty], [ErrTooLarge] and [ErrDiskFull] refuse this entry only;
// [ErrStopped] and [ErrClosed] are final.
func (j *Journal) Append(ctx context.Context, entry []byte) (Position, error) {
	return j.AppendFunc(ctx, func(uint64) ([]byte, error) { return entry, nil })
}

// AppendFunc is Append for an entry whose bytes depend on their place. build is
// called on the journal's own goroutine, in the order of the numbers, with the
// number that the entry will have; it must be quick and must not call the journal.
// Its error is returned as it is, and the number goes to the next entry; the same
// happens when the entry is refused after build.
func (j *Journal) AppendFunc(ctx context.Context, build func(seq uint64) ([]byte, error)) (Position, error) {
	r := requests.Get().(*request)
	r.build, r.floor = build, 0
	return j.submit(ctx, r)
}

// submit queues r and waits for it.
func (j *Journal) submit(ctx context.Context, r *request) (Position, error) {
	if err := ctx.Err(); err != nil {
		return Position{}, err
	}
	if err := j.Err(); err != nil {
		return Position{}, err
	}
	r.state.Store(waiting)
	if !j.queue.put(r) {
		return Position{}, ErrClosed
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		if r.state.CompareAndSwap(waiting, withdrawn) {
			return Position{}, ctx.Err()
		}
		<-r.done
	}
	pos, err := r.pos, r.err
	r.build = nil
	requests.Put(r)
	return pos, err
}
