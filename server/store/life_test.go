package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/sync/entry"
)

// Two tills give one id to two sales of accounts that a merge links, and one of the sales
// is voided: both count where they were made, and what comes after them is applied.
func TestG5_AnIDUsedTwiceOverAMergeStopsNothing(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		l := newLife(t, books.On(t, dsn, shardsPerTx), 1)
		one, other := l.tills[0], l.tills[1]
		twice := one.Sale(t, l.own[1], 2000, 0)
		one.Write(t, entry.KindSale, twice)
		one.Void(t, twice.ID, l.own[1])
		again := other.Sale(t, l.own[2], 3000, 0)
		again.ID = twice.ID
		other.Write(t, entry.KindSale, again)
		other.Sell(t, l.own[3], 4000, 0)
		if _, err := l.accounts.Merge(context.Background(), uuid.Nil, l.members[2], l.members[1], 3); err != nil {
			t.Fatal(err)
		}
		l.end()
		// 60, 120 and 180 to begin with, and the second and the third sale.
		if has, next := l.Holding(t, l.own[1], "points"), l.Holding(t, l.own[3], "points"); has.Balance() <= 60+120 || next.Balance() <= 180 {
			t.Errorf("the merged account has %d, the one that sold next %d", has.Balance(), next.Balance())
		}
		l.Verify(t)
		if _, found := rebuilt(t, l.HQ); len(found) > 0 {
			t.Errorf("%d rows differ after a rebuild, the first: %+v", len(found), found[0])
		}
	})
}

// A sale that had spent the points of a list comes after the list has taken them, once
// before and once after the list is undone, and then is voided: at every step the
// accounts have what their facts give, and nothing stops.
func TestG4_UndoingAListGivesBackWhatItTookAfterAll(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		l := newLife(t, books.On(t, dsn, shardsPerTx), 1)
		ctx, sales := context.Background(), []uuid.UUID{}
		l.Clock.Advance(3 * time.Hour)
		for i, till := range l.tills[:2] {
			till.Skip(2 * time.Hour)
			sale := till.Sale(t, l.own[1+i], 2500, 50)
			till.Write(t, entry.KindSale, sale)
			sales = append(sales, sale.ID)
		}
		list, err := l.accounts.Preview(ctx, uuid.Nil, 3, []account.Wanted{
			{Member: l.members[1], Unit: "points", Amount: -30}, {Member: l.members[2], Unit: "points", Amount: -100},
		})
		if err == nil {
			_, err = l.accounts.Commit(ctx, uuid.Nil, list.ID, false)
		}
		if err != nil {
			t.Fatal(err)
		}
		l.settle()
		l.Clock.Advance(time.Hour)
		l.deliver(0, 9)
		l.Apply(t)
		l.Verify(t)
		if _, err := l.accounts.Undo(ctx, uuid.Nil, list.ID); err != nil {
			t.Fatal(err)
		}
		l.settle()
		l.Verify(t)
		l.Clock.Advance(time.Hour)
		l.end()
		l.Verify(t)
		for i, till := range l.tills[:2] {
			till.Skip(4 * time.Hour)
			till.Void(t, sales[i], l.own[1+i])
		}
		l.Clock.Advance(4 * time.Hour)
		l.end()
		for i, want := range []int64{60, 120} {
			if has := l.Holding(t, l.own[1+i], "points"); has.Balance() != want || has.Overdraft != 0 {
				t.Errorf("account %d has %+v", i, has)
			}
		}
		l.Verify(t)
		if _, found := rebuilt(t, l.HQ); len(found) > 0 {
			t.Errorf("%d rows differ after a rebuild, the first: %+v", len(found), found[0])
		}
	})
}
