package lan

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// Lane is how another lane stands, as this one sees it.
type Lane struct {
	Address  string
	Terminal uuid.UUID // zero until it was reached
	Seen     time.Time // zero until it was reached
	Up       bool      // the last look at it succeeded
	Online   bool      // it reaches HQ by itself
	Seq      uint64    // of its head
	Finding  entry.WitnessFinding
}

// peers are the addresses known, and who was met there. It is safe for concurrent use.
type peers struct {
	mu    sync.Mutex
	lanes map[string]*Lane
	fixed map[string]bool
}

// maxPeers bounds what mDNS can make this lane look after.
const maxPeers = 64

func newPeers(static []string) *peers {
	p := &peers{lanes: map[string]*Lane{}, fixed: map[string]bool{}}
	for _, address := range static {
		p.lanes[address], p.fixed[address] = &Lane{Address: address}, true
	}
	return p
}

// add takes in an address that was discovered. When there are too many it takes the
// place of the one that has been silent longest: lanes change their addresses.
func (p *peers) add(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lanes[address] != nil {
		return
	}
	if len(p.lanes) >= maxPeers {
		silent := p.silent()
		if silent == nil {
			return
		}
		delete(p.lanes, silent.Address)
	}
	p.lanes[address] = &Lane{Address: address}
}

// silent is the discovered lane that answered once and has not for longest.
func (p *peers) silent() *Lane {
	var out *Lane
	for address, l := range p.lanes {
		if !l.Up && !p.fixed[address] && !l.Seen.IsZero() && (out == nil || l.Seen.Before(out.Seen)) {
			out = l
		}
	}
	return out
}

// note keeps the outcome of a look at an address. A discovered address that never
// answered is forgotten.
func (p *peers) note(address string, change func(*Lane)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lane := p.lanes[address]
	if lane == nil {
		return
	}
	change(lane)
	if !lane.Up && lane.Seen.IsZero() && !p.fixed[address] {
		delete(p.lanes, address)
	}
}

// all returns a copy, by address.
func (p *peers) all() []Lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Lane, 0, len(p.lanes))
	for _, lane := range p.lanes {
		out = append(out, *lane)
	}
	slices.SortFunc(out, func(a, b Lane) int {
		if a.Address < b.Address {
			return -1
		}
		return 1
	})
	return out
}

// at returns the address a lane was last met at and answers.
func (p *peers) at(lane uuid.UUID) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for address, l := range p.lanes {
		if l.Terminal == lane && l.Up {
			return address, true
		}
	}
	return "", false
}

// who returns the lane last met at an address.
func (p *peers) who(address string) (uuid.UUID, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[address]
	if l == nil || l.Terminal == uuid.Nil {
		return uuid.Nil, false
	}
	return l.Terminal, true
}

// Lanes returns how the other lanes stand, one row for each address.
func (n *Node) Lanes() []Lane { return n.peers.all() }
