package syncer

import (
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
)

// Mode is how the terminal stands with HQ.
type Mode string

// Modes.
const (
	ModeStarting    Mode = "starting"    // HQ has not answered since the start
	ModeOK          Mode = "ok"          // HQ's last answer was good
	ModeOffline     Mode = "offline"     // HQ cannot be reached
	ModeRefused     Mode = "refused"     // HQ answers, but refuses; Code says why
	ModeForked      Mode = "forked"      // HQ has seen another branch of this journal
	ModeRevoked     Mode = "revoked"     // the journal still goes out, nothing comes in
	ModeQuarantined Mode = "quarantined" // the same, until it enrols again
)

// State is how the sync stands at one moment.
type State struct {
	Mode   Mode
	Online bool
	// Code of the last failure; empty after a success.
	Code problem.Code
	// LastContact is when HQ last said something that was verified.
	LastContact time.Time
	// AckedSeq is the last entry HQ has confirmed in this session's receipts.
	AckedSeq uint64
}

// board holds the state that both loops write. It is safe for concurrent use.
type board struct {
	clock   clock.Clock
	window  time.Duration
	changed func(State)

	mu    sync.Mutex
	state State
	// told is what changed was last called with.
	told State
	// reachable is false from a failure to reach HQ until the next contact.
	reachable bool
	// contact is closed and made anew at each contact, to end the other loop's wait.
	contact chan struct{}
}

func newBoard(c clock.Clock, window time.Duration, changed func(State)) *board {
	return &board{
		clock: c, window: window, changed: changed,
		state: State{Mode: ModeStarting}, contact: make(chan struct{}),
	}
}

// snapshot returns the state now: being online also ends by silence.
func (b *board) snapshot() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current()
}

func (b *board) current() State {
	s := b.state
	age := b.clock.Now().Sub(s.LastContact)
	s.Online = b.reachable && !s.LastContact.IsZero() && age <= b.window
	if s.Mode == ModeOK && !s.Online {
		s.Mode = ModeOffline
	}
	return s
}

// heard notes a verified word of HQ. Standing modes (forked, revoked, quarantined)
// are HQ's or the journal's own verdict and stay.
func (b *board) heard() {
	b.update(func(s *State) {
		s.LastContact = b.clock.Now()
		if !standing(s.Mode) {
			s.Mode, s.Code = ModeOK, ""
		}
		if !b.reachable {
			close(b.contact)
			b.contact = make(chan struct{})
		}
		b.reachable = true
	})
}

// failed notes a failure.
func (b *board) failed(err error, mode Mode) {
	b.update(func(s *State) {
		if mode == ModeOffline {
			b.reachable = false
		}
		if !standing(s.Mode) || standing(mode) {
			s.Mode, s.Code = mode, problem.CodeOf(err)
			if mode == ModeOffline {
				s.Code = problem.Unavailable
			}
		}
	})
}

// cleared ends a standing mode that HQ itself has taken back.
func (b *board) cleared(mode Mode) {
	b.update(func(s *State) {
		if s.Mode == mode {
			s.Mode, s.Code = ModeOK, ""
		}
	})
}

func (b *board) acked(seq uint64) { b.update(func(s *State) { s.AckedSeq = seq }) }

// look tells a change that came by time alone: HQ has been silent for too long.
func (b *board) look() { b.update(func(*State) {}) }

// update makes a change and tells it, in the order in which changes were made:
// changed is called under the lock and must not call back.
func (b *board) update(change func(*State)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.state)
	now := b.current()
	told := b.told
	told.LastContact = now.LastContact // alone, it is not a change worth telling
	if told != now {
		b.told = now
		b.changed(now)
	}
}

// back returns a channel that is closed when HQ is in reach again.
func (b *board) back() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.contact
}

func standing(m Mode) bool { return m == ModeForked || m == ModeRevoked || m == ModeQuarantined }
