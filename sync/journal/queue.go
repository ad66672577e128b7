package journal

import (
	"context"
	"runtime"
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

// The states of a request. Who leads claims it, or the caller takes it back.
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
}

// put adds requests that stay together, or returns false when the queue is closed.
func (q *queue) put(rs ...*request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.items = append(q.items, rs...)
	}
	return !q.closed
}

// take swaps the requests that wait now against the empty slice into.
func (q *queue) take(into []*request) []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := q.items
	q.items = into
	return out
}

// length is how many wait now.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items)
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
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
// called by one caller at a time, perhaps another one's goroutine, in the order of the
// numbers, with the number that the entry will have; it must be quick and must not
// call the journal. Its error is returned as it is, and the number goes to the next
// entry; the same happens when the entry is refused after build. A panic in build
// becomes an error.
func (j *Journal) AppendFunc(ctx context.Context, build func(seq uint64) ([]byte, error)) (Position, error) {
	r := requests.Get().(*request)
	r.build, r.floor = build, 0
	return j.submit(ctx, r)
}

// AppendAll adds several entries, in order and next to each other, in as few groups
// as their size allows. Each is refused or durable by itself: the position of one
// that was refused is zero, and the error is that of the first. Errors are those of
// Append.
func (j *Journal) AppendAll(ctx context.Context, entries [][]byte) ([]Position, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rs := make([]*request, len(entries))
	for i, entry := range entries {
		rs[i] = requests.Get().(*request)
		rs[i].build, rs[i].floor = func(uint64) ([]byte, error) { return entry, nil }, 0
		rs[i].state.Store(waiting)
	}
	if !j.queue.put(rs...) {
		return nil, ErrClosed
	}
	places := make([]Position, len(rs))
	var first error
	for i, r := range rs {
		var err error
		if places[i], err = j.await(ctx, r); err != nil && first == nil {
			first = err
		}
	}
	return places, first
}

// submit queues r and waits for it.
func (j *Journal) submit(ctx context.Context, r *request) (Position, error) {
	if err := ctx.Err(); err != nil {
		return Position{}, err
	}
	r.state.Store(waiting)
	if !j.queue.put(r) {
		return Position{}, ErrClosed
	}
	return j.await(ctx, r)
}

// await waits for a queued request, or leads.
func (j *Journal) await(ctx context.Context, r *request) (Position, error) {
	select {
	case <-r.done:
	case <-j.lead:
		// Nobody writes: this caller does, for all who wait. That spares a lone
		// caller two changes of goroutine.
		j.commit()
		j.lead <- struct{}{}
		<-r.done
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

// commit makes groups of the requests that wait. The caller holds the lead.
func (j *Journal) commit() {
	a := j.append
	j.gather(a.lastGroup)
	a.batch = j.queue.take(a.batch[:0])
	for i, r := range a.batch {
		if r.state.CompareAndSwap(waiting, claimed) {
			a.add(r)
		}
		a.batch[i] = nil
	}
	a.lastGroup = a.flush()
}

// gather lets the callers of the last group run, so that those who append again at
// once are all in the next one instead of one alone opening it.
func (j *Journal) gather(lastGroup int) {
	for before := 1; lastGroup > 1; {
		have := j.queue.length()
		if have >= lastGroup {
			return
		}
		runtime.Gosched()
		if before == have {
			return
		}
		before = have
	}
}
