package till

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// tries counts wrong guesses of one secret (TableTries). Times are Unix milliseconds.
type tries struct {
	Wrong uint32 `cbor:"1,keyasint"`
	Last  int64  `cbor:"2,keyasint"`
	Until int64  `cbor:"3,keyasint,omitempty"` // no guess is looked at before
}

// patience is how many wrong guesses are let through before each further one makes
// the next wait: first, then twice as long each time, at most longest. After forget
// without a wrong one all is as new.
type patience struct {
	free                   uint32
	first, longest, forget time.Duration
}

// How wrong guesses are slowed. Of the cashiers of a terminal together more are let
// through, and nobody waits long for the mistakes of others.
var (
	patienceCashier  = patience{free: 5, first: 30 * time.Second, longest: time.Hour, forget: 24 * time.Hour}
	patienceTerminal = patience{free: 20, first: 30 * time.Second, longest: 5 * time.Minute, forget: time.Hour}
	patienceCards    = patience{free: 10, first: time.Minute, longest: time.Hour, forget: 6 * time.Hour}
)

// wait is how long no guess is looked at.
func (t tries) wait(now time.Time) time.Duration {
	return max(0, time.Duration(t.Until-now.UnixMilli())*time.Millisecond)
}

// missed counts one more wrong guess.
func (t tries) missed(now time.Time, p patience) tries {
	at := now.UnixMilli()
	if at-t.Last > p.forget.Milliseconds() {
		t = tries{}
	}
	t.Wrong, t.Last = min(t.Wrong+1, 1<<20), at
	if t.Wrong >= p.free {
		wait := p.longest
		if doubled := t.Wrong - p.free; doubled < 16 {
			wait = min(wait, p.first<<doubled)
		}
		t.Until = at + wait.Milliseconds()
	}
	return t
}

// Keys of TableTries.
var (
	triesTerminal = []byte("pin")
	triesCards    = []byte("cards")
)

func triesCashier(id uuid.UUID) []byte { return key(triesTerminal, id[:]) }

// guess is one secret that is being guessed.
type guess struct {
	key      []byte
	patience patience
	code     problem.Code // of the refusal while it is locked
}

// mayGuess refuses while one of the guesses must wait.
func (t *Till) mayGuess(ctx context.Context, guesses ...guess) error {
	now, _ := t.time.now()
	return t.look(ctx, func(l look) error {
		for _, g := range guesses {
			before, _, err := get[tries](l, TableTries, g.key)
			if err != nil {
				return err
			}
			if wait := before.wait(now); wait > 0 {
				locked := problem.Newf(g.code, "%d wrong", before.Wrong)
				locked.RetryAfter = int((wait + time.Second - 1) / time.Second)
				return locked
			}
		}
		return nil
	})
}

// guessedWrong counts a wrong guess. It is in the state store before the answer, so a
// restart forgets none; a cache that is thrown away does.
func (t *Till) guessedWrong(ctx context.Context, guesses ...guess) error {
	now, _ := t.time.now()
	var changes []Change
	err := t.look(ctx, func(l look) error {
		for _, g := range guesses {
			before, _, err := get[tries](l, TableTries, g.key)
			if err != nil {
				return err
			}
			c, err := put(TableTries, g.key, before.missed(now, g.patience))
			if err != nil {
				return err
			}
			changes = append(changes, c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.applyTries(ctx, changes...)
}

func (t *Till) applyTries(ctx context.Context, changes ...Change) error {
	if err := t.cfg.State.Apply(context.WithoutCancel(ctx), changes); err != nil {
		t.fail(err)
		return problem.Wrap(problem.JournalStopped, fmt.Errorf("count guesses: %w", err), "")
	}
	return nil
}
