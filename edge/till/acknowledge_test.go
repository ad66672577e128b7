package till_test

import (
	"context"
	"testing"

	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// A sale that waits for HQ while a smaller share comes is decided under the smaller one:
// HQ counts on it from the note on.
func TestG2_NothingAfterTheNoteIsDecidedUnderTheOldShare(t *testing.T) {
	s, h := newOnlineShop(t, func(s *shop) { s.Policy.PerStore = 9000 })
	s.Feed(t, s.till, s.Share(t, 500, 9))
	s.tend(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	h.say = func(context.Context, wire.AuthoriseRequest) (wire.AuthoriseAnswer, error) {
		close(asked)
		<-answer
		return wire.AuthoriseAnswer{}, problem.New(problem.NotFound, "")
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.till.Commit(context.Background(), tilltest.Commit("a", s.buy(t, 20_000, points(s.five, 3))))
		done <- err
	}()
	<-asked
	s.Feed(t, s.till, s.Share(t, 200, 9))
	s.tend(t)
	close(answer)
	wantCode(t, <-done, problem.CapTerminal)
}
