package lan_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

func TestLanesSayWhatTheyHold(t *testing.T) {
	shop := newStore()
	one, two, three := shop.register(t), shop.register(t), shop.register(t)
	first, second := node(t, one, "", nil), node(t, two, "", nil)
	asker := node(t, three, "", nil, first.Addr().String(), second.Addr().String())
	until(t, "both are seen", func() bool { return up(asker, one.id) && up(asker, two.id) })
	account := uuid.New()
	got := asker.Lendable(t.Context(), account)
	want := wire.Held{Right: account, Unit: "points", Left: 1000}
	if len(got) != 2 || len(got[one.id]) != 1 || got[one.id][0] != want || len(got[two.id]) != 1 {
		t.Errorf("%+v", got)
	}
	// One that is gone is left out, and so is one that takes too long.
	second.Stop()
	if got := asker.Lendable(t.Context(), account); len(got) != 1 || len(got[one.id]) != 1 {
		t.Errorf("with one lane gone: %+v", got)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if got := asker.Lendable(late, account); len(got) != 0 {
		t.Errorf("too late: %+v", got)
	}
	// A lane that is shut out hears nothing.
	shop.revoke(three.id)
	if got := asker.Lendable(t.Context(), account); len(got) != 0 {
		t.Errorf("shut out: %+v", got)
	}
}
