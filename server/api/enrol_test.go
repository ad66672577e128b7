package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestAnEnrolmentCodeWorksOnceAndForOneKey(t *testing.T) {
	r := newRig(t)
	l := r.newTerminal(r.made("/api/v1/stores", storeBody), "lane")
	first := l.enrol(11)
	if first.status != http.StatusOK || l.epoch != 1 {
		t.Fatalf("%d %s, epoch %d", first.status, first.body, l.epoch)
	}
	if again := l.enrol(11); again.status != http.StatusOK || l.epoch != 1 {
		t.Errorf("the same key again, its answer lost: %d %s, epoch %d", again.status, again.body, l.epoch)
	}
	if a := l.enrol(12); a.code() != problem.EnrolCodeInvalid {
		t.Errorf("another key: %d %s", a.status, a.body)
	}
	l.code = "0000-0000-0000-0000"
	if a := l.enrol(12); a.code() != problem.EnrolCodeInvalid {
		t.Errorf("a code nobody made: %d %s", a.status, a.body)
	}
	l.code = r.freshCode(l.id)
	if a := l.enrol(11); a.code() != problem.EnrolCodeInvalid {
		t.Errorf("a new code with an old key: %d %s", a.status, a.body)
	}
	l.code = strings.ToLower(strings.ReplaceAll(l.code, "-", " "))
	if a := l.enrol(13); a.status != http.StatusOK || l.epoch != 2 {
		t.Errorf("a new code, typed badly, with a new key: %d %s, epoch %d", a.status, a.body, l.epoch)
	}
}

func (r *rig) freshCode(terminal uuid.UUID) string {
	r.t.Helper()
	var made struct{ Code string }
	r.do(call{method: "POST", path: "/api/v1/terminals/" + terminal.String() + "/enrolment-codes"}).into(r.t, &made)
	return made.Code
}

func TestAnEnrolmentCodeEnds(t *testing.T) {
	r := newRig(t)
	l := r.newTerminal(r.made("/api/v1/stores", storeBody), "lane")
	old := l.code
	l.code = r.freshCode(l.id)
	fresh := l.code
	if l.code = old; l.enrol(11).code() != problem.EnrolCodeInvalid {
		t.Error("a code works after a newer one was made")
	}
	r.clock.Advance(10 * time.Minute)
	if l.code = fresh; l.enrol(11).code() != problem.EnrolCodeInvalid {
		t.Error("a code works after ten minutes")
	}
	l.code = r.freshCode(l.id)
	r.do(call{method: "POST", path: "/api/v1/terminals/" + l.id.String() + "/revoke"})
	if l.enrol(11).code() != problem.EnrolCodeInvalid {
		t.Error("a code works after its terminal was revoked")
	}
}

func TestOneOfManyWinsAnEnrolmentCode(t *testing.T) { oneCodeForMany(newRig(t)) }

func oneCodeForMany(r *rig) {
	t := r.t
	l := r.newTerminal(r.made("/api/v1/stores", storeBody), "lane")
	var all sync.WaitGroup
	won := make([]bool, 8)
	for i := range won {
		racer := &lane{r: r, id: l.id, code: l.code}
		all.Go(func() { won[i] = racer.enrol(byte(20+i)).status == http.StatusOK })
	}
	all.Wait()
	winners := 0
	for _, w := range won {
		if w {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d terminals came out of one code", winners)
	}
}

func TestEnrolmentNeedsPossessionOfItsKey(t *testing.T) {
	r := newRig(t)
	l := r.newTerminal(r.made("/api/v1/stores", storeBody), "lane")
	l.newKey(11)
	stranger := *l
	stranger.newKey(12)
	raw, err := wire.Marshal(wire.EnrolRequest{
		V: wire.Version, Code: l.code, PublicKey: l.signer.Public.Key,
		Signature: stranger.signer.Sign(wire.DomainEnrol, append([]byte(l.code), l.signer.Public.Key...)),
	})
	r.must(err)
	if a := l.raw("POST", wire.PathEnrol, raw, nil); a.code() != problem.ProofInvalid {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := l.enrol(11); a.status != http.StatusOK {
		t.Errorf("the code was used up by a forgery: %d %s", a.status, a.body)
	}
}

// Only reinstating undoes a revocation: no code does, made before it, while it went on
// or after it.
func TestARevokedTerminalStaysOutUntilReinstated(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 11)
	at := "/api/v1/terminals/" + l.id.String()
	pull := func() problem.Code { return l.proven("GET", wire.PathPull, nil).code() }
	if code := pull(); code != "" {
		t.Fatalf("enrolled: %s", code)
	}
	l.code = r.freshCode(l.id)
	r.do(call{method: "POST", path: at + "/revoke"})
	if a := l.enrol(12); a.code() != problem.EnrolCodeInvalid {
		t.Errorf("a code made before: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "POST", path: at + "/enrolment-codes"}); a.code() != problem.TerminalRevoked {
		t.Errorf("a code made after: %d %s", a.status, a.body)
	}
	l.newKey(11)
	if code := pull(); code != problem.TerminalRevoked {
		t.Errorf("revoked: %q", code)
	}
	back := func() answer { return r.do(call{method: "POST", path: at + "/reinstate"}) }
	r.as("operations", func() {
		if a := back(); a.code() != problem.Forbidden {
			t.Errorf("by operations: %d %s", a.status, a.body)
		}
	})
	if a := back(); a.status != http.StatusOK || !strings.Contains(string(a.body), `"quarantined"`) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := back(); a.code() != problem.StateConflict {
		t.Errorf("twice: %d %s", a.status, a.body)
	}
	if code := pull(); code != problem.TerminalQuarantined {
		t.Errorf("reinstated, with the old key: %q", code)
	}
	l.code = r.freshCode(l.id)
	if a := l.enrol(13); a.status != http.StatusOK || l.epoch != 2 {
		t.Errorf("%d %s, epoch %d", a.status, a.body, l.epoch)
	}
	if code := pull(); code != "" {
		t.Errorf("enrolled again: %s", code)
	}
}

// as runs fn signed in with another role.
func (r *rig) as(role people.Role, fn func()) {
	r.t.Helper()
	const password = "a long enough password"
	_, err := r.people.Add(r.t.Context(), string(role), role, password)
	r.must(err)
	before := r.token
	r.token = r.signIn(string(role), password)
	fn()
	r.token = before
}

func TestGuessingEnrolmentCodesIsSlowedDown(t *testing.T) {
	r := newRig(t)
	l := r.newTerminal(r.made("/api/v1/stores", storeBody), "lane")
	good := l.code
	l.code = "0000-0000-0000-0000"
	var last answer
	tries := 0
	for ; last.code() != problem.TooManyRequests && tries < 50; tries++ {
		last = l.enrol(12)
	}
	if tries < 5 || tries > 20 || last.header.Get("Retry-After") == "" {
		t.Fatalf("%d tries, then %d %s", tries, last.status, last.body)
	}
	r.clock.Advance(6 * time.Minute)
	l.code = good
	if a := l.enrol(13); a.status != http.StatusOK {
		t.Errorf("a right code later: %d %s", a.status, a.body)
	}
}
