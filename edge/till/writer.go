package till

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// append journals an entry and makes what it means visible to every later look.
// When it returns without error the entry is durable.
func (t *Till) append(ctx context.Context, at time.Time, kind entry.Kind, body any) (journal.Position, error) {
	e, err := t.record(ctx, at, kind, body)
	return e.At, err
}

// record is append that also tells the business date. A day that is over is closed
// before the first thing that is traded on another one.
func (t *Till) record(ctx context.Context, at time.Time, kind entry.Kind, body any) (Entry, error) {
	for {
		t.days.closing.RLock()
		date, fits := t.days.enter(t.natural(at), daybook.Trades(kind))
		if fits {
			defer t.days.closing.RUnlock()
			return t.write(ctx, at, date, kind, body)
		}
		t.days.closing.RUnlock()
		if err := t.closeOver(ctx, at); err != nil {
			return Entry{}, fmt.Errorf("close the day before: %w", err)
		}
	}
}

// write journals an entry under a business date. The caller holds days.closing.
func (t *Till) write(ctx context.Context, at time.Time, date entry.Date, kind entry.Kind, body any) (Entry, error) {
	var raw []byte
	// Whether an entry was written must not depend on a caller that goes away.
	pos, err := t.cfg.Journal.AppendFunc(context.WithoutCancel(ctx), func(seq uint64) ([]byte, error) {
		if b := t.witness.contradicted(); b != nil && seq <= b.Seq {
			return nil, problem.Newf(problem.JournalFork, "others have seen an entry %d of this terminal", b.Seq)
		}
		// Stamped in the order of the numbers.
		var err error
		raw, err = entry.Encode(entry.Entry{
			HLC: t.hlc.Next(at), OccurredAt: at.UnixMilli(), BusinessDate: date, Kind: kind,
		}, body)
		return raw, err
	})
	out := Entry{At: pos, OccurredAt: stamp(at), BusinessDate: date}
	if err != nil {
		return out, t.appendError(err)
	}
	t.time.wrote(at)
	d, err := t.derive(ctx, pos.Seq, raw)
	if err == nil {
		err = t.enter(pos, d)
	}
	if err == nil {
		err = t.count(ctx, kind, body)
	}
	if err != nil {
		// The entry is durable; the next start finds it in the journal.
		t.fail(err)
		return out, problem.Wrap(problem.JournalStopped, err, "")
	}
	return out, nil
}

func (t *Till) appendError(err error) error {
	switch {
	case problem.CodeOf(err) == problem.JournalFork:
		return err
	case errors.Is(err, journal.ErrDiskFull):
		return problem.Wrap(problem.DiskFull, err, "")
	case errors.Is(err, journal.ErrTooLarge), errors.Is(err, entry.ErrTooLarge):
		return problem.Wrap(problem.BodyTooLarge, err, "the entry is too large for the journal")
	case errors.Is(err, journal.ErrStopped), errors.Is(err, journal.ErrClosed):
		t.fail(err)
		return problem.Wrap(problem.JournalStopped, err, "")
	}
	return fmt.Errorf("append to journal: %w", err)
}

// enter hands what a journalled entry means to the state store.
func (t *Till) enter(at journal.Head, d derived) error {
	position, err := put(TableMeta, keyPosition, at)
	if err != nil {
		return err
	}
	j := &journalled{seq: at.Seq, changes: d.changes, position: position}
	t.mu.Lock()
	t.pending = append(slices.Clone(t.pending), j)
	t.mu.Unlock()
	if slices.ContainsFunc(d.changes, func(c Change) bool { return c.Table == TableRight || c.Table == TableUse }) {
		t.rights.changed.Store(true)
	}
	select {
	case t.queue <- j:
		return nil
	case <-t.failed:
		return t.err
	}
}

const (
	queueLength = 512
	batchLength = 64 // entries in one write to the state store
	// writerLag is how long the writer waits for more entries. What waits is in every
	// look all the same; a write for each sale would only take the processor from the
	// next one.
	writerLag = 5 * time.Millisecond
)

// startWriter starts the one goroutine that writes journalled entries to the state
// store, in the order of their numbers from next on, together with the position
// they lead to.
func (t *Till) startWriter(next uint64) {
	t.queue, t.idle = make(chan *journalled, queueLength), make(chan struct{})
	go func() {
		defer close(t.idle)
		early := map[uint64]*journalled{} // came before one with a lower number
		for j := range t.queue {
			early[j.seq] = j
			t.gatherEarly(early)
			for early[next] != nil {
				n, err := t.writeState(early, next)
				if err != nil {
					t.fail(err)
					return
				}
				next += n
			}
		}
	}()
}

// gatherEarly takes more from the queue, until a batch is full, the lag is over, or
// the queue is closed.
func (t *Till) gatherEarly(early map[uint64]*journalled) {
	lag := time.NewTimer(writerLag)
	defer lag.Stop()
	for len(early) < batchLength {
		select {
		case j, open := <-t.queue:
			if !open {
				return
			}
			early[j.seq] = j
		case <-lag.C:
			return
		}
	}
}

// writeState puts a run of entries that begins at next into the state store.
func (t *Till) writeState(early map[uint64]*journalled, next uint64) (uint64, error) {
	var changes []Change
	var n uint64
	var last *journalled
	for size := 0; size < MaxBatchBytes/2; n++ {
		j := early[next+n]
		if j == nil {
			break
		}
		for _, c := range j.changes {
			size += len(c.Key) + len(c.Value)
		}
		changes = append(changes, j.changes...)
		last = j
	}
	if err := t.cfg.State.Apply(context.Background(), append(changes, last.position)); err != nil {
		return 0, fmt.Errorf("write entries %d to %d to the state store: %w", next, next+n-1, err)
	}
	for seq := next; seq < next+n; seq++ {
		delete(early, seq)
	}
	t.mu.Lock()
	t.pending = slices.DeleteFunc(slices.Clone(t.pending), func(j *journalled) bool {
		return j.seq >= next && j.seq < next+n
	})
	t.mu.Unlock()
	return n, nil
}

// Close waits until the state store holds everything journalled, and stops. It
// closes neither the journal nor the store.
func (t *Till) Close() error {
	t.gate.Lock()
	defer t.gate.Unlock()
	if t.queue == nil {
		return t.Err()
	}
	t.open = false
	close(t.queue)
	<-t.idle
	t.queue = nil
	if err := t.Err(); err != nil {
		return err
	}
	if err := t.cfg.State.Sync(context.Background()); err != nil {
		return fmt.Errorf("close till: %w", err)
	}
	return nil
}
