package pass_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
)

// model is a few members, their phones, and the processes of HQ that serve them.
type model struct {
	*rig
	run     int
	members []programme.Member
	on      []*phone // registered
	loaded  []*phone // downloaded, not registered yet
	seen    map[*phone]int
	made    int
}

func (m *model) pick(t *rapid.T) programme.Member {
	return m.members[rapid.IntRange(0, len(m.members)-1).Draw(t, "member")]
}

// answerPushes has each phone that was pushed since ask what changed. One that gets a
// pass whole must get another than it had.
func (m *model) answerPushes(t *rapid.T) {
	for _, h := range m.on {
		n := m.phones.count(h.push)
		if n == m.seen[h] {
			continue
		}
		m.seen[h] = n
		was := h.face
		was.AsOf = time.Time{}
		if h.update() == 0 {
			continue
		}
		is := h.face
		is.AsOf = time.Time{}
		if fmt.Sprint(was) == fmt.Sprint(is) {
			t.Fatalf("%s fetched what it had: %v", h.device, is)
		}
	}
}

func (m *model) step(t *rapid.T) {
	ctx := context.Background()
	switch rapid.IntRange(0, 10).Draw(t, "step") {
	case 0, 1:
		m.give(m.pick(t), rapid.Int64Range(1, 50).Draw(t, "points"))
	case 2:
		_, err := m.programme.Rename(ctx, uuid.Nil, m.pick(t).ID, rapid.SampledFrom([]string{"Ada", "Bob", ""}).Draw(t, "name"))
		m.must(err)
	case 3:
		m.made++
		h := m.download(m.issue(m.pick(t), pass.Apple), fmt.Sprintf("run %d phone %d", m.run, m.made))
		m.loaded = append(m.loaded, h)
	case 4, 5:
		if len(m.loaded) > 0 {
			h := m.loaded[0]
			m.loaded = m.loaded[1:]
			h.register(true)
			m.on = append(m.on, h)
		}
	case 6:
		if len(m.on) > 0 {
			m.remove(rapid.IntRange(0, len(m.on)-1).Draw(t, "phone"))
		}
	case 7:
		if len(m.on) > 0 {
			m.newToken(m.on[rapid.IntRange(0, len(m.on)-1).Draw(t, "phone")])
		}
	case 8: // another process goes on
		m.Service = m.another(pass.Settings{})
	case 9:
		_, err := m.Round(ctx)
		m.must(err)
		m.hq.Clock.Advance(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
	default:
		_, err := m.PushRound(ctx, pass.Apple)
		m.must(err)
		m.answerPushes(t)
	}
}

func (m *model) remove(i int) {
	h := m.on[i]
	m.must(m.Unregister(context.Background(), h.caller, h.device))
	m.on = append(m.on[:i:i], m.on[i+1:]...)
}

// newToken registers again with another push token, which nobody was pushed on yet.
func (m *model) newToken(h *phone) {
	m.made++
	was := h.push
	h.push = fmt.Sprintf("%x%04d", h.device, m.made)
	h.register(false)
	if m.phones.count(was) == m.seen[h] {
		m.seen[h] = 0
	} else {
		m.seen[h] = -1 // what came on the old token still stands
	}
}

// settle lets things come to rest: everything followed, all gaps over, pushes answered.
func (m *model) settle(t *rapid.T) {
	for range 3 {
		m.rounds()
		m.answerPushes(t)
		m.hq.Clock.Advance(time.Hour)
	}
}

// Whatever phones, shoppers and HQ's processes do in whatever order: once things are
// quiet each phone shows what its pass says, told by pushes alone, and no phone ever
// fetched what it had.
func TestNoUpdateIsLostAndNoFetchIsNeedless(t *testing.T) {
	r, run := newRig(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		m := &model{rig: r, run: run, seen: map[*phone]int{}, members: r.members("Ada", "Bob")}
		for range rapid.IntRange(3, 25).Draw(rt, "steps") {
			m.step(rt)
		}
		m.settle(rt)
		for _, h := range m.on {
			want, err := m.FaceOf(context.Background(), h.face.Subject, pass.Apple)
			m.must(err)
			got := h.face
			want.AsOf, got.AsOf = time.Time{}, time.Time{}
			if fmt.Sprint(want) != fmt.Sprint(got) {
				rt.Fatalf("%s shows\n%v, want\n%v", h.device, got, want)
			}
		}
		for len(m.on) > 0 { // the next run begins without them
			m.remove(0)
		}
	})
}
