package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
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
