package pass_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/pass"
)

func (r *rig) figures() pass.Figures {
	r.t.Helper()
	r.must(r.Flush(context.Background()))
	f, err := r.Figures(context.Background(), 24*time.Hour)
	r.must(err)
	return f
}

// Many changes in a row are one push for a phone, and one more when its gap is over.
func TestChangesInARowAreOnePush(t *testing.T) {
	r := newRigOn(t, blank.SQLite(t), pass.Settings{UrgentGap: time.Minute})
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	h.update()
	r.hq.Clock.Advance(time.Hour)
	for range 5 {
		r.give(m, 10)
		r.rounds()
	}
	if n := r.phones.count(h.push); n != 1 {
		t.Fatalf("pushed %d times for five changes within a minute", n)
	}
	if f := r.figures(); f.Waiting != 1 {
		t.Errorf("%d wait, want the one whose gap is not over", f.Waiting)
	}
	r.hq.Clock.Advance(time.Minute)
	r.rounds()
	if n := r.phones.count(h.push); n != 2 {
		t.Errorf("pushed %d times after the gap, want 2", n)
	}
	if h.update() != 1 || h.points() != 50 {
		t.Errorf("the phone shows %d points", h.points())
	}
}

// A phone that is gone is told no more; who is to be asked later is asked later, each
// time after a longer wait, and not at once because of a new change.
func TestGoneAndLater(t *testing.T) {
	r := newRig(t)
	gone, busy := r.member("Ada"), r.member("Bob")
	a, b := r.install(r.issue(gone, pass.Apple), "phone-a"), r.install(r.issue(busy, pass.Apple), "phone-b")
	r.phones.answers = map[string]pass.Result{
		a.push: {Outcome: pass.Gone, Reason: "Unregistered"}, b.push: {Outcome: pass.Later, Reason: "TooManyRequests", After: time.Minute},
	}
	r.hq.Clock.Advance(time.Hour)
	r.give(gone, 1)
	r.give(busy, 1)
	r.rounds()
	if f := r.figures(); f.Waiting != 1 || f.Failing != 1 {
		t.Errorf("%d wait and %d fail, want the busy one", f.Waiting, f.Failing)
	}
	r.give(gone, 1)
	r.give(busy, 1)
	r.hq.Clock.Advance(30 * time.Second)
	r.rounds()
	if r.phones.count(a.push) != 1 || r.phones.count(b.push) != 1 {
		t.Errorf("pushed %d and %d times", r.phones.count(a.push), r.phones.count(b.push))
	}
	r.hq.Clock.Advance(31 * time.Second)
	r.rounds()
	if r.phones.count(b.push) != 2 {
		t.Errorf("after the minute that was asked for: pushed %d times", r.phones.count(b.push))
	}
	delete(r.phones.answers, b.push)
	r.hq.Clock.Advance(time.Hour)
	r.rounds()
	if f := r.figures(); f.Waiting != 0 || r.phones.count(b.push) != 3 {
		t.Errorf("%d wait, pushed %d times", f.Waiting, r.phones.count(b.push))
	}
	a.register(true) // it comes back
}

// Of a phone that has no pass any more nothing is kept, and it is told of nothing: it
// removed the pass, is gone, was one too many, or belonged to somebody who left.
func TestNothingIsKeptOfAPhoneWithoutPasses(t *testing.T) {
	dsn := blank.SQLite(t)
	r := newRigOn(t, dsn, pass.Settings{})
	ctx := context.Background()
	phones := map[string]*phone{}
	for _, name := range []string{"removes", "gone", "leaves", "stays"} {
		m := r.member(name)
		phones[name] = r.install(r.issue(m, pass.Apple), name)
		r.hq.Clock.Advance(time.Hour)
		r.give(m, 1)
	}
	_, err := r.Round(ctx) // all are in the queue
	r.must(err)
	r.must(r.Unregister(ctx, phones["removes"].caller, "removes"))
	r.must(r.Left(ctx, phones["leaves"].face.Subject))
	r.phones.answers = map[string]pass.Result{phones["gone"].push: {Outcome: pass.Gone}}
	r.rounds()
	if n := r.phones.count(phones["removes"].push); n != 0 {
		t.Errorf("the phone that removed its pass was told %d times", n)
	}
	installed, _, err := r.List(ctx, pass.Filter{State: pass.Installed}, "", 10)
	r.must(err)
	if len(installed) != 2 {
		t.Errorf("%d passes are called installed, want those of who stays and who leaves", len(installed))
	}
	r.hq.Clock.Advance(31 * 24 * time.Hour)
	r.rounds()
	kept, err := r.hq.DB.PushesDue(ctx, pass.Apple, r.hq.Clock.Now(), 10)
	r.must(err)
	if len(kept) != 0 {
		t.Errorf("%d pushes wait", len(kept))
	}
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(dsn, "sqlite:"))
	r.must(err)
	var rows int
	r.must(db.QueryRowContext(ctx, "SELECT COUNT(*) FROM pass_pushes").Scan(&rows))
	r.must(db.Close())
	if rows != 1 {
		t.Errorf("%d phones are kept, want the one that stays", rows)
	}
}

// A certificate that ended on a Friday is put right on a Tuesday: what waited is told.
func TestDaysWithoutPushesLoseNone(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.hq.Clock.Advance(time.Hour)
	r.give(m, 1)
	r.phones.answers = map[string]pass.Result{h.push: {Outcome: pass.Later, Reason: "the certificate has expired"}}
	for range 4 * 24 {
		r.rounds()
		r.hq.Clock.Advance(time.Hour)
	}
	if n := r.phones.count(h.push); n > 120 {
		t.Errorf("asked %d times in four days", n)
	}
	r.phones.answers = nil
	r.phones.pushed = nil
	for range 2 {
		r.rounds()
		r.hq.Clock.Advance(time.Hour)
	}
	if n := r.phones.count(h.push); n != 1 || h.update() != 1 || h.points() != 1 {
		t.Errorf("told %d times, and it shows %d points", n, h.points())
	}
}

// One phone that is set up again and again, under another name each time, is kept a
// bounded number of times, the newest ones.
func TestReinstallStorm(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	p := r.issue(m, pass.Apple)
	first := r.install(p, "phone-0")
	var last *phone
	for i := range 120 {
		r.hq.Clock.Advance(time.Second)
		h := *first
		h.device, h.push = fmt.Sprint("phone-", i+1), fmt.Sprintf("%08x", i+1)
		h.register(true)
		h.register(false)
		last = &h
	}
	r.hq.Clock.Advance(time.Hour)
	r.give(m, 1)
	r.rounds()
	told := 0
	for _, n := range r.phones.pushed {
		told += n
	}
	if told != 50 || r.phones.count(last.push) != 1 || r.phones.count(first.push) != 0 {
		t.Errorf("%d pushes, %d to the newest and %d to the first", told, r.phones.count(last.push), r.phones.count(first.push))
	}
}

// A push token that changes is used from then on, for all passes of the phone.
func TestPushTokenChanges(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.hq.Clock.Advance(time.Hour)
	r.give(m, 1)
	if _, err := r.Round(context.Background()); err != nil { // in the queue with the old token
		t.Fatal(err)
	}
	was := h.push
	h.push = "another"
	h.register(false)
	r.rounds()
	if r.phones.count(was) != 0 || r.phones.count("another") != 1 {
		t.Errorf("pushed %d times to the old token, %d to the new", r.phones.count(was), r.phones.count("another"))
	}
}

// An update between download and registration, which nobody could be told of, is listed
// after it, and the phone is pushed.
func TestChangeBetweenDownloadAndRegistration(t *testing.T) {
	r := newRig(t)
	m := r.member("Ada")
	other := r.install(r.issue(r.member("Bob"), pass.Apple), "phone-1")
	other.update()
	h := r.download(r.issue(m, pass.Apple), "phone-1") // the same phone, with its tag
	r.hq.Clock.Advance(time.Second)
	r.give(m, 70)
	r.rounds()
	h.tag, h.push = other.tag, other.push
	h.register(true)
	r.rounds()
	if r.phones.count(h.push) == 0 {
		t.Error("the phone was not told")
	}
	if h.update(); h.points() != 70 {
		t.Errorf("the phone shows %d points", h.points())
	}
}

// What Google cannot take now is put later, as it is then.
func TestGoogleIsPutLater(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	link, err := r.GoogleLink(ctx, m.ID)
	r.must(err)
	p := r.issue(m, pass.Google)
	if link != "https://pay.example/"+p.Serial() || len(r.apple.put) != 1 || len(r.apple.put[0].Face.Rotating) != 1 || len(r.apple.put[0].Face.Rotating[0].Key) != 20 {
		t.Fatalf("link %s, put %+v", link, r.apple.put)
	}
	r.must(r.Saved(ctx, p.Serial(), true))
	r.apple.result = pass.Result{Outcome: pass.Later, Reason: "quota", After: time.Minute}
	r.give(m, 5)
	r.rounds()
	r.give(m, 6)
	r.rounds()
	r.apple.result = pass.Result{}
	r.hq.Clock.Advance(2 * time.Minute)
	r.rounds()
	if n := len(r.apple.put); n != 2 || r.apple.put[1].Face.Balances[0].Amount != 11 {
		t.Errorf("put %d times, the last %+v", n, r.apple.put[n-1].Face.Balances)
	}
	if p = r.issue(m, pass.Google); p.State != pass.Installed {
		t.Errorf("the saved pass is %s", p.State)
	}
	r.must(r.Saved(ctx, p.Serial(), false))
}
