package rounds

import (
	"context"
	"sync"
	"time"
)

// Loop runs rounds in a goroutine between Start and Stop. It is safe for concurrent
// use.
type Loop struct {
	every time.Duration
	round func(ctx context.Context) (more bool)
	wake  chan struct{}

	mu   sync.Mutex
	stop context.CancelFunc
	done chan struct{}
}

// New returns a loop that is not started. A round says whether there may be more to
// do; if not, the next one comes when the loop is woken, or after every at the
// latest: what another process did may wake nobody here.
func New(every time.Duration, round func(ctx context.Context) (more bool)) *Loop {
	return &Loop{every: every, round: round, wake: make(chan struct{}, 1)}
}

// Turn says whether it is this process that does a task which one of several does.
type Turn func(ctx context.Context) (bool, error)

// Elected returns a loop, not started, whose rounds are done when it is this process's
// turn; a nil turn is always its. A round that fails is tried again, and told to failed
// unless it failed because the loop is stopped.
func Elected(every time.Duration, turn Turn, round func(ctx context.Context) error, failed func(error)) *Loop {
	return New(every, func(ctx context.Context) bool {
		mine, err := true, error(nil)
		if turn != nil {
			mine, err = turn(ctx)
		}
		if mine && err == nil {
			err = round(ctx)
		}
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		return false
	})
}

// Start begins the rounds. Starting a loop that runs changes nothing.
func (l *Loop) Start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.done = stop, make(chan struct{})
	go l.run(ctx, l.done)
}

// Stop ends the context of the round that runs and waits until it has ended.
func (l *Loop) Stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop == nil {
		return
	}
	l.stop()
	<-l.done
	l.stop = nil
}

// Wake tells the loop that there is something to do. It never blocks.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Loop) run(ctx context.Context, done chan struct{}) {
	defer close(done)
	look := time.NewTicker(l.every)
	defer look.Stop()
	for ctx.Err() == nil {
		if l.round(ctx) {
			continue
		}
		select {
		case <-l.wake:
		case <-look.C:
		case <-ctx.Done():
		}
	}
}
