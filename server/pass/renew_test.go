package pass_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/server/pass"
)

// A phone that gets another push token while a push to the old one is under way is told
// again, whatever became of that push.
func TestATokenRenewedDuringAPushIsTold(t *testing.T) {
	for name, old := range map[string]pass.Outcome{"the old one is gone": pass.Gone, "the old one took it": pass.Done} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			m := r.member("Ada")
			p := r.issue(m, pass.Apple)
			r.rounds()
			h := r.install(p, "phone-1")
			h.update()
			before := h.push
			r.phones.answers = map[string]pass.Result{before: {Outcome: old}}
			r.phones.during = func(token string) {
				if token == before {
					h.push = "feed"
					_, err := r.Register(context.Background(), h.caller, h.device, h.push)
					r.must(err)
				}
			}
			r.hq.Clock.Advance(time.Minute)
			r.give(m, 120)
			r.rounds()
			r.rounds()
			if n := r.phones.count("feed"); n != 1 {
				t.Errorf("the new token was pushed %d times, want once", n)
			}
			if h.update() != 1 || h.points() != 120 {
				t.Errorf("the phone shows %d points, want 120", h.points())
			}
		})
	}
}
