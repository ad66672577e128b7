package syncer_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/proxy"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a terminal, an HQ, and the network between them.
type rig struct {
	hq      *fakeHQ
	proxy   *proxy.Proxy
	journal *memoryJournal
	till    *fakeTill
	service *syncer.Service
}

func newRig(t *testing.T, change ...func(*syncer.Config)) *rig {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = 99
	signer, err := keys.NewSigner(keys.Public{}, seed)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{hq: newFakeHQ(t, signer.Public.Key), journal: &memoryJournal{}}
	r.till = newFakeTill(keys.Set{Version: 1, Keys: []keys.Public{r.hq.signer.Public}})
	r.proxy, err = proxy.Start(t.Context(), "127.0.0.1:0", r.hq.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	cfg := syncer.Config{
		Address: r.proxy.URL(), HQ: testHQ, Store: testStore, Software: "test", Signer: signer,
		HTTP: &http.Client{Transport: &http.Transport{}}, Clock: clock.System{}, Random: rand.Reader,
		Journal: r.journal, Till: r.till, Log: slog.New(slog.DiscardHandler),
		Timing: syncer.Timing{
			BackoffBase: 2 * time.Millisecond, BackoffLimit: 20 * time.Millisecond, Debounce: time.Millisecond,
			PollWait: time.Second, Request: 2 * time.Second, Window: 5 * time.Second,
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	r.service = syncer.New(cfg)
	t.Cleanup(func() {
		r.service.Stop()
		if err := r.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func entries(from, n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "entry %d", from+i)
	}
	return out
}

// sell journals n entries and wakes the service, as the till does.
func (r *rig) sell(n int) {
	r.journal.append(entries(len(r.journal.entries)+1, n)...)
	r.service.Wake()
}

func (r *rig) untilAcked(t *testing.T, seq uint64) {
	t.Helper()
	r.till.until(t, fmt.Sprintf("entry %d acknowledged", seq), func(f *fakeTill) bool { return f.acked.Seq == seq })
}

// sameJournal checks that HQ has exactly the terminal's entries.
func (r *rig) sameJournal(t *testing.T) {
	t.Helper()
	r.hq.mu.Lock()
	defer r.hq.mu.Unlock()
	seq, hash := r.hq.head()
	if want := r.journal.Head(); (journal.Head{Seq: seq, Hash: hash}) != want {
		t.Fatalf("HQ has %d, want %v", seq, want)
	}
}

func TestPushesInBatchesAndPullsTheFeed(t *testing.T) {
	r := newRig(t)
	r.journal.append(entries(1, 730)...)
	r.hq.addPage(wire.Item{Kind: wire.ItemMember, Version: 1, Body: []byte{0xa0}})
	r.service.Start(t.Context())
	r.service.Start(t.Context()) // twice is once
	r.untilAcked(t, 730)
	r.sell(3)
	r.untilAcked(t, 733)
	r.till.until(t, "the page", func(f *fakeTill) bool { return f.items == 1 && f.cursor == "1/1" })
	r.hq.addPage(wire.Item{Kind: wire.ItemMember, Version: 2, Body: []byte{0xa0}})
	r.till.until(t, "the second page", func(f *fakeTill) bool { return f.items == 2 })
	r.sameJournal(t)
	for _, n := range r.hq.sizes {
		if n > 100 {
			t.Fatalf("a batch of %d entries, HQ takes 100", n)
		}
	}
	if s := r.service.State(); s.Mode != syncer.ModeOK || !s.Online || s.AckedSeq != 733 || s.Code != "" {
		t.Fatalf("%+v", s)
	}
	r.service.Stop()
	r.service.Stop()
}

func TestG4_AnswerLostAtAnyByteChangesNothing(t *testing.T) {
	for _, lose := range []int64{0, 1, 17, 120, 200, 400} {
		t.Run(strconv.FormatInt(lose, 10), func(t *testing.T) {
			r := newRig(t)
			r.proxy.SetFault(proxy.Fault{LoseAfter: lose, Times: 3})
			r.journal.append(entries(1, 250)...)
			r.hq.addPage(wire.Item{Kind: wire.ItemMember, Version: 1, Body: []byte{0xa0}})
			r.service.Start(t.Context())
			r.untilAcked(t, 250)
			r.till.until(t, "the page", func(f *fakeTill) bool { return f.items >= 1 })
			r.sameJournal(t)
		})
	}
}

func TestG4_DuplicatedAndDelayedRequests(t *testing.T) {
	r := newRig(t)
	r.proxy.SetFault(proxy.Fault{LoseAfter: -1, Duplicate: true, Delay: 3 * time.Millisecond})
	r.journal.append(entries(1, 250)...)
	r.service.Start(t.Context())
	r.untilAcked(t, 250)
	r.sell(30)
	r.untilAcked(t, 280)
	r.sameJournal(t)
}

func TestG4_CutAndRestored(t *testing.T) {
	r := newRig(t)
	r.service.Start(t.Context())
	r.till.until(t, "online", func(f *fakeTill) bool { return f.online })
	for round := 1; round <= 3; round++ {
		r.proxy.Cut()
		r.till.until(t, "offline", func(f *fakeTill) bool { return !f.online })
		if s := r.service.State(); s.Mode != syncer.ModeOffline || s.Code != problem.Unavailable {
			t.Fatalf("%+v", s)
		}
		r.sell(40)
		if err := r.proxy.Restore(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.untilAcked(t, uint64(round)*40)
		r.till.until(t, "online again", func(f *fakeTill) bool { return f.online })
	}
	r.sameJournal(t)
}

func TestG4_HQRestoredFromABackup(t *testing.T) {
	r := newRig(t)
	r.journal.append(entries(1, 120)...)
	r.service.Start(t.Context())
	r.untilAcked(t, 120)
	r.hq.addPage()
	r.till.until(t, "a cursor of epoch 1", func(f *fakeTill) bool { return f.cursor == "1/1" })
	r.hq.set(func(h *fakeHQ) { h.entries, h.hashes, h.epoch = h.entries[:50], h.hashes[:50], 2 })
	r.hq.addPage()
	// No sale comes: the change of HQ's epoch alone makes the terminal compare heads.
	r.till.until(t, "sent again", func(f *fakeTill) bool { return r.hq.have() == 120 && f.acked.Seq == 120 })
	r.till.until(t, "pulled from the beginning", func(f *fakeTill) bool { return f.cursor == "2/2" })
	r.sameJournal(t)
}

func TestForkStopsThePushAndShows(t *testing.T) {
	for name, foreign := range map[string]int{"another branch": 10, "more than the journal has": 40} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			clone := &memoryJournal{}
			clone.append([]byte("a clone's entry"))
			clone.append(entries(2, foreign-1)...)
			r.hq.set(func(h *fakeHQ) { h.entries, h.hashes = clone.entries, clone.hashes })
			r.journal.append(entries(1, 20)...)
			r.service.Start(t.Context())
			r.till.wait(t, "forked", func() bool { return r.service.State().Mode == syncer.ModeForked })
			r.till.until(t, "pulling goes on", func(f *fakeTill) bool { return f.online })
			if s := r.service.State(); s.Code != problem.JournalFork || r.hq.pushes != 0 {
				t.Fatalf("%+v after %d pushes", s, r.hq.pushes)
			}
		})
	}
}

// After a roll-back HQ first speaks of entries that the journal no longer has. As
// soon as it names a common head, what was sold since goes out, and it still shows.
func TestG5_AForkedJournalIsSentOnceHQNamesACommonHead(t *testing.T) {
	r := newRig(t)
	r.journal.append(entries(1, 20)...)
	clone := &memoryJournal{}
	clone.append(entries(1, 40)...)
	r.hq.set(func(h *fakeHQ) { h.entries, h.hashes = clone.entries, clone.hashes })
	r.service.Start(t.Context())
	r.till.wait(t, "forked", func() bool { return r.service.State().Mode == syncer.ModeForked })
	r.hq.set(func(h *fakeHQ) { h.entries, h.hashes = h.entries[:15], h.hashes[:15] })
	r.till.until(t, "delivered", func(f *fakeTill) bool { return r.hq.have() == 20 && f.acked.Seq == 20 })
	if mode := r.service.State().Mode; mode != syncer.ModeForked {
		t.Errorf("mode %q", mode)
	}
}

// HQ cannot see that two journals differ while this one's head lies beyond all it knows.
func TestG6_HQIsShownTheEntryItContradicts(t *testing.T) {
	r := newRig(t)
	r.journal.append(entries(1, 20)...)
	clone := &memoryJournal{}
	clone.append(entries(101, 12)...)
	r.hq.set(func(h *fakeHQ) { h.entries, h.hashes = clone.entries, clone.hashes })
	r.service.Start(t.Context())
	want := journal.Head{Seq: 12, Hash: r.journal.hashes[11]}
	r.till.wait(t, "the own entry 12 shown", func() bool {
		r.hq.mu.Lock()
		defer r.hq.mu.Unlock()
		return slices.Contains(r.hq.claims, want)
	})
}

// answering makes the fake answer with an error the first n requests below path.
func answering(h *fakeHQ, path string, n int, err *problem.Error) {
	h.set(func(h *fakeHQ) {
		h.answer = func(w http.ResponseWriter, r *http.Request) bool {
			h.mu.Lock()
			defer h.mu.Unlock()
			if r.URL.Path != path || n == 0 {
				return false
			}
			n--
			if err.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(err.RetryAfter))
			}
			h.refuse(w, err)
			return true
		}
	})
}

func TestRevokedStillDelivers(t *testing.T) {
	r := newRig(t)
	answering(r.hq, wire.PathPull, -1, problem.New(problem.TerminalRevoked, ""))
	r.service.Start(t.Context())
	r.till.wait(t, "revoked", func() bool { return r.service.State().Mode == syncer.ModeRevoked })
	r.sell(5)
	r.untilAcked(t, 5)
	if s := r.service.State(); s.Mode != syncer.ModeRevoked || s.Code != problem.TerminalRevoked {
		t.Fatalf("%+v", s)
	}
	r.hq.set(func(h *fakeHQ) { h.answer = nil })
	r.till.wait(t, "taken back", func() bool { return r.service.State().Mode == syncer.ModeOK })
}

func TestTooLargeIsHalved(t *testing.T) {
	r := newRig(t)
	answering(r.hq, wire.PathPush, 3, problem.New(problem.BatchTooLarge, ""))
	r.journal.append(entries(1, 100)...)
	r.service.Start(t.Context())
	r.untilAcked(t, 100)
	if first := r.hq.sizes[0]; first != 12 { // 100, 50 and 25 were refused
		t.Fatalf("first batch taken has %d entries", first)
	}
	r.sameJournal(t)
}

func TestRetryAfterIsALowerBound(t *testing.T) {
	r := newRig(t)
	answering(r.hq, wire.PathPush, 1, &problem.Error{Code: problem.Backpressure, RetryAfter: 1})
	r.journal.append(entries(1, 1)...)
	began := time.Now()
	r.service.Start(t.Context())
	r.untilAcked(t, 1)
	if waited := time.Since(began); waited < time.Second {
		t.Fatalf("sent again after %s", waited)
	}
}

func TestGapAnswerLeadsToAHello(t *testing.T) {
	r := newRig(t)
	answering(r.hq, wire.PathPush, 2, problem.New(problem.BatchGap, ""))
	r.journal.append(entries(1, 10)...)
	r.service.Start(t.Context())
	r.untilAcked(t, 10)
	if r.hq.hellos < 3 {
		t.Fatalf("%d hellos", r.hq.hellos)
	}
}

func TestSilenceEndsBeingOnline(t *testing.T) {
	fake := clock.NewFake(time.Now())
	r := newRig(t, func(c *syncer.Config) {
		c.Clock, c.Timing.Window, c.Timing.PollWait, c.Timing.Request = fake, 20*time.Millisecond, 30*time.Second, time.Minute
	})
	r.service.Start(t.Context())
	r.till.until(t, "online", func(f *fakeTill) bool { return f.online })
	fake.Advance(time.Second)
	r.till.until(t, "offline by silence", func(f *fakeTill) bool { return !f.online })
}

func TestEntriesWithoutAWakeAreSentToo(t *testing.T) {
	r := newRig(t, func(c *syncer.Config) { c.Timing.Window = 40 * time.Millisecond })
	r.sell(1)
	r.service.Start(t.Context())
	r.untilAcked(t, 1)
	r.journal.append(entries(2, 1)...)
	r.untilAcked(t, 2)
}
