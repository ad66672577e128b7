package till_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// aboutRights are the records of a state store that rights make, all but the time of the
// next look at them.
func aboutRights(s *tilltest.State) map[string]string {
	out := s.Dump()
	maps.DeleteFunc(out, func(at, _ string) bool {
		switch till.Table(at[0]) {
		case till.TableRight, till.TableUse, till.TableLoan, till.TableGrant, till.TableDue:
			return false
		case till.TableItem:
			return wire.ItemKind(at[1]) != wire.ItemAllowance
		}
		return true
	})
	return out
}

// later lets days go by, with HQ's word that all is applied, and what is due done. Twice,
// since what is journalled then must be applied too. The till is closed in between: what is
// on its way into the store is there then.
func (s *shop) later(t tilltest.T, days int) {
	t.Helper()
	s.Pass(time.Duration(days) * 24 * time.Hour)
	s.settled(t)
	s.settled(t)
}

func (s *shop) settled(t tilltest.T) {
	t.Helper()
	s.Applied(t, s.till, s.journal.Head().Seq)
	if err := s.till.Tend(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.till, _ = s.Open(t, s.journal, s.state)
	s.Applied(t, s.till, s.journal.Head().Seq)
	s.round(t)
}

// round lets the till go through its whole store once.
func (s *shop) round(t tilltest.T) {
	t.Helper()
	for range 5 {
		if err := s.till.Tend(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

// everyEnd gives the shop rights that end in every way there is.
func everyEnd(t *testing.T, s *shop, l *lane) (grants []wire.Grant) {
	t.Helper()
	l.till.Connect(till.Helpers{Lender: l, Neighbours: l})
	s.Restart() // the second lane had the pages since
	for range 5 {
		grants = append(grants, s.Grant(s.member, 200))
	}
	for _, g := range grants {
		s.Feed(t, s.till, s.Granted(t, g, false, false))
	}
	s.commit(t, "spent out", s.buy(t, 90_000, points(s.five, 2)))
	s.commit(t, "spent in part", s.buy(t, 90_000, points(s.five, 1)))
	if _, err := l.commit("lent", s.buy(t, 90_000, points(s.five, 1))); err != nil {
		t.Fatal(err)
	}
	s.Feed(t, s.till, s.Granted(t, grants[3], true, false)) // recalled
	s.Feed(t, s.till, s.Granted(t, grants[4], false, true)) // taken back
	s.Feed(t, s.till, s.Item(t, wire.ItemAllowance, s.NewID(), wire.Allowance{Closed: true}))
	s.commit(t, "keeps", s.buy(t, 4000))
	void := s.commit(t, "voided", s.buy(t, 90_000, points(s.five, 1)))
	if _, err := s.till.Void(t.Context(), till.Void{SaleKey: "voided", Key: "void"}); err != nil {
		t.Fatal(void, err)
	}
	return grants
}

func TestRightsThatAreLongOverAreForgotten(t *testing.T) {
	s, l := newLanes(t, earning)
	defer func() { _ = s.till.Close() }() // later opens others
	grants := everyEnd(t, s, l)
	// While they are young nothing is forgotten but what HQ closed.
	s.later(t, 8)
	if n := len(aboutRights(s.state)); n < 10 {
		t.Errorf("%d records after a week", n)
	}
	s.later(t, 91)
	for at := range aboutRights(s.state) {
		if till.Table(at[0]) != till.TableItem {
			t.Errorf("still there after 99 days: table %d, % x", at[0], at[1:])
		}
	}
	s.later(t, 366) // what HQ said of a right that is not here
	if left := aboutRights(s.state); len(left) != 0 {
		t.Errorf("still there after 465 days: %q", left)
	}
	// HQ sends all grants again, as one that was restored from a backup of long ago.
	head := s.journal.Head()
	s.HQEpoch++
	s.Restart()
	for _, g := range grants {
		s.Feed(t, s.till, s.Granted(t, g, false, false))
	}
	s.later(t, 1)
	if held := l.Lendable(t.Context(), s.member.Account)[s.Writer.ID]; len(held) != 0 {
		t.Errorf("holds again %+v", held)
	}
	if left := aboutRights(s.state); len(left) != 0 {
		t.Errorf("kept again: %q", left)
	}
	if got := changesOf(t, s.journal, head.Seq+1); len(got) != 0 {
		t.Errorf("journalled %+v", got)
	}
	// A state store made anew from the journal comes to the same.
	s.reboot(t, true)
	if len(changesOf(t, s.journal, 1)) == 0 {
		t.Error("the journal says nothing of rights")
	}
	s.later(t, 1)
	if left := aboutRights(s.state); len(left) != 0 {
		t.Errorf("a rebuilt store has %q", left)
	}
}

// What HQ has not applied, or what is not released yet, is kept however old it is.
func TestRightsAreKeptUntilHQHasAppliedTheirEnd(t *testing.T) {
	s := newShop(t, noStandIn)
	defer func() { _ = s.till.Close() }() // later opens others
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 100), false, false))
	s.commit(t, "spent", s.buy(t, 90_000, points(s.five, 1)))
	seq := s.journal.Head().Seq
	s.Applied(t, s.till, seq-1)
	s.reboot(t, false)
	s.Pass(200 * 24 * time.Hour)
	s.Feed(t, s.till)
	s.round(t)
	if len(aboutRights(s.state)) == 0 {
		t.Error("forgotten before HQ applied the sale")
	}
	s.later(t, 2)
	if left := aboutRights(s.state); len(left) != 0 {
		t.Errorf("still there: %q", left)
	}
}

// The clock alone, however far it jumps, makes nobody forget.
func TestAClockThatJumpsForgetsNothing(t *testing.T) {
	s := newShop(t, noStandIn)
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 300), false, false))
	s.commit(t, "spent in part", s.buy(t, 90_000, points(s.five, 1)))
	s.Applied(t, s.till, s.journal.Head().Seq)
	s.reboot(t, false)
	s.Clock.Advance(10 * year)
	s.round(t)
	s.Clock.Advance(-10 * year)
	s.hearTrue()
	if sale := s.commit(t, "spent", s.buy(t, 90_000, points(s.five, 2))); sale.Body.Redeemed[0].Right == uuid.Nil {
		t.Errorf("redeemed %+v", sale.Body.Redeemed)
	}
}

// A loan that is forgotten is not made a second time for the question of then.
func TestG2_AnOldQuestionMakesNoSecondLoan(t *testing.T) {
	s, l := newLanes(t, nil, 300)
	defer func() { _ = s.till.Close() }() // later opens others
	asked := wire.BorrowRequest{
		V: 1, Right: s.NewID(), Account: s.member.Account, Unit: "points", Amount: 100, Epoch: l.writer.Epoch,
		HLC: uint64(clock.NewStamp(s.Clock.Now(), 0)),
	}
	if answer, err := s.till.Lend(t.Context(), wire.Terminal{ID: l.writer.ID}, asked); err != nil || len(answer.Loan) == 0 {
		t.Fatalf("%+v, %v", answer, err)
	}
	s.Restart() // the second lane took pages meanwhile
	s.Feed(t, s.till)
	s.later(t, 99)
	if left := aboutRights(s.state); len(left) != 0 {
		t.Errorf("still there: %q", left)
	}
	s.Feed(t, s.till, s.Granted(t, s.Grant(s.member, 300), false, false))
	if _, err := s.till.Lend(t.Context(), wire.Terminal{ID: l.writer.ID}, asked); problem.CodeOf(err) != problem.LoanRefused {
		t.Errorf("asked again after 99 days: %v", err)
	}
	for _, c := range s.changes(t, 1) {
		if c.Op == entry.AllowanceLent && c.Right == asked.Right && c.Parent == uuid.Nil {
			t.Errorf("%+v", c)
		}
	}
}

// long is the life of rights with months in it.
type longLife struct{ *rightsLife }

func (l longLife) months(r *rapid.T) {
	if l.Clock.Now().After(tilltest.Start.Add(2 * year)) {
		r.Skip("the keys of the world end")
	}
	l.Pass(time.Duration(rapid.IntRange(30, 200).Draw(r, "days")) * 24 * time.Hour)
	l.settled(r)
}

// replay lets HQ say all it ever said once more, with its words about the end of rights or,
// restored from a backup, without.
func (l longLife) replay(r *rapid.T) {
	if rapid.Bool().Draw(r, "restored") {
		l.HQEpoch++
		clear(l.recalled)
	}
	l.Restart()
	l.Feed(r, l.till, l.all(r)...)
}

func TestG2_NoForgottenRightComesBackInAnyLife(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := newShop(t, func(s *shop) { noStandIn(s); s.Policy.SpendEarned = true })
		l := longLife{&rightsLife{shop: s, recalled: map[uuid.UUID]bool{}, borrower: wire.Terminal{
			ID: s.NewID(), Store: s.Store, Epoch: 1, State: "enrolled", PublicKey: make([]byte, 32),
		}}}
		defer func() { _ = l.till.Close() }()
		s.Feed(r, s.till, s.Lane(r, s.Writer), s.Item(r, wire.ItemTerminal, l.borrower.ID, l.borrower))
		r.Repeat(map[string]func(*rapid.T){
			"grant": l.grant, "recall": l.recall, "sell": l.sell, "void": l.void, "lend": l.lend,
			"pass": l.pass, "months": l.months, "replay": l.replay, "crash": l.crash, "": l.checkJournal,
		})
		l.later(r, 1) // a release at the end of a right is remembered for longer than the right
		l.later(r, 460)
		if left := aboutRights(l.state); len(left) != 0 {
			r.Fatalf("never forgotten: %q", left)
		}
	})
}
