package print

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

// MaxQueue is how many receipts wait for the printer; the next one is refused.
const MaxQueue = 16

// State is how the printer was when it was last used.
type State struct {
	Queue int       // receipts waiting or being printed
	At    time.Time // of the last try; zero: none yet
	Err   error     // of the last try; nil: it printed
}

// Service prints receipts one after the other. It is safe for concurrent use.
type Service struct {
	transport Transport
	now       func() time.Time
	changed   func(State)
	jobs      chan job
	ctx       context.Context
	cancel    context.CancelFunc
	ended     chan struct{}

	mu      sync.Mutex
	state   State
	stopped bool
}

type job struct {
	bytes []byte
	done  func(error) // must return at once
}

// Start makes a service and starts its one goroutine, which ends with Stop. changed is
// called after each try, and must return at once.
func Start(transport Transport, now func() time.Time, changed func(State)) *Service {
	s := &Service{transport: transport, now: now, changed: changed, jobs: make(chan job, MaxQueue), ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s
}

func (s *Service) run() {
	defer close(s.ended)
	for j := range s.jobs {
		err := s.ctx.Err()
		if err == nil {
			err = s.transport.Send(s.ctx, j.bytes)
		}
		s.mu.Lock()
		s.state.Queue--
		s.state.At, s.state.Err = s.now(), err
		state := s.state
		s.mu.Unlock()
		j.done(err)
		s.changed(state)
	}
}

// Put queues a receipt and returns at once. failed is called when it could not be printed.
func (s *Service) Put(receipt []byte, failed func()) error {
	return s.put(job{receipt, func(err error) {
		if err != nil {
			failed()
		}
	}})
}

func (s *Service) put(j job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return problem.New(problem.PrinterAway, "the agent is stopping")
	}
	select {
	case s.jobs <- j:
		s.state.Queue++
		return nil
	default:
		return problem.Newf(problem.PrinterBusy, "%d receipts wait", s.state.Queue)
	}
}

// Print queues a receipt and waits until the printer has taken it, or ctx ends; then it may
// still be printed later.
func (s *Service) Print(ctx context.Context, receipt []byte) error {
	done := make(chan error, 1)
	err := s.put(job{receipt, func(err error) { done <- err }})
	if err != nil {
		return err
	}
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return problem.Wrap(problem.PrinterAway, err, "the printer takes too long; the receipt may still come")
	case err != nil:
		return problem.Wrap(problem.PrinterAway, err, err.Error())
	}
	return nil
}

// State tells how the printer is.
func (s *Service) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Stop ends the service: what is being printed may go on until ctx ends, what waits is
// dropped. It may be called more than once.
func (s *Service) Stop(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopped {
		s.stopped = true
		s.cancel()
		close(s.jobs)
	}
	s.mu.Unlock()
	select {
	case <-s.ended:
		return nil
	case <-ctx.Done():
		return errors.New("the printer holds the agent up: " + ctx.Err().Error())
	}
}
