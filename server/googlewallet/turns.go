package googlewallet

import (
	"context"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/wallet/google"
)

// mostAhead bounds how far ahead turns are given away. A clock that once ran ahead by more
// holds nobody up: turns begin anew.
const mostAhead = time.Minute

// Turns are those of all processes on one database, so that together they keep to Google's
// limit. Turns are told apart by the processes' clocks: while these begin to differ, what
// they differ by can hold up to twice as many.
type Turns struct{ Store Store }

// Reserve implements google.Turns.
func (t Turns) Reserve(ctx context.Context, now time.Time, r google.Rate) (time.Time, error) {
	at, err := t.Store.ReserveTurn(ctx, now.Add(-r.Burst), now.Add(mostAhead), r.Every)
	if err != nil {
		return time.Time{}, fmt.Errorf("reserve turn at Google: %w", err)
	}
	return at, nil
}
