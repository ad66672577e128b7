package syncer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestKeysRotateByTheFeed(t *testing.T) {
	r := newRig(t)
	now := time.Now()
	next := testSigner(t, 2, now.Add(-time.Hour), now.Add(time.Hour))
	body, err := wire.Marshal(keys.Set{Version: 2, Keys: []keys.Public{r.hq.signer.Public, next.Public}})
	if err != nil {
		t.Fatal(err)
	}
	r.hq.addPage(wire.Item{Kind: wire.ItemKeys, Version: 2, Body: body})
	r.service.Start(t.Context())
	r.till.until(t, "new keys", func(f *fakeTill) bool { return f.set.Version == 2 })
	r.hq.set(func(h *fakeHQ) { h.signer = next })
	r.sell(2)
	r.untilAcked(t, 2)
}

func TestBelievesNobodyElse(t *testing.T) {
	now := time.Now()
	revoked := testSigner(t, 1, now.Add(-time.Hour), now.Add(time.Hour))
	for name, change := range map[string]func(*rig){
		"forged": func(r *rig) {
			seed := make([]byte, 32)
			forger, _ := keys.NewSigner(r.hq.signer.Public, seed)
			r.hq.signer = forger
		},
		"unknown key": func(r *rig) { r.hq.signer = testSigner(t, 9, now.Add(-time.Hour), now.Add(time.Hour)) },
		"revoked key": func(r *rig) {
			revoked.Public.RevokedAt = now
			r.till.set.Keys = []keys.Public{revoked.Public}
		},
		"key long expired": func(r *rig) {
			r.hq.signer = testSigner(t, 1, now.Add(-2*time.Hour), now.Add(-time.Hour))
			r.till.set.Keys = []keys.Public{r.hq.signer.Public}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			change(r)
			r.journal.append(entries(1, 1)...)
			r.service.Start(t.Context())
			r.till.wait(t, "refused", func() bool { return r.service.State().Mode == syncer.ModeRefused })
			if r.service.State().Online || r.till.items > 0 || r.till.acked.Seq > 0 {
				t.Fatal("a word that is not HQ's counted")
			}
		})
	}
}

func TestWrongClockDoesNotLockOut(t *testing.T) {
	for name, at := range map[string]time.Time{
		"1970": time.Unix(1, 0), "2090": time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			fake := clock.NewFake(at)
			r := newRig(t, func(c *syncer.Config) { c.Clock, c.EnrolledAt = fake, time.Now().Add(-time.Hour) })
			r.till.now = fake.Now
			r.journal.append(entries(1, 3)...)
			r.service.Start(t.Context())
			r.untilAcked(t, 3)
		})
	}
}

func TestForeignAnswersAreNotContact(t *testing.T) {
	r := newRig(t)
	r.hq.set(func(h *fakeHQ) {
		h.answer = func(w http.ResponseWriter, _ *http.Request) bool {
			_, _ = w.Write([]byte("<html>Please accept the terms of this wireless network</html>"))
			return true
		}
	})
	r.service.Start(t.Context())
	r.till.wait(t, "refused", func() bool { return r.service.State().Mode == syncer.ModeRefused })
	if s := r.service.State(); s.Online || !s.LastContact.IsZero() {
		t.Fatalf("%+v", s)
	}
}
