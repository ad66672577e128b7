package pass_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
)

// A change of points reaches the phone: pushed once, listed, fetched; a second look at
// the same costs no signature and no body.
func TestAChangeReachesThePhoneOnce(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	p := r.issue(m, pass.Apple)
	r.rounds()
	h := r.install(p, "phone-1")
	if h.points() != 0 || h.face.Name != "Ada" || len(h.face.Code) != 141 || len(h.face.Rotating) != 0 {
		t.Fatalf("the first pass says %+v", h.face)
	}
	h.update() // what changed between download and registration
	signed := r.apple.signed
	r.hq.Clock.Advance(time.Minute)
	r.give(m, 120)
	r.rounds()
	if n := r.phones.count(h.push); n != 1 {
		t.Errorf("pushed %d times, want once", n)
	}
	if h.update() != 1 || h.points() != 120 {
		t.Errorf("the phone shows %d points, want 120", h.points())
	}
	if r.apple.signed != signed+1 {
		t.Errorf("%d passes were signed for one change", r.apple.signed-signed)
	}
	r.rounds()
	if h.update() != 0 || r.phones.count(h.push) != 1 {
		t.Error("what has not changed was told again")
	}
	got, err := r.Fetch(context.Background(), h.caller, time.Time{})
	r.must(err)
	if len(got.Body) == 0 || r.apple.signed != signed+1 {
		t.Error("an unchanged pass was signed again")
	}
}

// A phone that was given a pass by a head office that was then restored to before it gets
// what there is: its time says nothing any more.
func TestAPhoneAheadOfARestoredHQGetsWhatThereIs(t *testing.T) {
	r := newRig(t)
	p := r.issue(r.member("Ada"), pass.Apple)
	r.rounds()
	h := r.install(p, "phone-1")
	ahead := r.hq.Clock.Now().Add(time.Hour)
	for epoch, same := range map[uint32]bool{1: true, 2: false} {
		got, err := r.inEpoch(epoch, r.hq.DB, pass.Settings{}).Fetch(context.Background(), h.caller, ahead)
		if r.must(err); got.Same != same {
			t.Errorf("epoch %d: the same %t", epoch, got.Same)
		}
		got, err = r.inEpoch(epoch, r.hq.DB, pass.Settings{}).Fetch(context.Background(), h.caller, got.Modified)
		if r.must(err); !got.Same {
			t.Errorf("epoch %d: what it has was given again", epoch)
		}
	}
}

// Who leaves, is blocked or loses the phone sees it on the phone.
func TestVoidedOnThePhone(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.rounds()
	h.update()
	_, err := r.programme.Block(ctx, m.ID, m.ID)
	r.must(err)
	r.rounds()
	if h.update() != 1 || !h.face.Voided || h.face.Code != "" || h.face.Name != "" {
		t.Fatalf("a blocked member's pass says %+v", h.face)
	}
	_, err = r.programme.Unblock(ctx, m.ID, m.ID)
	r.must(err)
	r.rounds()
	if h.update() != 1 || h.face.Voided {
		t.Fatal("an unblocked member's pass is void")
	}
	had := h.face.Issue
	fresh, err := r.Lost(ctx, m.ID, m.ID)
	r.must(err)
	r.rounds()
	if h.update() != 1 || !h.face.Voided {
		t.Error("the lost phone still shows a good pass")
	}
	if len(fresh) != 1 || fresh[0].Serial() == h.caller.Serial {
		t.Fatalf("no new pass: %v", fresh)
	}
	h2 := r.install(fresh[0], "phone-2")
	if h2.caller.Token == h.caller.Token || h2.face.Voided {
		t.Errorf("the new phone has %+v", h2.face)
	}
	if (loyalty.Policy{}).IssueGood(had, h2.face.Issue, nil, 0) {
		t.Errorf("tills still accept issue %d of the lost phone, the newest is %d", had, h2.face.Issue)
	}
	ticket, err := r.Ticket(pass.Pass{Key: keyOf(t, h.caller.Serial)})
	r.must(err)
	_, err = r.Download(ctx, ticket)
	wantCode(t, err, problem.NotFound)
}

func keyOf(t testing.TB, serial string) pass.Key {
	t.Helper()
	k, ok := pass.ParseSerial(serial)
	if !ok {
		t.Fatalf("%q is no serial", serial)
	}
	return k
}

// What a wallet would have to make is not issued where that wallet is not set up.
func TestNoPassForAWalletThatIsNotSetUp(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	bare := pass.New(pass.Options{
		Store: r.hq.DB, Books: r.hq.DB, Programme: r.programme, Branding: r.look, Clock: r.hq.Clock, NewID: newID, NewSecretID: uuid.New, HQEpoch: 1,
	})
	for _, ch := range []pass.Channel{pass.Apple, pass.Google, pass.Samsung} {
		_, err := bare.Issue(ctx, m.ID, ch)
		wantCode(t, err, problem.StateConflict)
		_, err = bare.IssueVoucher(ctx, m.ID, uuid.New(), ch)
		wantCode(t, err, problem.StateConflict)
	}
	_, err := bare.GoogleLink(ctx, m.ID)
	wantCode(t, err, problem.StateConflict)
	if all, err := bare.Of(ctx, m.ID); err != nil || len(all) != 0 {
		t.Errorf("%d passes were issued (%v)", len(all), err)
	}
}

// The address at which a pass of Google's is saved is known at once; the object follows.
func TestAnAddressNeedsNoAnswerOfGoogle(t *testing.T) {
	r := newRig(t)
	r.apple.result = pass.Result{Outcome: pass.Later, Reason: "Google does not answer"}
	p := r.issue(r.member("Ada"), pass.Google)
	address, err := r.SaveAddress(context.Background(), p)
	if err != nil || address != "https://pay.example/"+p.Serial() {
		t.Errorf("the address is %q (%v)", address, err)
	}
	r.rounds()
	r.apple.result = pass.Result{}
	r.hq.Clock.Advance(time.Hour)
	r.rounds()
	if len(r.apple.put) != 1 || r.apple.put[0].Serial != p.Serial() {
		t.Errorf("Google was put %+v", r.apple.put)
	}
}
