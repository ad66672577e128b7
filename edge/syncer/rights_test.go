package syncer_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// says makes the fake HQ answer one path.
func (h *fakeHQ) says(path string, answer func(body []byte) ([]byte, error)) {
	h.set(func(h *fakeHQ) {
		before := h.more
		h.more = func(r *http.Request, body []byte) ([]byte, error) {
			switch {
			case r.URL.Path == path:
				return answer(body)
			case before != nil:
				return before(r, body)
			}
			return nil, problem.New(problem.NotFound, r.URL.Path)
		}
	})
}

func signedGrant(t *testing.T, signer keys.Signer, right uuid.UUID) wire.Signed {
	t.Helper()
	raw, err := wire.Seal(signer, wire.DomainGrant, wire.Grant{
		V: 1, HQ: testHQ, Right: right, Terminal: testWriter.ID, Epoch: testWriter.Epoch, Amount: 5, GrantedAt: time.Now().UnixMilli(),
	})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := wire.Unmarshal[wire.Signed](raw)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestHQsGrantIsVerified(t *testing.T) {
	r := newRig(t)
	forger := testSigner(t, 1, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	seed := bytes.Repeat([]byte{77}, 32)
	forger, err := keys.NewSigner(forger.Public, seed)
	if err != nil {
		t.Fatal(err)
	}
	asked := wire.AuthoriseRequest{V: 1, Right: uuid.New(), Amount: 5}
	for name, c := range map[string]struct {
		answer wire.AuthoriseAnswer
		err    error // of HQ
		want   problem.Code
	}{
		"a grant":        {wire.AuthoriseAnswer{V: 1, Grant: signedGrant(t, r.hq.signer, asked.Right)}, nil, ""},
		"a refusal":      {wire.AuthoriseAnswer{V: 1, Refused: "points_insufficient", Free: 3}, nil, ""},
		"a forged grant": {wire.AuthoriseAnswer{V: 1, Grant: signedGrant(t, forger, asked.Right)}, nil, problem.Unavailable},
		"no grant":       {wire.AuthoriseAnswer{V: 1}, nil, problem.Unavailable},
		"a problem":      {wire.AuthoriseAnswer{}, problem.New(problem.InvalidField, ""), problem.InvalidField},
	} {
		t.Run(name, func(t *testing.T) {
			r.hq.says(wire.PathAuthorise, func(body []byte) ([]byte, error) {
				got, err := wire.Unmarshal[wire.AuthoriseRequest](body)
				if err != nil || got != asked {
					return nil, problem.Newf(problem.InvalidBody, "%+v, %v", got, err)
				}
				if c.err != nil {
					return nil, c.err
				}
				return wire.Marshal(c.answer)
			})
			got, err := r.service.Authorise(t.Context(), asked)
			if c.want != "" {
				if problem.CodeOf(err) != c.want {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err != nil || got.Refused != c.answer.Refused || got.Free != c.answer.Free || !bytes.Equal(got.Grant.Payload, c.answer.Grant.Payload) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// Whether HQ may have made the right decides what the till does: only what never left
// this machine was certainly not asked.
func TestAQuestionThatWasNotSentSaysSo(t *testing.T) {
	r := newRig(t)
	r.hq.server.Close()
	if err := r.proxy.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.service.Authorise(t.Context(), wire.AuthoriseRequest{V: 1}); !errors.Is(err, till.ErrNotAsked) {
		t.Errorf("nobody listens: %v", err)
	}
	slow := newRig(t)
	answer := make(chan struct{})
	defer close(answer)
	ctx, cancel := context.WithCancel(t.Context())
	slow.hq.says(wire.PathAuthorise, func([]byte) ([]byte, error) {
		cancel() // the till has given up
		<-answer
		return nil, problem.New(problem.Unavailable, "")
	})
	if _, err := slow.service.Authorise(ctx, wire.AuthoriseRequest{V: 1}); err == nil || errors.Is(err, till.ErrNotAsked) {
		t.Errorf("given up after it was sent: %v", err)
	}
}

func TestG4_ARestoredHQIsShownTheGrantsBeforeWhatWasSpent(t *testing.T) {
	r := newRig(t)
	var shown []wire.Signed
	var last, pushedBefore int
	r.hq.says(wire.PathPresent, func(body []byte) ([]byte, error) {
		p, err := wire.Unmarshal[wire.PresentRequest](body)
		if err != nil || p.Epoch != 2 {
			return nil, problem.Newf(problem.InvalidBody, "%+v, %v", p, err)
		}
		shown = append(shown, p.Grants...)
		pushedBefore = r.hq.pushes
		if p.Last {
			last++
		}
		return wire.Marshal(wire.PresentAnswer{V: 1, Taken: len(p.Grants)})
	})
	for range 3 {
		r.till.grants = append(r.till.grants, signedGrant(t, r.hq.signer, uuid.New()))
	}
	r.hq.set(func(h *fakeHQ) { h.epoch = 2 })
	r.journal.append(entries(1, 5)...)
	r.service.Start(t.Context())
	r.till.until(t, "delivered", func(f *fakeTill) bool { return f.acked.Seq == 5 })
	r.service.Stop()
	if len(shown) != 3 || last != 1 || pushedBefore != 0 || r.till.Presented() != 2 {
		t.Errorf("%d grants shown, last %d times, after %d pushes; presented to %d", len(shown), last, pushedBefore, r.till.Presented())
	}
	r.service.Start(t.Context())
	r.journal.append(entries(6, 1)...)
	r.service.Wake()
	r.till.until(t, "delivered", func(f *fakeTill) bool { return f.acked.Seq == 6 })
	r.service.Stop()
	if last != 1 {
		t.Errorf("presented %d times", last)
	}
}

// An HQ that was never restored, or does not know the question, gets the journal at once.
func TestNothingIsPresentedToAnHQThatDoesNotAsk(t *testing.T) {
	for epoch, hq := range map[uint32]string{1: "first epoch", 3: "older release"} {
		r := newRig(t)
		r.hq.set(func(h *fakeHQ) { h.epoch = epoch })
		r.journal.append(entries(1, 5)...)
		r.service.Start(t.Context())
		r.till.until(t, hq, func(f *fakeTill) bool { return f.acked.Seq == 5 })
		r.service.Stop()
	}
}

func TestG6_TheTillHearsWhatHQSaysOfIt(t *testing.T) {
	clone := &memoryJournal{}
	clone.append(entries(101, 12)...)
	for name, c := range map[string]struct {
		hq    func(*fakeHQ)
		heard func(*fakeTill) bool
	}{
		"a fork": {func(h *fakeHQ) { h.entries, h.hashes = clone.entries, clone.hashes }, func(f *fakeTill) bool {
			return len(f.contradicted) > 0 && f.contradicted[0] == 12
		}},
		"a refusal for a fork": {func(h *fakeHQ) { h.answer = refuses(wire.PathHello, problem.JournalFork, h) }, func(f *fakeTill) bool {
			return len(f.contradicted) > 0 && f.contradicted[0] == 0
		}},
		"quarantine": {func(h *fakeHQ) { h.answer = refuses(wire.PathPull, problem.TerminalQuarantined, h) }, func(f *fakeTill) bool {
			return f.suspended == problem.TerminalQuarantined
		}},
		"revocation": {func(h *fakeHQ) { h.answer = refuses(wire.PathPull, problem.TerminalRevoked, h) }, func(f *fakeTill) bool {
			return f.suspended == problem.TerminalRevoked
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.journal.append(entries(1, 20)...)
			r.hq.set(c.hq)
			r.service.Start(t.Context())
			r.till.until(t, name, c.heard)
		})
	}
}

// refuses answers a path with a problem.
func refuses(path string, code problem.Code, h *fakeHQ) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		h.refuse(w, problem.New(code, ""))
		return true
	}
}

// After a restore a terminal that is shut out, or shows what HQ does not take, delivers
// its journal like any other.
func TestG5_WhatIsNotTakenFromAPresenterStopsNoFact(t *testing.T) {
	for _, why := range []problem.Code{problem.TerminalRevoked, problem.TerminalQuarantined, problem.InvalidField, problem.NotFound} {
		t.Run(string(why), func(t *testing.T) {
			r := newRig(t)
			r.hq.says(wire.PathPresent, func([]byte) ([]byte, error) { return nil, problem.New(why, "") })
			r.till.grants = append(r.till.grants, signedGrant(t, r.hq.signer, uuid.New()))
			r.hq.set(func(h *fakeHQ) { h.epoch = 2 })
			r.journal.append(entries(1, 5)...)
			r.service.Start(t.Context())
			r.till.until(t, "delivered", func(f *fakeTill) bool { return f.acked.Seq == 5 })
			r.service.Stop()
			if r.till.Presented() != 0 {
				t.Error("it is noted as presented")
			}
		})
	}
}
