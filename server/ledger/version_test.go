package ledger_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/wire"
)

// A till takes no word of a record whose version it has heard already.
func TestEveryWordOfAMemberHasAHigherVersion(t *testing.T) {
	hq := books.New(t)
	till := hq.Till(t, "1")
	var last uint64
	told := func(after string) {
		t.Helper()
		page, err := hq.Feed.Page(context.Background(), till.Store, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if item.Kind != wire.ItemMember {
				continue
			}
			if item.Version <= last {
				t.Errorf("after %s: version %d follows %d", after, item.Version, last)
			}
			last = item.Version
		}
	}
	account := hq.Member(t, "ann", 0)
	told("enrolment")
	till.Sell(t, account, 1000, 0)
	deliver(t, hq, till)
	told("a sale")
	hq.Member(t, "ann", 0)
	told("a change of the member")
	if err := hq.Adjust(account, 5); err != nil {
		t.Fatal(err)
	}
	told("an adjustment")
	owned, err := hq.Ledger.Release(context.Background(), account, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := hq.Ledger.Adopt(context.Background(), account, owned, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	told("the member came back")
	hq.Verify(t)
}
