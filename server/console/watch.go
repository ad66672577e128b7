package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/tallystick/tallystick/server/rounds"
)

// Topics of what changed.
const (
	TopicEntries    = "entries"    // entries came in or were applied
	TopicFigures    = "figures"    // the figures were counted on
	TopicTerminals  = "terminals"  // terminals or stores changed, or were heard
	TopicExceptions = "exceptions" // there are more exceptions, or fewer
	TopicActs       = "acts"       // a person changed something
	TopicDays       = "days"       // a terminal closed a day, or one was certified
)

// Pulse is numbers by topic that move when there is something new.
type Pulse map[string][]int64

// Pulses takes the pulse of the database, cheaply.
type Pulses interface {
	Pulse(ctx context.Context) (Pulse, error)
}

// Bounds of who watches.
const (
	// MostWatchers of one process.
	MostWatchers = 200
	pulseEvery   = time.Second
)

// Watch tells pages when something changed. It looks once a second while anybody watches,
// and not at all otherwise. It is safe for concurrent use.
type Watch struct {
	*rounds.Loop
	pulses Pulses
	failed func(error)

	mu       sync.Mutex
	watchers map[chan []string]struct{}
	last     Pulse // nil when nobody watched
	stopped  bool
}

// NewWatch returns a watch; it looks from Start until Stop. failed is told of errors; it
// looks again afterwards.
func NewWatch(p Pulses, failed func(error)) *Watch {
	w := &Watch{pulses: p, failed: failed, watchers: map[chan []string]struct{}{}}
	w.Loop = rounds.New(pulseEvery, w.round)
	return w
}

// Open returns where topics that changed arrive, and a function that ends it. A watcher
// that does not take them keeps the newest. ok is false when too many watch, or when
// pages are being let go. The channel is closed when the watcher must go.
func (w *Watch) Open() (changes <-chan []string, end func(), ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || len(w.watchers) >= MostWatchers {
		return nil, func() {}, false
	}
	c := make(chan []string, 1)
	w.watchers[c] = struct{}{}
	return c, func() { w.drop(c) }, true
}

func (w *Watch) drop(c chan []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, open := w.watchers[c]; open {
		delete(w.watchers, c)
		close(c)
	}
}

// Watchers returns how many watch.
func (w *Watch) Watchers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.watchers)
}

// LetGo ends all watchers, and lets nobody watch any more.
func (w *Watch) LetGo() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped = true
	for c := range w.watchers {
		delete(w.watchers, c)
		close(c)
	}
}

// Look takes the pulse and tells who watches what changed since it was last taken.
func (w *Watch) Look(ctx context.Context) error {
	if w.Watchers() == 0 {
		w.mu.Lock()
		w.last = nil
		w.mu.Unlock()
		return nil
	}
	now, err := w.pulses.Pulse(ctx)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var changed []string
	for topic, numbers := range now {
		if w.last != nil && !slices.Equal(w.last[topic], numbers) {
			changed = append(changed, topic)
		}
	}
	w.last = now
	if len(changed) == 0 {
		return nil
	}
	slices.Sort(changed)
	for c := range w.watchers {
		tell(c, changed)
	}
	return nil
}

// tell adds topics to what waits for a watcher.
func tell(c chan []string, changed []string) {
	select {
	case c <- changed:
	case missed := <-c:
		all := slices.Concat(missed, changed)
		slices.Sort(all)
		c <- slices.Compact(all) // only this function sends, under the lock
	}
}

func (w *Watch) round(ctx context.Context) (more bool) {
	if err := w.Look(ctx); err != nil && ctx.Err() == nil {
		w.failed(err)
	}
	return false
}
