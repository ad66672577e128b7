package pass_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
)

// samsung is a further wallet: all that it takes to add one.
type samsung struct {
	kept   map[string]pass.Card
	answer pass.Result
}

func (s *samsung) Put(_ context.Context, c pass.Card) pass.Result {
	if s.answer.Outcome == 0 {
		s.kept[c.Serial] = c
		return pass.Result{Outcome: pass.Done}
	}
	return s.answer
}

// A further wallet takes part in the whole life of a pass: issued, told of a change, tried
// again, counted, and ended.
func TestAFurtherWalletNeedsOnlyPut(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	_, err := r.Issue(ctx, m.ID, pass.Samsung)
	wantCode(t, err, problem.StateConflict)
	further := &samsung{kept: map[string]pass.Card{}}
	r.Service = pass.New(r.options(1, r.hq.DB, pass.Settings{}, map[pass.Channel]pass.Wallet{pass.Samsung: further}))
	p := r.issue(m, pass.Samsung)
	rounds := func() {
		t.Helper()
		r.hq.Clock.Advance(time.Hour)
		r.rounds()
		for more := true; more; {
			more, err = r.PushRound(ctx, pass.Samsung)
			r.must(err)
		}
		r.must(r.Flush(ctx))
	}
	rounds()
	further.answer = pass.Result{Outcome: pass.Later, Reason: "busy"}
	r.give(m, 40)
	rounds()
	if got := further.kept[p.Serial()].Face.Balances; len(got) != 0 {
		t.Errorf("a wallet that was busy keeps %+v", got)
	}
	further.answer = pass.Result{}
	rounds()
	if got := further.kept[p.Serial()].Face.Balances; len(got) != 1 || got[0].Amount != 40 {
		t.Errorf("after a change it keeps %+v", got)
	}
	all, _, err := r.List(ctx, pass.Filter{Channel: pass.Samsung}, "", 10)
	r.must(err)
	if len(all) != 1 || all[0].PushedAt.IsZero() || all[0].FetchedTag != all[0].Tag {
		t.Errorf("the console sees %+v", all)
	}
	_, err = r.Void(ctx, m.ID, p.ID)
	r.must(err)
	rounds()
	if !further.kept[p.Serial()].Face.Voided {
		t.Error("a voided pass is good in the wallet")
	}
}
