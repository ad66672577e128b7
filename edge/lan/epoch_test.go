package lan_test

import (
	"crypto/rand"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/lan"
	"github.com/tallystick/tallystick/sync/wire"
)

// liar is a terminal with a fork in each of the epochs that it makes up.
type liar struct{ *register }

func (l liar) SignedHead() (wire.SignedHead, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hlc++
	hash := sha256.Sum256([]byte{byte(l.hlc)})
	return wire.SignHead(l.signer, wire.Head{V: wire.Version, Terminal: l.id, Epoch: uint32(1 + l.hlc/8), Seq: 1, Hash: hash[:], HLC: l.hlc})
}

func (l liar) shown() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hlc
}

// A lane that makes up epochs, to be found a fork in each, does not fill the journal of
// the lane that looks.
func TestG6_MadeUpEpochsFillNoJournal(t *testing.T) {
	shop := newStore()
	honest, bad := shop.register(t), liar{shop.register(t)}
	first := node(t, honest, "", nil)
	n, err := lan.New(lan.Config{
		Listen: "127.0.0.1:0", Static: []string{first.Addr().String()}, Store: shop.id, Private: bad.signer.Private(), Random: rand.Reader, Terminal: bad,
		HTTP: http.DefaultClient, Clock: shop.clock, Log: slog.New(slog.DiscardHandler),
		Timing: lan.Timing{Exchange: 10 * time.Millisecond, Request: 5 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	until(t, "many heads were shown", func() bool { return bad.shown() >= 160 })
	honest.mu.Lock()
	defer honest.mu.Unlock()
	if len(honest.saw) > 2 {
		t.Errorf("%d entries about one lane", len(honest.saw))
	}
}

// A lane that enrolled again begins at one: what it writes from there is witnessed too.
func TestALaneThatEnrolledAgainIsWitnessed(t *testing.T) {
	shop := newStore()
	one, two := shop.register(t), shop.register(t)
	for range 5 {
		two.write("sale")
	}
	first := node(t, one, "", nil)
	node(t, two, "", nil, first.Addr().String())
	saw := func() int {
		one.mu.Lock()
		defer one.mu.Unlock()
		return len(one.saw)
	}
	until(t, "its head is journalled", func() bool { return saw() == 1 })
	shop.mu.Lock()
	shop.roster[1].Epoch = 2
	shop.mu.Unlock()
	two.mu.Lock()
	two.epoch, two.hashes = 2, two.hashes[:1]
	two.mu.Unlock()
	shop.clock.Advance(10 * time.Minute)
	until(t, "its head of the new epoch is journalled", func() bool { return saw() == 2 })
}
