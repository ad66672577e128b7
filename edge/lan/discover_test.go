package lan_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/lan"
)

// TestLanesFindEachOther needs a network that carries multicast.
func TestLanesFindEachOther(t *testing.T) {
	shop := newStore()
	one, two := shop.register(t), shop.register(t)
	var nodes []*lan.Node
	for _, r := range []*register{one, two} {
		n, err := lan.New(lan.Config{
			Listen: "127.0.0.1:0", Discover: true, Store: shop.id, Private: r.signer.Private(), Random: rand.Reader, Terminal: r,
			HTTP: http.DefaultClient, Clock: shop.clock, Log: slog.New(slog.DiscardHandler),
			Timing: lan.Timing{Exchange: 20 * time.Millisecond, Discover: 100 * time.Millisecond, Request: 5 * time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Start(t.Context()); err != nil {
			t.Skipf("this machine has no multicast: %v", err)
		}
		t.Cleanup(n.Stop)
		nodes = append(nodes, n)
	}
	deadline := time.Now().Add(10 * time.Second)
	for !up(nodes[0], two.id) || !up(nodes[1], one.id) {
		if time.Now().After(deadline) {
			t.Skip("announcements do not come through on this machine")
		}
		time.Sleep(10 * time.Millisecond)
	}
}
