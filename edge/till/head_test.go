package till_test

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// A head shown before a restart may arrive after one shown later. That accuses nobody,
// although the later one has more entries and the clock that the first was stamped by,
// here another lane's, is forgotten.
func TestG6_ARestartAccusesNobody(t *testing.T) {
	s := newShop(t, nil)
	head := func() wire.Head {
		t.Helper()
		signed, err := s.till.SignedHead()
		if err != nil {
			t.Fatal(err)
		}
		h, err := wire.OpenHead(s.Own.Public.Key, signed)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	last := head()
	for i, ahead := range []time.Duration{0, time.Second, 3 * time.Hour} {
		s.till.HLC(uint64(clock.NewStamp(clock.Stamp(last.HLC).Time().Add(ahead), 0)))
		before := head()
		s.reboot(t, false)
		s.commit(t, string(rune('a'+i)), s.buy(t, 1000))
		last = head()
		if found := wire.Contradicts(last, before); found != entry.WitnessSeen || last.HLC <= before.HLC {
			t.Errorf("%s after %s: %s (entries %d, %d)", clock.Stamp(last.HLC).Time(), clock.Stamp(before.HLC).Time(), found, last.Seq, before.Seq)
		}
	}
}
