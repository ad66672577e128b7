package google

import (
	"context"
	"sync"
	"time"
)

// Rate is how many requests go out: one Every so long, after a Burst in which they need
// not wait.
type Rate struct {
	Every, Burst time.Duration
}

// Limit is what Google asks of an issuer, whichever process speaks for it.
func Limit() Rate { return Rate{Every: time.Second / PerSecond, Burst: time.Second / 4} }

// Turns gives requests their turns.
type Turns interface {
	// Reserve takes the next turn and returns when it comes; in the past is at once. A
	// request that is given up keeps its turn.
	Reserve(ctx context.Context, now time.Time, r Rate) (time.Time, error)
}

// ownTurns are the turns of one process that speaks for the issuer alone.
type ownTurns struct {
	mu   sync.Mutex
	next time.Time // when the request after those promised may go
}

// Reserve implements Turns.
func (o *ownTurns) Reserve(_ context.Context, now time.Time, r Rate) (time.Time, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if earliest := now.Add(-r.Burst); o.next.Before(earliest) {
		o.next = earliest
	}
	at := o.next
	o.next = at.Add(r.Every)
	return at, nil
}

// bucket lets requests through when their turn comes. It is safe for concurrent use.
type bucket struct {
	turns Turns
	now   func() time.Time
	sleep func(ctx context.Context, d time.Duration) error
}

// take waits for this request's turn.
func (b *bucket) take(ctx context.Context) error {
	now := b.now()
	at, err := b.turns.Reserve(ctx, now, Limit())
	switch wait := at.Sub(now); {
	case err != nil && ctx.Err() == nil:
		return &Failure{Kind: Later, Reason: "no turn could be had", cause: err}
	case err != nil || wait <= 0:
		return ctx.Err()
	default:
		return b.sleep(ctx, wait)
	}
}
