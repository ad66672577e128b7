package rounds_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/server/rounds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRoundsFollowWhileThereIsMore(t *testing.T) {
	ran := make(chan int)
	n := 0
	loop := rounds.New(time.Hour, func(ctx context.Context) bool {
		n++
		select {
		case ran <- n:
		case <-ctx.Done():
		}
		return n < 3
	})
	loop.Start()
	loop.Start()
	for want := 1; want <= 3; want++ {
		if got := <-ran; got != want {
			t.Fatalf("round %d, want %d", got, want)
		}
	}
	select {
	case got := <-ran:
		t.Fatalf("round %d ran without reason", got)
	default:
	}
	loop.Wake()
	loop.Wake()
	if got := <-ran; got != 4 {
		t.Errorf("woken: round %d", got)
	}
	loop.Stop()
	loop.Stop()
}

func TestALoopLooksByItselfAndStartsAgain(t *testing.T) {
	ran := make(chan struct{}, 1)
	loop := rounds.New(time.Millisecond, func(context.Context) bool {
		select {
		case ran <- struct{}{}:
		default:
		}
		return false
	})
	for range 2 {
		loop.Start()
		<-ran
		<-ran
		loop.Stop()
		select {
		case <-ran:
		default:
		}
	}
	select {
	case <-ran:
		t.Error("a round ran after Stop")
	default:
	}
}

// Stop ends a round that is under way and waits for it.
func TestStopEndsTheRound(t *testing.T) {
	began, ended := make(chan struct{}), false
	loop := rounds.New(time.Hour, func(ctx context.Context) bool {
		close(began)
		<-ctx.Done()
		ended = true
		return true
	})
	loop.Start()
	<-began
	loop.Stop()
	if !ended {
		t.Error("Stop returned before the round had ended")
	}
}

func TestElectedRoundsWaitForTheirTurn(t *testing.T) {
	lost := errors.New("lost")
	told := make(chan error, 1)
	asked, ran := 0, make(chan int)
	turn := func(context.Context) (bool, error) {
		asked++
		if asked == 2 {
			return false, lost // nobody knows whose turn it is
		}
		return asked != 1, nil
	}
	loop := rounds.Elected(time.Millisecond, turn, func(ctx context.Context) error {
		select {
		case ran <- asked:
		case <-ctx.Done():
		}
		return ctx.Err()
	}, func(err error) { told <- err })
	loop.Start()
	if got := <-ran; got != 3 {
		t.Errorf("the first round ran after %d questions", got)
	}
	if err := <-told; !errors.Is(err, lost) {
		t.Errorf("told %v", err)
	}
	loop.Stop() // the round that it ends is no failure
	select {
	case err := <-told:
		t.Errorf("told %v", err)
	default:
	}
}
