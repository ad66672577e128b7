package journal

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// request is one caller waiting for its entries (or a seal) to be durable.
type request struct {
	build   func(seq uint64) ([]byte, error) // makes the one entry
	entries [][]byte                         // when build is nil
	floor   uint64                           // for a seal, which has neither

	state  atomic.Int32
	done   chan struct{} // gets one value when places and err are set
	left   int           // entries not answered yet
	places []Position    // of the entries; zero where refused
	err    error         // the first

	oneEntry [1][]byte
	onePlace [1]Position
}

// waiter is one entry of a request.
type waiter struct {
	r *request
	i int
}

// answer says what became of the entry. After the last one the request is its
// caller's again.
func (w waiter) answer(pos Position, err error) {
	w.r.places[w.i] = pos
	if err != nil && w.r.err == nil {
		w.r.err = err
	}
	if w.r.left--; w.r.left == 0 {
		w.r.done <- struct{}{}
	}
}

// The states of a request. Who leads claims it, or the caller takes it back.
const (
	waiting = iota
	claimed
	withdrawn
)

var requests = sync.Pool{New: func() any { return &request{done: make(chan struct{}, 1)} }}

// newRequest returns a request for one answer.
func newRequest() *request {
	r := requests.Get().(*request)
	r.build, r.entries, r.floor, r.err, r.left = nil, nil, 0, nil, 1
	r.places = r.onePlace[:]
	r.state.Store(waiting)
	return r
}

// free gives r back when its caller has read it.
func (r *request) free() {
	r.oneEntry[0], r.entries, r.build, r.places = nil, nil, nil, nil
	requests.Put(r)
}

// queue holds the requests that wait for the next group.
type queue struct {
	mu     sync.Mutex
	items  []*request
	closed bool
}

// put adds r, or returns false when the queue is closed.
func (q *queue) put(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.items = append(q.items, r)
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

// drop removes r, which was withdrawn, if it is still here: on a disk that hangs,
// callers who give up and try again must not pile up.
func (q *queue) drop(r *request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.items, r); i >= 0 {
		q.items = slices.Delete(q.items, i, i+1)
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
	r := newRequest()
	r.oneEntry[0] = entry
	r.entries = r.oneEntry[:]
	return j.submitOne(ctx, r)
}

// AppendFunc is Append for an entry whose bytes depend on their place. build is
// called by one caller at a time, perhaps another one's goroutine, in the order of the
// numbers, with the number that the entry will have; it must be quick and must not
// call the journal. Its error is returned as it is, and the number goes to the next
// entry; the same happens when the entry is refused after build. A panic in build
// becomes an error.
func (j *Journal) AppendFunc(ctx context.Context, build func(seq uint64) ([]byte, error)) (Position, error) {
	r := newRequest()
	r.build = build
	return j.submitOne(ctx, r)
}

// AppendAll adds several entries, in order and next to each other, in as few groups
// as their size allows. Each is refused or durable by itself: the position of one
// that was refused is zero, and the error is the first. Errors are those of Append.
func (j *Journal) AppendAll(ctx context.Context, entries [][]byte) ([]Position, error) {
	if len(entries) == 0 {
		return nil, ctx.Err()
	}
	r := newRequest()
	r.entries, r.left, r.places = entries, len(entries), make([]Position, len(entries))
	if err := j.submit(ctx, r); err != nil {
		return nil, err
	}
	defer r.free()
	return r.places, r.err
}

func (j *Journal) submitOne(ctx context.Context, r *request) (Position, error) {
	if err := j.submit(ctx, r); err != nil {
		return Position{}, err
	}
	defer r.free()
	return r.places[0], r.err
}

// submit queues r and waits until it is answered. With an error it was not taken,
// and is not the caller's any more.
func (j *Journal) submit(ctx context.Context, r *request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !j.queue.put(r) {
		return ErrClosed
	}
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
			j.queue.drop(r)
			return ctx.Err()
		}
		<-r.done
	}
	return nil
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
	a.flush()
	a.lastGroup = len(a.batch)
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
