package pass_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/pass"
)

var silverAndGold = loyalty.Tiers{Unit: "points", Days: 30, Zone: "UTC", Levels: []loyalty.TierLevel{
	{Key: "silver", Names: map[string]string{"en": "Silver"}, Threshold: 40}, {Key: "gold", Names: map[string]string{"en": "Gold"}, Threshold: 100},
}}

// A tier comes onto passes with the definition, changes with a sale, and ends by time
// alone; a phone is told of each of these once.
func TestATierComesOntoPassesAndEndsWithTime(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	m := r.member("Ada")
	h := r.install(r.issue(m, pass.Apple), "phone-1")
	r.rounds()
	h.update()
	if h.face.Tier != nil {
		t.Fatalf("without tiers it says %+v", h.face.Tier)
	}
	_, err := r.programme.PutTiers(ctx, uuid.Nil, silverAndGold)
	r.must(err)
	next := func(what string, key, nextKey string, missing int64) {
		t.Helper()
		pushed := r.phones.count(h.push)
		r.rounds()
		if h.update() != 1 || r.phones.count(h.push) != pushed+1 {
			t.Errorf("%s: the phone was pushed %d times", what, r.phones.count(h.push)-pushed)
		}
		if got := h.face.Tier; got == nil || got.Key != key || got.NextKey != nextKey || got.Missing != missing {
			t.Fatalf("%s: the pass says %+v", what, got)
		}
	}
	r.hq.Clock.Advance(time.Hour)
	next("defined", "", "silver", 40)
	till := r.hq.Till(t, "till")
	till.Sell(t, m.Account, 5000, 0)
	till.Sync(t, 1)
	r.hq.Apply(t)
	r.hq.Clock.Advance(time.Hour)
	next("a sale", "silver", "gold", 50)
	if got := h.face.Tier.KeptUntil.Format(time.DateOnly); got != "2026-04-29" {
		t.Errorf("kept until %s", got)
	}
	quiet := r.phones.count(h.push)
	for range 28 {
		r.hq.Clock.Advance(24 * time.Hour)
		r.rounds()
	}
	if r.phones.count(h.push) != quiet {
		t.Errorf("days without news pushed %d times", r.phones.count(h.push)-quiet)
	}
	r.hq.Clock.Advance(2 * 24 * time.Hour)
	next("it counts no more", "silver", "gold", 100)
	r.hq.Clock.Advance(29 * 24 * time.Hour)
	r.rounds()
	if h.update(); h.face.Tier.Key != "silver" {
		t.Errorf("on its last day it says %+v", h.face.Tier)
	}
	r.hq.Clock.Advance(24 * time.Hour)
	next("its last day is over", "", "silver", 40)
	none := silverAndGold
	none.Levels = nil
	_, err = r.programme.PutTiers(ctx, uuid.Nil, none)
	r.must(err)
	r.rounds()
	if h.update(); h.face.Tier != nil {
		t.Errorf("without tiers again it says %+v", h.face.Tier)
	}
}
