package sim

import (
	"fmt"
	"time"
)

// kind is what an event does.
type kind int

const (
	sell    kind = iota
	race         // one shopper, two lanes, the same points
	again        // the POS repeats a call it got no answer to, or did get one
	replay       // one rotating code twice
	undo         // a void
	bring        // a return
	enlist       // a shopper becomes a member at the till
	claimed      // a member shows the receipt of a sale without a card
	push
	pull
	tend // what is due between sales
	meet // lanes of a store show each other their heads
	apply
	rights // HQ gives, recalls and takes back rights
	sweep
	adjust
	gift
	merge
	issue
	cut
	heal
	cutLAN
	mishapNext // the network hurts the next requests
	crash
	loseCache
	jumpClock
	keepImage
	rollBack
	clone
	retire
	renew // a lane enrols again
	backUp
	restore
	wait
	recall  // scenes only: HQ asks for rights
	oldWord // scenes only: a relay repeats what HQ once said
	fund    // scenes only: HQ gives a member plenty
	treat   // scenes only: a redemption that must not be refused
	kinds
)

var kindNames = [kinds]string{
	"sell", "race", "again", "replay", "undo", "bring", "enlist", "claim", "push", "pull", "tend", "meet", "apply", "rights", "sweep", "adjust", "gift", "merge",
	"issue", "cut", "heal", "cut LAN", "mishap", "crash", "lose cache", "jump clock", "keep image", "roll back", "clone", "retire",
	"renew", "back up", "restore", "wait",
	"recall", "old word", "fund", "treat",
}

func (k kind) String() string { return kindNames[k] }

// weights say how often each kind of event comes. A world leaves some kinds of fault out,
// so that each is also seen alone.
var weights = [kinds]int{
	sell: 260, race: 20, again: 30, replay: 12, undo: 24, bring: 30, enlist: 8, claimed: 16, push: 110, pull: 90, tend: 40, meet: 40, apply: 90, rights: 30, sweep: 10,
	adjust: 14, gift: 6, merge: 3, issue: 12, cut: 16, heal: 20, cutLAN: 8, mishapNext: 40, crash: 26, loseCache: 6, jumpClock: 8,
	keepImage: 8, rollBack: 3, clone: 3, retire: 2, renew: 4, backUp: 5, restore: 3, wait: 20,
}

// faults are the kinds that a world may leave out.
var faults = []kind{cut, mishapNext, crash, loseCache, jumpClock, rollBack, clone, retire, renew, restore, merge, gift}

// rare are the kinds of which a world may have many.
var rare = []kind{race, undo, bring, enlist, claimed, rights, gift, merge, loseCache, jumpClock, clone, retire, renew, backUp, restore, wait}

// HonestCrashes are worlds in which machines die, and nobody copies anything.
var HonestCrashes = only(sell, again, undo, push, pull, tend, meet, apply, rights, crash, mishapNext, loseCache, wait)

// Copies are worlds in which data directories are copied and put back.
var Copies = only(sell, race, again, push, pull, tend, meet, apply, rights, keepImage, rollBack, clone, crash, loseCache, mishapNext)

func only(kinds ...kind) map[kind]bool {
	out := map[kind]bool{}
	for _, k := range kinds {
		out[k] = true
	}
	return out
}

// event is one thing that happens. Which lane, member or sale it means is settled when
// it happens, so that a story stays one when events are taken out of it.
type event struct {
	kind   kind
	at     time.Duration // since the start of the world
	lane   int
	other  int
	member int
	fuse   int    // the machine dies at this write of the call; 0: it does not
	sub    uint64 // of the dice for everything else
}

// defaultEvents is how many things happen in a world.
const defaultEvents = 160

// script draws the events of a world.
func script(seed uint64, o Options) []event {
	if o.Scene != "" {
		return played(seed, o)
	}
	d := newDice(seed, 4)
	w := weights
	for _, k := range faults {
		if d.chance(35) && o.Only == nil {
			w[k] = 0
		}
	}
	if o.Only == nil {
		for range d.IntN(4) {
			w[rare[d.IntN(len(rare))]] *= 6
		}
	}
	total := 0
	for k := range w {
		if o.Only != nil && !o.Only[kind(k)] {
			w[k] = 0
		}
		total += w[k]
	}
	n := o.Events
	if n == 0 {
		n = defaultEvents
	}
	crashy := d.IntN(25) // percent of calls in which the machine dies
	if o.Crashy > 0 {
		crashy = o.Crashy
	}
	var at time.Duration
	events := make([]event, n)
	for i := range events {
		k, left := kind(0), d.IntN(total)
		for ; left >= w[k]; k++ {
			left -= w[k]
		}
		at += pauseBefore(d, k)
		e := event{kind: k, at: at, lane: d.IntN(60), other: d.IntN(60), member: d.IntN(60), sub: d.Uint64()}
		if d.chance(crashy) && (o.Only == nil || o.Only[crash]) {
			e.fuse = d.between(1, 6)
		}
		events[i] = e
	}
	return events
}

// pauseBefore draws how long nothing happens: mostly seconds, sometimes a night.
func pauseBefore(d *dice, k kind) time.Duration {
	switch {
	case k == wait:
		return time.Duration(d.between(1, 30)) * time.Hour
	case d.chance(10):
		return time.Duration(d.between(1, 90)) * time.Minute
	}
	return time.Duration(d.between(0, 20_000)) * time.Millisecond
}

func (e event) key() string { return fmt.Sprintf("k%016x", e.sub) }
