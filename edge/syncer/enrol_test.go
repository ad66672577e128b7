package syncer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

func TestEnrol(t *testing.T) {
	signer := testSigner(t, 7, time.Time{}, time.Time{})
	want := wire.Enrolment{
		V: 1, HQ: testHQ, Terminal: testWriter.ID, Epoch: 1, Store: testStore, Name: "Lane 1", Keys: keys.Set{Version: 1, Keys: []keys.Public{signer.Public}},
	}
	rig := newRig(t)
	rig.hq.set(func(h *fakeHQ) {
		h.answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != wire.PathEnrol {
				h.refuse(w, problem.New(problem.EnrolCodeInvalid, ""))
				return true
			}
			out, err := wire.Marshal(want)
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(out)
			return true
		}
	})
	hc := &http.Client{Transport: &http.Transport{}}
	defer hc.CloseIdleConnections()
	got, err := syncer.Enrol(t.Context(), hc, rig.hq.server.URL+"/", "code", "test", signer)
	if err != nil || got.Terminal != want.Terminal || got.Name != want.Name {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := syncer.Enrol(t.Context(), hc, rig.hq.server.URL+"/wrong", "code", "test", signer); problem.CodeOf(err) != problem.EnrolCodeInvalid {
		t.Fatal(err)
	}
	want.Epoch = 0
	if _, err := syncer.Enrol(t.Context(), hc, rig.hq.server.URL, "code", "test", signer); problem.CodeOf(err) != problem.BatchInvalid {
		t.Fatal(err)
	}
}
