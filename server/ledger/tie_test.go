package ledger_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Stores are told of members with ties to them only, and of all that such a one has.
func TestStoresAreToldOfMembersTiedToThem(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { tiedOnly(t, books.New(t), 0) })
	t.Run("postgres", func(t *testing.T) { tiedOnly(t, books.On(t, blank.PostgreSQL(t), 1), 1) })
}

// narrow has the HQ tell by ties.
func narrow(hq *books.HQ, shardsPerTx int) {
	hq.Feed = feed.New(hq.DB, hq.ID, 1)
	hq.Feed.Narrow()
	hq.Journal = hqjournal.New(hq.DB, hq.Feed, hq.Clock, hq.ID, 1, hq.Signer)
	hq.Ledger = ledger.New(ledger.Options{
		Store: hq.DB, Journal: hq.Journal, Feed: hq.Feed, Rules: hq, Clock: hq.Clock, HQ: hq.ID, ShardsPerTx: shardsPerTx, Ties: true,
	})
}

func tiedOnly(t *testing.T, hq *books.HQ, shardsPerTx int) {
	narrow(hq, shardsPerTx)
	memberOf := func(name string) uuid.UUID { return uuid.NewSHA1(hq.ID, []byte("member "+name)) }
	ann, bob := hq.Member(t, "ann", 500), hq.Member(t, "bob", 500)
	voucher := loyalty.Voucher{ID: uuid.New(), Member: memberOf("ann"), Account: ann, Reward: uuid.New(), Uses: 2}
	if err := hq.Ledger.IssueVoucher(t.Context(), voucher, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	one, two := hq.Till(t, "1"), hq.Till(t, "2")
	cursors := map[uuid.UUID]string{}
	// told follows a store's feed and returns the members and vouchers it was told of.
	told := func(store uuid.UUID) (ids []uuid.UUID) {
		t.Helper()
		for {
			page, err := hq.Feed.Page(t.Context(), store, cursors[store], 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				if item.Kind == wire.ItemMember || item.Kind == wire.ItemVoucher {
					ids = append(ids, item.ID)
				}
			}
			if cursors[store] = page.Next; !page.More {
				return ids
			}
		}
	}
	want := func(what string, store uuid.UUID, ids ...uuid.UUID) {
		t.Helper()
		got := told(store)
		for _, id := range ids {
			if !slices.Contains(got, id) {
				t.Errorf("%s: the store was not told of %s", what, id)
			}
		}
		if len(got) != len(ids) {
			t.Errorf("%s: told of %d, want %d", what, len(got), len(ids))
		}
	}
	sell := func(till *books.Till, name string, account uuid.UUID) {
		sale := till.Sale(t, account, 1000, 0)
		sale.Member = memberOf(name)
		till.Write(t, entry.KindSale, sale)
		till.Sync(t, 1)
		hq.Apply(t)
	}
	want("nobody bought anywhere", one.Store)
	want("nobody bought anywhere", two.Store)
	sell(one, "ann", memberOf("ann")) // a till that knew only her pass
	want("ann came", one.Store, memberOf("ann"), uuid.UUID(voucher.ID))
	want("ann came to the other store", two.Store)
	sell(one, "ann", ann)
	want("ann came again", one.Store, memberOf("ann"))
	sell(two, "bob", bob)
	want("bob came to the other", one.Store)
	want("bob came", two.Store, memberOf("bob"))
	sell(two, "ann", ann)
	want("ann went to the other", two.Store, memberOf("ann"), uuid.UUID(voucher.ID))
	want("and is still ours", one.Store, memberOf("ann"), uuid.UUID(voucher.ID))
	if err := hq.Ledger.Tie(t.Context(), memberOf("bob"), one.Store); err != nil {
		t.Fatal(err)
	}
	want("bob was tied by hand", one.Store, memberOf("bob"))
	if err := hq.Ledger.Tie(t.Context(), uuid.New(), one.Store); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a member nobody knows: %v", err)
	}
	cursors = map[uuid.UUID]string{}
	want("a new lane", one.Store, memberOf("ann"), memberOf("bob"), uuid.UUID(voucher.ID))
	hq.Verify(t)
	rareVisits(t, hq, one, memberOf("ann"), ann)
}

// rareVisits sees that a tie is written again only after a month.
func rareVisits(t *testing.T, hq *books.HQ, till *books.Till, member, account uuid.UUID) {
	t.Helper()
	visited := func() int64 {
		t.Helper()
		ties, err := hq.DB.TiesOf(t.Context(), shard.Of(account), member)
		if err != nil || len(ties) != 2 {
			t.Fatalf("%+v, %v", ties, err)
		}
		for _, tie := range ties {
			if tie.Store == till.Store {
				return tie.VisitedAt
			}
		}
		return 0
	}
	first := visited()
	for _, c := range []struct {
		pause time.Duration
		again bool
	}{{20 * 24 * time.Hour, false}, {20 * 24 * time.Hour, true}} {
		hq.Clock.Advance(c.pause)
		till.Skip(c.pause)
		sale := till.Sale(t, account, 1000, 0)
		sale.Member = member
		till.Write(t, entry.KindSale, sale)
		till.Sync(t, 1)
		hq.Apply(t)
		if again := visited() > first; again != c.again {
			t.Errorf("after %s more the visit was noted: %v", c.pause, again)
		}
	}
}
