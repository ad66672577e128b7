package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/store"
)

// listenAgain is how long the bell rests after a failure.
const listenAgain = 2 * time.Second

// quiet is how long the bell rests after it has rung, so that a busy replica does
// not notify for each batch.
const quiet = 10 * time.Millisecond

// bell wakes the other replicas on the database and hears them. It only makes
// things happen earlier: whoever misses it looks by itself soon after.
type bell struct {
	db     *store.DB
	self   string
	topics map[store.Topic]chan struct{}
}

func newBell(db *store.DB) *bell {
	return &bell{db: db, self: newID().String(), topics: map[store.Topic]chan struct{}{
		store.TopicEntries: make(chan struct{}, 1), store.TopicFeed: make(chan struct{}, 1),
	}}
}

// ring has the others told of a topic soon. It never waits.
func (b *bell) ring(topic store.Topic) {
	select {
	case b.topics[topic] <- struct{}{}:
	default:
	}
}

// start begins to tell and to hear; what it returns ends both. On a database that
// nobody shares it does nothing.
func (b *bell) start(heard func(store.Topic), log *slog.Logger) (stop func()) {
	if !b.db.Shared() {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { b.tell(ctx, log) })
	parts.Go(func() { b.hear(ctx, heard, log) })
	return func() {
		cancel()
		parts.Wait()
	}
}

func (b *bell) hear(ctx context.Context, heard func(store.Topic), log *slog.Logger) {
	for ctx.Err() == nil {
		err := b.db.Listen(ctx, b.self, heard, store.TopicEntries, store.TopicFeed)
		if ctx.Err() == nil {
			log.Warn("the database does not notify, listening again", "error", err)
			_ = clock.Wait(ctx, listenAgain) // the loop sees that ctx has ended
		}
	}
}

func (b *bell) tell(ctx context.Context, log *slog.Logger) {
	for {
		var topic store.Topic
		select {
		case <-b.topics[store.TopicEntries]:
			topic = store.TopicEntries
		case <-b.topics[store.TopicFeed]:
			topic = store.TopicFeed
		case <-ctx.Done():
			return
		}
		pause := quiet
		if err := b.db.Notify(ctx, topic, b.self); err != nil && ctx.Err() == nil {
			log.Warn("the other replicas could not be notified, they look by themselves", "error", err)
			pause = listenAgain
		}
		_ = clock.Wait(ctx, pause) // as above
	}
}
