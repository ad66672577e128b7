package ledger_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// A loss by a code that a phone still showed because it had missed an update is what the
// policy allowed, for as long as it allowed it; and the stores are told of the same.
func TestALossWithinTheGraceOfAnUpdateIsThePolicys(t *testing.T) {
	hq := books.New(t)
	account, till := hq.Member(t, "ann", 0), hq.Till(t, "1")
	ann := uuid.NewSHA1(hq.ID, []byte("member ann"))
	put := func(n uint16, updated bool) {
		t.Helper()
		hq.Clock.Advance(time.Hour)
		change := ledger.MemberChange{Member: wire.Member{ID: ann, Account: account, Issue: n}, Updated: updated}
		if err := hq.Ledger.PutMembers(t.Context(), uuid.Nil, []ledger.MemberChange{change}); err != nil {
			t.Fatal(err)
		}
	}
	redeem := func(n uint16, amount int64) {
		till.Skip(hq.Clock.Now().Sub(till.Now()) + time.Minute)
		sale := till.Sale(t, account, 0, amount)
		sale.Member, sale.Code = ann, &entry.Code{Subject: ann, KeyID: 1, Issue: n}
		till.Write(t, entry.KindSale, sale)
	}
	told := func(want ...uint16) {
		t.Helper()
		page, err := hq.Feed.Page(t.Context(), uuid.New(), "", wire.MaxFeedItems)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			if it.Kind != wire.ItemMember {
				continue
			}
			m, err := wire.Unmarshal[wire.Member](it.Body)
			if err != nil || len(m.Replaced) != len(want) {
				t.Fatalf("told of %+v, %v; want %v", m.Replaced, err, want)
			}
			for i, r := range m.Replaced {
				if r.Issue != want[i] || r.At <= 0 {
					t.Errorf("told of %+v, want %v", m.Replaced, want)
				}
			}
		}
	}
	told()
	put(2, true)
	put(3, true)
	put(3, false) // another change of the member is no new issue
	told(2, 1)
	redeem(1, 1) // missed two updates, an hour ago
	hq.Clock.Advance(7 * 24 * time.Hour)
	redeem(1, 2) // and a week ago
	put(4, true)
	redeem(2, 4) // replaced more than a week ago
	put(5, false)
	told() // the phone was lost: what it shows is taken from it
	put(6, true)
	told(5)
	redeem(4, 8)
	till.Sync(t, 1)
	hq.Apply(t)
	told(5)
	want := map[int64]loyalty.LossCause{1: loyalty.LossPolicy, 2: loyalty.LossExpired, 4: loyalty.LossExpired, 8: loyalty.LossExpired}
	seen := 0
	for _, e := range hq.Exceptions(t, ledger.Overdraw) {
		if seen++; e.Attribution != want[e.Amount] {
			t.Errorf("%d: %s, want %s", e.Amount, e.Attribution, want[e.Amount])
		}
	}
	if seen != len(want) {
		t.Errorf("%d losses", seen)
	}
	hq.Verify(t)
	hq.Rebuilds(t)
}
