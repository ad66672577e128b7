package pass

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

const (
	// How long is waited before the next try, doubling from firstWait (or UrgentGap, when
	// that is shorter) to longestWait; after mostAttempts, eight days, it is given
	// up until the pass changes again: a certificate that ended is put right before that.
	firstWait    = 5 * time.Second
	longestWait  = time.Hour
	mostAttempts = 200
)

// crowd is how many of a channel's queue are read together, and how many of them are
// under way. Makers of wallets take few a second (Google 20), so their crowd is small: what
// waits for them keeps no phone waiting, and a process that ends has little to say again.
type crowd struct{ read, underWay int }

func crowdOf(ch Channel) crowd {
	if ch == Apple {
		return crowd{2000, 128}
	}
	return crowd{200, 16}
}

// PushRound tells those of a channel who are due. More says that there may be more.
func (s *Service) PushRound(ctx context.Context, ch Channel) (more bool, err error) {
	of := crowdOf(ch)
	due, err := s.o.Store.PushesDue(ctx, ch, s.now(), of.read)
	if err != nil || len(due) == 0 {
		return false, err
	}
	results := make([]Result, len(due))
	next := make(chan int)
	var tellers sync.WaitGroup
	for range min(of.underWay, len(due)) {
		tellers.Go(func() {
			for i := range next {
				results[i] = s.tell(ctx, due[i])
			}
		})
	}
	for i := range due {
		next <- i
	}
	close(next)
	tellers.Wait()
	if ctx.Err() != nil {
		return false, ctx.Err() // what was told is told again: nobody minds
	}
	return len(due) == of.read, s.took(ctx, due, results)
}

// tell tells one target.
func (s *Service) tell(ctx context.Context, p Push) Result {
	switch {
	case p.Channel == Apple && s.o.Push != nil:
		return s.o.Push.Push(ctx, p.Token)
	case s.wallet(p.Channel) != nil:
		k, ok := ParseSerial(p.Token)
		if !ok {
			return Result{Outcome: Failed, Reason: "the serial cannot be read"}
		}
		c, _, err := s.card(ctx, k)
		if err != nil {
			if problem.CodeOf(err) == problem.NotFound {
				return Result{Outcome: Failed, Reason: "the pass is gone"}
			}
			return Result{Outcome: Later, Reason: err.Error()}
		}
		return s.wallet(p.Channel).Put(ctx, c)
	}
	return Result{Outcome: Failed, Reason: "there is no account for " + p.Channel.String()}
}

// took writes what became of pushes.
func (s *Service) took(ctx context.Context, due []Push, results []Result) error {
	now := s.now()
	var told [][32]byte
	var gone []lostPhone
	var marks []Mark
	for i, r := range results {
		p := &due[i]
		p.DueAt, p.Failure = time.Time{}, r.Reason
		switch r.Outcome {
		case Done:
			p.PushedAt, p.Attempts, p.Failure = now, 0, ""
			if p.Channel == Apple {
				told = append(told, [32]byte(p.Target))
			} else if k, ok := ParseSerial(p.Token); ok {
				marks = append(marks, Mark{k, Marks{PushedAt: now, FetchedAt: now, FetchedTag: p.Wanted}})
			}
		case Gone:
			p.Attempts = 0
			if p.Channel == Apple {
				gone = append(gone, lostPhone{[32]byte(p.Target), *p, r})
			}
		case Later:
			p.Attempts++
			p.DueAt = now.Add(waitFor(p.Attempts, min(firstWait, s.o.Settings.UrgentGap), r.After))
			if p.Attempts >= mostAttempts && p.Channel == Apple { // others have no phone that may be gone
				p.DueAt, p.Attempts = time.Time{}, 0
			}
		default:
			p.Attempts = 0
		}
	}
	if err := s.o.Store.SetPushes(ctx, due); err != nil {
		return fmt.Errorf("write pushes: %w", err)
	}
	if err := s.drop(ctx, gone); err != nil {
		return err
	}
	on, err := s.o.Store.RegistrationsOn(ctx, told)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	for _, r := range on {
		marks = append(marks, Mark{r.Key, Marks{PushedAt: now}})
	}
	return s.o.Store.MarkPasses(ctx, lastMarks(marks))
}

// waitFor is how long to wait after so many attempts in a row, the first time first;
// asked is what the other side asked for.
func waitFor(attempts int, first, asked time.Duration) time.Duration {
	wait := first << min(attempts-1, 20)
	return min(max(wait, asked), longestWait)
}
