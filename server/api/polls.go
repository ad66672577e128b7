package api

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// maxPolls is how many terminals may wait for the feed in one process; who comes
// after them is answered at once.
const maxPolls = 10_000

// errNewerPoll ends a poll whose terminal polls again: the older answer would reach
// nobody, since a terminal polls once at a time.
var errNewerPoll = errors.New("a newer poll of the terminal took the place of this one")

// polls are the terminals that wait, each once.
type polls struct {
	most int

	mu      sync.Mutex
	waiting map[uuid.UUID]*poll
}

type poll struct{ end context.CancelCauseFunc }

func newPolls(most int) *polls { return &polls{most: most, waiting: map[uuid.UUID]*poll{}} }

// begin lets a terminal wait, instead of an older poll of its own. ok is false when
// too many wait. Call done in the end.
func (p *polls) begin(parent context.Context, terminal uuid.UUID) (ctx context.Context, done func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	older := p.waiting[terminal]
	if older == nil && len(p.waiting) >= p.most {
		return parent, func() {}, false
	}
	if older != nil {
		older.end(errNewerPoll)
	}
	ctx, end := context.WithCancelCause(parent)
	mine := &poll{end}
	p.waiting[terminal] = mine
	return ctx, func() {
		end(nil)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waiting[terminal] == mine {
			delete(p.waiting, terminal)
		}
	}, true
}

// count returns how many wait.
func (p *polls) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

// cutShort says why a wait ended that was not to end.
func cutShort(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errNewerPoll) {
		return &problem.Error{Code: problem.TooManyRequests, Detail: errNewerPoll.Error(), RetryAfter: askAgain, Err: err}
	}
	e := problem.Wrap(problem.Unavailable, err, "HQ is stopping")
	e.RetryAfter = 1
	return e
}
