package lan_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/sync/wire"
)

// Lanes show each other what HQ said last, both ways; one that cannot be verified hinders
// nothing else.
func TestLanesShowEachOtherWhatHQSaid(t *testing.T) {
	shop := newStore()
	one, two := shop.register(t), shop.register(t)
	one.said = wire.Dated{Domain: wire.DomainFeed, Sealed: []byte("to one")}
	two.said = wire.Dated{Domain: wire.DomainReceipt, Sealed: []byte("to two")}
	first := node(t, one, "", nil)
	node(t, two, "", nil, first.Addr().String())
	until(t, "each has heard the other's", func() bool { return one.heardOf(two.said) && two.heardOf(one.said) })
	until(t, "heads are exchanged all the same", func() bool { return two.witnessed() == 1 })
}

func (r *register) heardOf(said wire.Dated) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.passedOn, func(d wire.Dated) bool {
		return d.Domain == said.Domain && bytes.Equal(d.Sealed, said.Sealed)
	})
}
