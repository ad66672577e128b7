package till_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// rightsLife is a lane with rights, another that borrows, and crashes. The one rule that
// is checked needs no model of the till: added up from the journal alone, no right ever
// gave more than its amount, and nothing after it was released.
type rightsLife struct {
	*shop
	borrower wire.Terminal
	rights   []wire.Grant
	recalled map[uuid.UUID]bool
	loans    []wire.BorrowRequest
	sales    []string
	n        int
}

func (l *rightsLife) next() string { l.n++; return fmt.Sprint(l.n) }

func (l *rightsLife) grant(r *rapid.T) {
	g := l.Grant(l.member, rapid.Int64Range(1, 500).Draw(r, "amount"))
	g.EndsAt = l.Clock.Now().Add(time.Duration(rapid.IntRange(1, 20).Draw(r, "hours")) * time.Hour).UnixMilli()
	l.rights = append(l.rights, g)
	l.Feed(r, l.till, l.Granted(r, g, false, false))
}

func (l *rightsLife) recall(r *rapid.T) {
	if len(l.rights) == 0 {
		r.Skip("no right yet")
	}
	g := l.rights[rapid.IntRange(0, len(l.rights)-1).Draw(r, "right")]
	l.recalled[g.Right] = true
	l.Feed(r, l.till, l.Granted(r, g, true, false))
}

func (l *rightsLife) sell(r *rapid.T) {
	var wishes []loyalty.Wish
	if n := rapid.Int64Range(0, 4).Draw(r, "times"); n > 0 {
		wishes = append(wishes, points(l.five, n))
	}
	key := "sale " + l.next()
	if _, err := l.till.Commit(context.Background(), tilltest.Commit(key, l.buy(r, 12_000, wishes...))); err == nil {
		l.sales = append(l.sales, key)
	}
}

func (l *rightsLife) void(r *rapid.T) {
	if len(l.sales) == 0 {
		r.Skip("no sale yet")
	}
	key := l.sales[rapid.IntRange(0, len(l.sales)-1).Draw(r, "sale")]
	_, _ = l.till.Void(context.Background(), till.Void{SaleKey: key, Key: "void " + l.next()}) // refused the second time
}

func (l *rightsLife) lend(r *rapid.T) {
	asked := wire.BorrowRequest{
		V: 1, Right: l.NewID(), Account: l.member.Account, Unit: "points", Amount: rapid.Int64Range(1, 300).Draw(r, "amount"),
		Less: rapid.Bool().Draw(r, "less"), Epoch: l.borrower.Epoch,
	}
	l.loans = append(l.loans, asked)
	_, _ = l.till.Lend(context.Background(), l.borrower, asked) // refused when there is nothing
}

func (l *rightsLife) lendAgain(r *rapid.T) {
	if len(l.loans) == 0 {
		r.Skip("no loan yet")
	}
	_, _ = l.till.Lend(context.Background(), l.borrower, l.loans[rapid.IntRange(0, len(l.loans)-1).Draw(r, "loan")])
}

func (l *rightsLife) pass(r *rapid.T) {
	l.Pass(time.Duration(rapid.IntRange(1, 300).Draw(r, "minutes")) * time.Minute)
	_ = l.till.Tend(context.Background()) // not while killed
}

// crash kills the till at one of its next writes, during whatever comes then, and starts
// it again; the cache may be lost too.
func (l *rightsLife) crash(r *rapid.T) {
	if rapid.Bool().Draw(r, "in the journal") {
		l.journal.FailAfter(rapid.IntRange(0, 2).Draw(r, "after"), errors.New("power cut"))
	} else {
		l.state.KillAfter(rapid.IntRange(0, 3).Draw(r, "after"))
	}
	for range rapid.IntRange(0, 3).Draw(r, "steps") {
		rapid.SampledFrom([]func(*rapid.T){l.sell, l.lend, func(*rapid.T) { _ = l.till.Tend(context.Background()) }}).Draw(r, "step")(r)
	}
	_ = l.till.Close() // it may have failed
	l.journal.FailAfter(0, nil)
	l.state.KillAfter(-1)
	if rapid.Bool().Draw(r, "cache lost") {
		l.state = tilltest.NewState()
	}
	l.till, _ = l.Open(r, l.journal, l.state)
	if l.till.Cursor() == "" {
		l.Restart()
		l.Feed(r, l.till, l.all(r)...)
	}
}

// all is what HQ's feed says from its beginning.
func (l *rightsLife) all(r *rapid.T) []wire.Item {
	items := append(l.Base(r), l.Item(r, wire.ItemMember, l.member.ID, l.member), l.Item(r, wire.ItemReward, l.five.ID, l.five),
		l.Lane(r, l.Writer), l.Item(r, wire.ItemTerminal, l.borrower.ID, l.borrower))
	for _, g := range l.rights {
		items = append(items, l.Granted(r, g, l.recalled[g.Right], false))
	}
	return items
}

// checkJournal adds up what the journal says of each right.
func (l *rightsLife) checkJournal(r *rapid.T) {
	amount, used := map[uuid.UUID]int64{}, map[uuid.UUID]int64{}
	released, received := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	sales := map[uuid.UUID]entry.Sale{}
	for _, g := range l.rights {
		amount[g.Right] = g.Amount
	}
	take := func(id uuid.UUID, n int64) {
		if n > 0 && (released[id] || !received[id]) {
			r.Fatalf("%d of right %s: released %v, received %v", n, id, released[id], received[id])
		}
		if used[id] += n; used[id] > amount[id] || used[id] < 0 {
			r.Fatalf("%d of right %s are used, it has %d", used[id], id, amount[id])
		}
	}
	for _, e := range entriesOf(r, l.journal, 1) {
		switch e.Kind {
		case entry.KindSale:
			sale, err := entry.DecodeBody[entry.Sale](e)
			if err != nil {
				r.Fatal(err)
			}
			sales[sale.ID] = sale
			for _, k := range sale.Kept {
				amount[sale.ID], received[sale.ID] = k.Amount, true
			}
			for _, x := range sale.Redeemed {
				take(x.Right, x.Amount)
			}
		case entry.KindVoid:
			void, err := entry.DecodeBody[entry.Void](e)
			if err != nil {
				r.Fatal(err)
			}
			// One that ended very long ago is nobody's any more: HQ took it back then.
			kept := sales[void.Sale].Kept
			old := len(kept) > 0 && e.At().Sub(time.UnixMilli(kept[0].EndsAt)) > 89*24*time.Hour
			if len(kept) > 0 && !old && !released[void.Sale] && used[void.Sale] < amount[void.Sale] {
				r.Fatalf("the sale is voided and what it kept is not released")
			}
			for _, x := range sales[void.Sale].Redeemed {
				take(x.Right, -x.Amount)
			}
		case entry.KindAllowanceChange:
			c, err := entry.DecodeBody[entry.AllowanceChange](e)
			if err != nil || c.Check() != nil {
				r.Fatal(err, c.Check())
			}
			switch c.Op {
			case entry.AllowanceReceived:
				if received[c.Right] || c.Amount != amount[c.Right] {
					r.Fatalf("received %+v, twice or not as granted", c)
				}
				received[c.Right] = true
			case entry.AllowanceLent:
				take(c.Parent, c.Amount)
			case entry.AllowanceReleased:
				if released[c.Right] || received[c.Right] && c.Amount != amount[c.Right]-used[c.Right] {
					r.Fatalf("released %+v; of %d %d are used", c, amount[c.Right], used[c.Right])
				}
				released[c.Right] = true
			}
		}
	}
}

func TestG2_NoRightGivesMoreThanItHasInAnyLife(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newShop(t, func(s *shop) { noStandIn(s); s.Policy.SpendEarned = true })
		l := &rightsLife{shop: s, recalled: map[uuid.UUID]bool{}, borrower: wire.Terminal{
			ID: s.NewID(), Store: s.Store, Epoch: 1, State: "enrolled", PublicKey: make([]byte, 32),
		}}
		defer func() { _ = l.till.Close() }()
		s.Feed(r, s.till, s.Lane(r, s.Writer), s.Item(r, wire.ItemTerminal, l.borrower.ID, l.borrower))
		r.Repeat(map[string]func(*rapid.T){
			"grant": l.grant, "recall": l.recall, "sell": l.sell, "void": l.void, "lend": l.lend, "lend again": l.lendAgain,
			"pass": l.pass, "crash": l.crash, "": l.checkJournal,
		})
	})
}

// The same life finds a till that forgets what it spent when it restarts.
func TestMutantsSpendMoreThanTheyHave(t *testing.T) {
	for mutant, overspend := range map[till.Mutant]func(*testing.T, *shop, *lane){
		till.MutantForgetSpent: func(t *testing.T, s *shop, _ *lane) {
			s.commit(t, "a", s.buy(t, 20_000, points(s.five, 3)))
			if err := s.till.Close(); err != nil {
				t.Fatal(err)
			}
			s.open(t)
		},
		till.MutantFreeLoans: func(t *testing.T, s *shop, l *lane) {
			if _, err := l.commit("a", s.buy(t, 20_000, points(s.five, 3))); err != nil {
				t.Fatal(err)
			}
			s.Pass(time.Hour)
		},
		till.MutantNone: func(t *testing.T, s *shop, _ *lane) { s.commit(t, "a", s.buy(t, 20_000, points(s.five, 3))) },
	} {
		s, l := newLanes(t, func(s *shop) { s.Mutant = mutant }, 300)
		overspend(t, s, l)
		_, err := s.till.Commit(context.Background(), tilltest.Commit("b", s.buy(t, 20_000, points(s.five, 3))))
		if (err == nil) != (mutant != till.MutantNone) {
			t.Errorf("mutant %d spends 300 of 300 points again: %v", mutant, err)
		}
	}
}
