package lan

import (
	"fmt"
	"testing"
	"time"
)

// A lane that moves to another address again and again is still found, and lanes that
// answer or were named are never given up for it.
func TestAddressesThatFellSilentMakeRoom(t *testing.T) {
	p := newPeers([]string{"fixed:1"})
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	meet := func(address string, up bool) {
		p.note(address, func(l *Lane) { l.Up, l.Seen = up, at })
	}
	p.add("stays:1")
	meet("stays:1", true)
	for i := range 3 * maxPeers {
		at = at.Add(time.Hour)
		address := fmt.Sprintf("moves:%d", i)
		p.add(address)
		if p.lanes[address] == nil {
			t.Fatalf("%s is not looked for among %d", address, len(p.lanes))
		}
		meet(address, true)
		p.note(address, func(l *Lane) { l.Up = false })
	}
	if p.lanes["fixed:1"] == nil || p.lanes["stays:1"] == nil || len(p.lanes) > maxPeers {
		t.Errorf("%d are left", len(p.lanes))
	}
}
