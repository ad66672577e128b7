package syncer_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// memoryJournal is a journal that is durable as soon as it is appended to.
type memoryJournal struct {
	mu      sync.Mutex
	entries [][]byte
	hashes  []journal.Hash
}

func (j *memoryJournal) append(entries ...[]byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		j.hashes = append(j.hashes, journal.HashEntry(testWriter, uint64(len(j.entries)+1), j.at(len(j.entries)), e))
		j.entries = append(j.entries, e)
	}
}

func (j *memoryJournal) at(seq int) journal.Hash {
	if seq == 0 {
		return journal.Genesis
	}
	return j.hashes[seq-1]
}

func (j *memoryJournal) Writer() journal.Writer { return testWriter }

func (j *memoryJournal) First() uint64 { return 1 }

func (j *memoryJournal) Head() journal.Head {
	j.mu.Lock()
	defer j.mu.Unlock()
	return journal.Head{Seq: uint64(len(j.entries)), Hash: j.at(len(j.entries))}
}

func (j *memoryJournal) HashAt(_ context.Context, seq uint64) (journal.Hash, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.at(int(seq)), nil
}

func (j *memoryJournal) Read(_ context.Context, from uint64, maxEntries, maxBytes int) (journal.Run, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	run := journal.Run{Prev: journal.Head{Seq: from - 1, Hash: j.at(int(from - 1))}}
	size := 0
	for i := int(from) - 1; i < len(j.entries) && len(run.Entries) < maxEntries; i++ {
		if size += len(j.entries[i]); size > maxBytes && len(run.Entries) > 0 {
			break
		}
		run.Entries = append(run.Entries, j.entries[i])
		run.Hashes = append(run.Hashes, j.hashes[i])
	}
	return run, nil
}

// fakeTill keeps what the syncer hands it.
type fakeTill struct {
	mu      sync.Mutex
	acked   journal.Head
	hqEpoch uint32
	cursor  string
	set     keys.Set
	items   int
	online  bool
	now     func() time.Time
	changed chan struct{}

	contradicted []uint64
	suspended    problem.Code
	grants       []wire.Signed
	presented    uint32
	said         []wire.Dated
	saidAt       []time.Time
}

func newFakeTill(set keys.Set) *fakeTill {
	return &fakeTill{set: set, now: time.Now, changed: make(chan struct{}, 1)}
}

func (f *fakeTill) lock() func() {
	f.mu.Lock()
	return func() {
		f.mu.Unlock()
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

func (f *fakeTill) Acked() (journal.Head, uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.acked, f.hqEpoch
}

func (f *fakeTill) Cursor() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cursor
}

func (f *fakeTill) Keys() keys.Set {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set
}

func (f *fakeTill) Now() (time.Time, bool) { return f.now(), true }

func (f *fakeTill) ApplyWelcome(_ context.Context, w wire.Welcome) error {
	defer f.lock()()
	if w.HaveSeq < f.acked.Seq {
		f.acked = journal.Head{Seq: w.HaveSeq}
	}
	f.hqEpoch = w.HQEpoch
	return nil
}

func (f *fakeTill) ApplyReceipt(_ context.Context, r wire.Receipt) error {
	defer f.lock()()
	f.acked = journal.Head{Seq: r.Seq, Hash: journal.Hash(r.Hash)}
	return nil
}

func (f *fakeTill) ApplyFeed(_ context.Context, page wire.FeedPage) error {
	defer f.lock()()
	for _, item := range page.Items {
		if item.Kind == wire.ItemKeys {
			set, err := wire.Unmarshal[keys.Set](item.Body)
			if err != nil {
				return err
			}
			if set.Version > f.set.Version {
				f.set = set
			}
		}
	}
	f.items += len(page.Items)
	f.cursor = page.Next
	return nil
}

func (f *fakeTill) ObserveHQTime(time.Time) {}

func (f *fakeTill) NoteSaid(said wire.Dated, at time.Time) error {
	defer f.lock()()
	f.said, f.saidAt = append(f.said, said), append(f.saidAt, at)
	return nil
}

func (f *fakeTill) Contradicts(_ context.Context, seq uint64) error {
	defer f.lock()()
	f.contradicted = append(f.contradicted, seq)
	return nil
}

func (f *fakeTill) Suspend(_ context.Context, why problem.Code) error {
	defer f.lock()()
	f.suspended = why
	return nil
}

// Grants gives what it has one by one, whatever the limit.
func (f *fakeTill) Grants(_ context.Context, after []byte, _ int) ([]wire.Signed, []byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := len(after)
	if at >= len(f.grants) {
		return nil, nil, nil
	}
	if at == len(f.grants)-1 {
		return f.grants[at:], nil, nil
	}
	return f.grants[at : at+1], make([]byte, at+1), nil
}

func (f *fakeTill) Presented() uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.presented
}

func (f *fakeTill) SetPresented(_ context.Context, epoch uint32) error {
	defer f.lock()()
	f.presented = epoch
	return nil
}

func (f *fakeTill) SetOnline(online bool) {
	defer f.lock()()
	f.online = online
}

// until waits for a change of the till after which the condition holds.
func (f *fakeTill) until(t *testing.T, what string, holds func(*fakeTill) bool) {
	t.Helper()
	f.wait(t, what, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return holds(f)
	})
}

// wait waits until a condition holds, which is not asked under the till's lock: the service
// tells the till under its own, so who asks the service must not hold the till's.
func (f *fakeTill) wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	// A change of HQ alone does not reach the till, so look again now and then.
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-f.changed:
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
