package syncer_test

import (
	"testing"

	"github.com/tallystick/tallystick/sync/wire"
)

// What HQ says is kept as HQ sealed it, so that another lane can check it.
func TestWhatHQSaysIsKeptForOtherLanes(t *testing.T) {
	r := newRig(t)
	r.journal.append(entries(1, 3)...)
	r.service.Start(t.Context())
	r.untilAcked(t, 3)
	domains := func(f *fakeTill) map[string]bool {
		out := map[string]bool{}
		for _, d := range f.said {
			out[d.Domain] = true
		}
		return out
	}
	r.till.until(t, "welcome, receipt and page", func(f *fakeTill) bool { return len(domains(f)) == 3 })
	r.service.Stop()
	defer r.till.lock()()
	for i, d := range r.till.said {
		if at, err := wire.OpenDated(d, testHQ, r.till.set); err != nil || !at.Equal(r.till.saidAt[i]) {
			t.Errorf("%s: %s, kept for %s, %v", d.Domain, at, r.till.saidAt[i], err)
		}
	}
}
