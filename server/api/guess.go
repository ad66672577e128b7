package api

import (
	"net/netip"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
)

// Limits on wrong enrolment codes. A code has 80 random bits; these keep guessers
// from keeping the database busy.
const (
	freeGuesses      = 10  // from one address, before each further one waits longer
	guessesPerSecond = 100 // from everywhere
)

// guesses counts wrong enrolment codes in one process.
type guesses struct {
	each people.Throttle

	mu     sync.Mutex
	second int64
	count  int
}

// allow refuses the next try while an address, or everybody, has guessed too often.
func (g *guesses) allow(address string, now time.Time) error {
	wait := g.each.Wait(network(address), now)
	if wait <= 0 && g.inAll(now, 0) < guessesPerSecond {
		return nil
	}
	return &problem.Error{
		Code: problem.TooManyRequests, Detail: "too many wrong enrolment codes", RetryAfter: max(1, int((wait+time.Second-1)/time.Second)),
	}
}

// wrong counts one.
func (g *guesses) wrong(address string, now time.Time) {
	g.each.Fail(network(address), freeGuesses, now)
	g.inAll(now, 1)
}

// inAll adds to the guesses of this second and returns how many there were.
func (g *guesses) inAll(now time.Time, n int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Unix() != g.second {
		g.second, g.count = now.Unix(), 0
	}
	g.count += n
	return g.count
}

// network is what one guesser has: an address, or with IPv6 64 bits of them.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return prefix.String()
}
