package allowance_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
)

// offline is a store whose tills redeem without HQ for as much as they may.
type offline struct {
	*rig
	name     string
	tills    []*books.Till
	online   *books.Till
	accounts []uuid.UUID
	held     []map[uuid.UUID]heldRight
	n        int
	lane     int64 // lost because a terminal was, as of the last sum
}

type heldRight struct {
	account uuid.UUID
	left    int64
}

func (o *offline) sum(t *rapid.T) (worst, clones, lost int64) {
	e, err := o.Exposure(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	o.lane = 0
	for _, l := range e.Lines {
		if l.Unit != "points" || l.Store != o.tills[0].Store && l.Store != o.online.Store {
			continue
		}
		worst, clones = worst+l.Worst(), clones+l.Clones
		o.lane += l.Lost[loyalty.LossLane]
		for _, n := range l.Lost {
			lost += n
		}
	}
	return worst, clones, lost
}

// authorised has HQ give a till a right that lives for an hour.
func (o *offline) authorised(t *rapid.T, i int) {
	o.n++
	account, right := rapid.SampledFrom(o.accounts).Draw(t, "account"), rightID(fmt.Sprint(o.name, "/", o.n))
	amount := rapid.Int64Range(1, 80).Draw(t, "right")
	if answer := o.ask(t, o.tills[i], account, right, amount, 0); answer.Refused == "" {
		o.held[i][right] = heldRight{account, amount}
	}
}

// sellOut has a till redeem: on its rights, and standing in up to its share.
func (o *offline) sellOut(t *rapid.T, i int, till *books.Till) {
	for _, right := range sortedRights(o.held[i]) {
		h := o.held[i][right]
		if n := rapid.Int64Range(0, h.left).Draw(t, "spent"); n > 0 {
			spend(t, till, h.account, right, n)
		}
	}
	share := int64(100) // of 300 for three tills
	for share > 0 {
		n := min(share, rapid.Int64Range(1, 100).Draw(t, "stands in"))
		till.Sell(t, rapid.SampledFrom(o.accounts).Draw(t, "shopper"), n, n)
		share -= n
		if rapid.IntRange(0, 2).Draw(t, "enough") == 0 {
			break
		}
	}
}

func sortedRights(m map[uuid.UUID]heldRight) []uuid.UUID {
	return slices.SortedFunc(maps.Keys(m), func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
}

// The real loss never passes the figure HQ had shown: shares used up, rights spent after
// they were taken back and given to others, terminals declared lost that turn up, and, with the term for clones, a copy of a
// terminal that does the same.
func TestG2_LossStaysWithinTheExposureShown(t *testing.T) {
	on(t, func(t *testing.T, dsn string) {
		r := newRig(t, dsn, 1)
		r.policy.PerStore, r.policy.PerTerminal, r.policy.Rights.SharePercent = 300, 100, 0
		round, most, enough := 0, 0.0, 100
		if dsn != "" && os.Getenv("TALLYSTICK_SOAK") == "" {
			enough = 25 // of the same stores; a store takes four times as long on PostgreSQL
		}
		rapid.Check(t, func(t *rapid.T) {
			if round == enough {
				return
			}
			round++
			if ratio := lossWithin(t, r, fmt.Sprint(round)); ratio > most {
				most = ratio
			}
			if round%25 == 0 {
				r.Verify(t)
			}
		})
		r.Verify(t)
		t.Logf("%d stores; real loss at most %.2f of the bound", round, most)
		if most < 0.3 {
			t.Errorf("the test hardly loses anything: at most %.2f of the bound", most)
		}
	})
}

func lossWithin(t *rapid.T, r *rig, name string) float64 {
	o := &offline{rig: r, name: name}
	store := rightID("store " + name)
	for i := range 3 {
		o.tills = append(o.tills, r.tillOf(t, fmt.Sprint(name, "/", i), store))
		o.held = append(o.held, map[uuid.UUID]heldRight{})
	}
	for i := range 2 {
		o.accounts = append(o.accounts, r.Member(t, fmt.Sprint(name, "-", i), rapid.Int64Range(0, 200).Draw(t, "points")))
	}
	r.round(t)
	online := r.till(t, "online "+name)
	o.online = online
	r.round(t)
	for range rapid.IntRange(0, 6).Draw(t, "rights") {
		o.authorised(t, rapid.IntRange(0, 2).Draw(t, "till"))
	}
	for _, till := range append(o.tills, online) {
		till.Skip(max(0, r.Clock.Now().Sub(till.Now())) + time.Minute)
	}
	cloned := rapid.IntRange(0, 3).Draw(t, "cloned")
	var copied *books.Till
	if cloned < 3 {
		copied = o.tills[cloned].Clone()
		o.sellOut(t, cloned, copied)
	}
	for i, till := range o.tills {
		o.sellOut(t, i, till)
	}
	named := int64(0)
	if lost := rapid.IntRange(0, 5).Draw(t, "lost"); lost < len(o.tills) {
		r.Clock.Advance(time.Minute)
		named = r.lose(t, o.tills[lost])
	}
	if rapid.Bool().Draw(t, "grace") { // HQ takes back what it did not hear of, and gives it away
		r.Clock.Advance(4 * time.Hour)
		r.round(t)
		online.Skip(5 * time.Hour)
		for i, account := range o.accounts {
			right := rightID(fmt.Sprint(name, "again", i))
			if free := r.Holding(t, account, "points").Free; free > 0 && r.ask(t, online, account, right, free, 0).Refused == "" {
				spend(t, online, account, right, free)
			}
		}
		r.deliver(t, online)
	}
	worst, clones, before := o.sum(t)
	if copied != nil {
		r.deliver(t, copied)
	}
	r.deliver(t, o.tills...)
	r.release(t)
	_, _, after := o.sum(t)
	var owed int64
	for _, account := range o.accounts {
		owed += r.Holding(t, account, "points").Overdraft
	}
	bound := worst
	if copied != nil {
		bound += clones
	}
	if copied == nil && o.lane > named {
		t.Fatalf("the lost terminal cost %d, the bound named was %d", o.lane, named)
	}
	if after-before > bound || owed > bound {
		t.Fatalf("lost %d, owed %d, shown was %d (and %d for clones)", after-before, owed, worst, clones)
	}
	return float64(after-before) / float64(max(bound, 1))
}

// Two rights that were presented after a restore are HQ's again, and nothing is given
// before all terminals have presented theirs.
func TestG2_ARestoredHQLearnsItsGrantsAgain(t *testing.T) {
	on(t, func(t *testing.T, dsn string) {
		had := newRig(t, "", 1) // what the backup was made of, and went on
		tillHad := had.till(t, "a")
		account := had.Member(t, "ann", 300)
		lost := had.ask(t, tillHad, account, rightID("1"), 200, 0)

		r := newRig(t, dsn, 2)
		a, b := r.till(t, "a"), r.till(t, "b")
		if r.Member(t, "ann", 300) != account {
			t.Fatal("the accounts differ")
		}
		if err := r.BeginRestore(t.Context()); err != nil {
			t.Fatal(err)
		}
		if answer := r.ask(t, b, account, rightID("2"), 250, 0); answer.Refused != string(problemWithheld) {
			t.Fatalf("before anybody presented: %+v", answer)
		}
		if got := presents(t, r, a, lost.Grant); got != 1 {
			t.Errorf("%d grants were taken", got)
		}
		if got := presents(t, r, a, lost.Grant); got != 0 {
			t.Errorf("%d grants were taken again", got)
		}
		r.holds(t, account, 100, 200, 0)
		if answer := r.ask(t, b, account, rightID("2"), 50, 0); answer.Refused != string(problemWithheld) {
			t.Errorf("before all presented: %+v", answer)
		}
		presents(t, r, b)
		if answer := r.ask(t, b, account, rightID("2"), 150, 0); answer.Refused == "" || answer.Free != 100 {
			t.Errorf("what a holds was given again: %+v", answer)
		}
		if answer := r.ask(t, b, account, rightID("3"), 100, 0); answer.Refused != "" {
			t.Errorf("when all had presented: %+v", answer)
		}
		a.Skip(time.Minute)
		spend(t, a, account, rightID("1"), 200)
		r.deliver(t, a)
		r.holds(t, account, 0, 100, 0)
		r.Verify(t)
	})
}

func TestARestoredHQGivesAgainWhenNoRightCanBeLeft(t *testing.T) {
	r := newRig(t, "", 2)
	a := r.till(t, "a")
	account := r.Member(t, "ann", 300)
	if err := r.BeginRestore(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 7 {
		if answer := r.ask(t, a, account, rightID("1"), 1, 0); answer.Refused != string(problemWithheld) {
			t.Fatalf("%+v", answer)
		}
		r.Clock.Advance(24 * time.Hour)
	}
	if answer := r.ask(t, a, account, rightID("1"), 1, 0); answer.Refused != "" {
		t.Errorf("after the longest life: %+v", answer)
	}
}

// A grant that HQ knows to have been released is not adopted.
func TestPresentRevivesNothing(t *testing.T) {
	r := newRig(t, "", 1)
	a := r.till(t, "a")
	account := r.Member(t, "ann", 300)
	got := r.ask(t, a, account, rightID("1"), 200, 0)
	a.Skip(time.Minute)
	a.Write(t, entry.KindAllowanceChange, entry.AllowanceChange{Op: entry.AllowanceReleased, Right: rightID("1"), Account: account, Unit: "points", Reason: entry.ReleaseRetired})
	r.deliver(t, a)
	presents(t, r, a, got.Grant)
	r.holds(t, account, 300, 0, 0)
	spend(t, a, account, rightID("1"), 301)
	r.deliver(t, a)
	list := r.Exceptions(t, "overdraw")
	if len(list) != 1 || list[0].Attribution != loyalty.LossClone || list[0].Liable != "store" || list[0].Amount != 1 {
		t.Errorf("exceptions: %+v", list)
	}
}
