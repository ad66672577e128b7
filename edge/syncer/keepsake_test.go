package syncer_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/sync/wire"
)

// drawer is what a terminal keeps, in memory.
type drawer struct {
	mu                 sync.Mutex
	enrolment, witness []byte
}

func (d *drawer) Enrolment() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.enrolment
}

func (d *drawer) Witness() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.witness
}

func (d *drawer) Keep(enrolment, witness []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enrolment, d.witness = append(d.enrolment[:0:0], enrolment...), append(d.witness[:0:0], witness...)
}

// A time that HQ has signed is not forgotten at a restart: with a clock that is
// wrong, what HQ says of an earlier time is not believed. What HQ has not signed is
// no such time.
func TestHQsSignedTimeOutlivesARestart(t *testing.T) {
	now := time.Now()
	hq := testSigner(t, 1, now.Add(-24*time.Hour), now.Add(24*time.Hour))
	forger := testSigner(t, 9, now.Add(-24*time.Hour), now.Add(24*time.Hour))
	forger.Public.ID = 1
	seal := func(by func() ([]byte, error)) []byte {
		raw, err := by()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	heads := wire.Heads{V: 1, HQ: testHQ, HQEpoch: 1, At: now.Add(time.Hour).UnixMilli()}
	for name, c := range map[string]struct {
		witness  []byte
		believed bool
	}{
		"nothing kept": {nil, true},
		"kept":         {seal(func() ([]byte, error) { return wire.Seal(hq, wire.DomainHeads, heads) }), false},
		"forged":       {seal(func() ([]byte, error) { return wire.Seal(forger, wire.DomainHeads, heads) }), true},
		"damaged":      {[]byte{1, 2, 3}, true},
	} {
		t.Run(name, func(t *testing.T) {
			fake := clock.NewFake(time.Unix(1, 0))
			r := newRig(t, func(cfg *syncer.Config) {
				cfg.Clock, cfg.EnrolledAt, cfg.Kept = fake, now.Add(-time.Hour), &drawer{witness: c.witness}
			})
			r.till.now = fake.Now
			r.journal.append(entries(1, 1)...)
			r.service.Start(t.Context())
			if c.believed {
				r.untilAcked(t, 1)
				return
			}
			r.till.wait(t, "refused", func() bool { return r.service.State().Mode == syncer.ModeRefused })
		})
	}
}
