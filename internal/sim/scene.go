package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/wire"
)

// Scene names a story that chance alone tells too seldom. Its moves are fixed; who sells
// what in between is of the seed.
type Scene string

// OldWord: a terminal gives rights back that HQ recalled. It loses its cache, and a
// neighbour that relays for it answers with what HQ said before the recall.
//
// WeekAlone: a store with one lane loses its network, dies each night, by a kill or a power
// cut, and redeems each day for a week.
const (
	OldWord   Scene = "old word"
	WeekAlone Scene = "a week alone"
)

// moves of a scene, in order; sales stand between them. A lane does those of a lane for
// as long as there are lanes.
var moves = map[Scene][]kind{
	OldWord: {
		fund, sell, pull, push, apply, // members shop, so that HQ knows where
		rights, rights, pull, sell, push, apply, rights, rights, pull, // and gives rights
		recall, pull, tend, sell, push, apply, // which come back
		loseCache, oldWord, pull, sell, sell, sell, sell, sell, sell, sell, sell, oldWord, pull, sell, push, apply,
	},
	WeekAlone: slices.Concat(
		[]kind{fund, apply, pull, sell, push, apply, rights, rights, pull, cut},
		slices.Repeat([]kind{treat, tend, sell, treat, crash, wait}, 7),
		[]kind{treat, heal, push, apply, rights, pull},
	),
}

// played draws the events of a scene.
func played(seed uint64, o Options) []event {
	d := newDice(seed, 4)
	lanes := newPlan(newDice(seed, 2), o).lanes
	var at time.Duration
	var events []event
	for _, k := range moves[o.Scene] {
		for lane := range lanes {
			for member := range membersOf(k) {
				at += time.Duration(d.between(1000, 9000)) * time.Millisecond
				if k == wait {
					at += time.Duration(d.between(22*60, 23*60+50)) * time.Minute
				}
				events = append(events, event{kind: k, at: at, lane: lane, other: d.IntN(60), member: member, sub: d.Uint64()})
			}
		}
	}
	return events
}

// membersOf is for how many members a move is made: sales and recalls are about one.
func membersOf(k kind) int {
	switch k {
	case sell, recall, fund, treat:
		return sceneMembers
	}
	return 1
}

// sceneMembers is how many members take part in a scene.
const sceneMembers = 2

// staged does the moves that only scenes have.
func (w *world) staged(ctx context.Context, e event) bool {
	switch e.kind {
	case recall:
		m := w.members[e.member%len(w.members)]
		n, err := w.hq.any().rights.Recall(ctx, m.record.Account)
		if err != nil {
			w.fail("recall: %v", err)
		}
		w.say("HQ recalls %d rights of %s", n, m.name)
	case fund:
		if err := w.adjust(ctx, w.members[e.member%len(w.members)], plenty); err != nil {
			w.fail("adjust: %v", err)
		}
	case oldWord:
		l := w.lanes[e.lane%len(w.lanes)]
		l.link.old = !l.link.old
		w.count("a relay repeats HQ's old word, or ends to")
		w.say("lane %s: a relay repeats HQ's old word: %t", l.name, l.link.old)
	default:
		return false
	}
	return true
}

// plenty is more than a member can redeem in a scene.
const plenty = 5000

// treat is a redemption that a till has no reason to refuse.
func (w *world) treat(ctx context.Context, d *dice, l *lane, m *member, key string) {
	total := int64(d.between(10, 40)) * 100
	c := till.Commit{Key: key, KeyHash: sha256.Sum256([]byte(key)), Receipt: "R" + key, Cashier: "7", Request: till.Request{
		Basket: loyalty.Basket{Currency: "EUR", Total: total, Lines: []loyalty.Line{{No: 1, SKU: "4006381333931", Quantity: 1000, Amount: total}}},
		Codes:  []string{m.code}, Wishes: []loyalty.Wish{{Reward: w.rewards[0].ID, Times: 1}},
	}}
	if w.commit(ctx, l, c, m.name) {
		w.tally.Treats++
		return
	}
	w.fail("G1: lane %s does not redeem for %s", l.name, m.name)
}

// remembered is the oldest answer that a relay of the store has to a pull.
func (l *link) remembered(p parcel) *http.Response {
	raw, known := l.pages[cursorOf(p)]
	if !known {
		return nil
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(raw))}
}

// remember keeps the first answer to each cursor.
func (l *link) remember(p parcel, answer *http.Response) (*http.Response, error) {
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(raw))
	if l.pages == nil {
		l.pages = map[string][]byte{}
	}
	if _, known := l.pages[cursorOf(p)]; !known && answer.StatusCode == http.StatusOK {
		l.pages[cursorOf(p)] = raw
	}
	return answer, nil
}

func cursorOf(p parcel) string {
	at, err := url.Parse(p.uri)
	if err != nil {
		return ""
	}
	return at.Query().Get("cursor")
}

func isPull(p parcel) bool {
	at, err := url.Parse(p.uri)
	return err == nil && at.Path == wire.PathPull
}
