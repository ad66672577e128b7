package till

import (
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// mostSessions is how many cashiers are signed in at once; the one longest idle makes
// room.
const mostSessions = 64

// sessions are the cashiers signed in.
type sessions struct {
	mu   sync.Mutex
	mono func() time.Duration
	open map[uuid.UUID]*openSession
}

type openSession struct {
	Session
	used time.Duration
}

func newSessions(mono func() time.Duration) *sessions {
	return &sessions{mono: mono, open: map[uuid.UUID]*openSession{}}
}

func (s *sessions) begin(id uuid.UUID, who Cashier, training bool, idle time.Duration, now time.Time) Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.open) >= mostSessions {
		var oldest *openSession
		for _, o := range s.open {
			if oldest == nil || o.used < oldest.used {
				oldest = o
			}
		}
		delete(s.open, oldest.ID)
	}
	o := &openSession{Session{ID: id, Cashier: who, Training: training, Idle: idle, EndsAt: now.Add(idle)}, s.mono()}
	s.open[id] = o
	return o.Session
}

func (s *sessions) end(id uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// endOf ends every session of a cashier.
func (s *sessions) endOf(cashier uuid.UUID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, o := range s.open {
		if o.Cashier.ID == cashier {
			delete(s.open, id)
		}
	}
}

// find returns a session that has not been idle for too long; using it keeps it going.
func (s *sessions) find(id uuid.UUID, idle time.Duration, now time.Time, use bool) (Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[id]
	mono := s.mono()
	if o == nil || mono-o.used >= idle {
		delete(s.open, id)
		return Session{}, problem.New(problem.CashierSessionEnded, "")
	}
	if use {
		o.used = mono
	}
	o.Idle, o.EndsAt = idle, now.Add(idle-(mono-o.used))
	return o.Session, nil
}
