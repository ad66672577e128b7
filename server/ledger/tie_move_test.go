package ledger_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// A member who moves to another account, as in a merge, takes the ties along: the store
// that was visited is told of the new account without a visit, and no other store is.
func TestTiesMoveWithTheMember(t *testing.T) {
	hq := books.New(t)
	narrow(hq, 0)
	ann, bob := hq.Member(t, "ann", 500), hq.Member(t, "bob", 500)
	member := uuid.NewSHA1(hq.ID, []byte("member ann"))
	one, two := hq.Till(t, "1"), hq.Till(t, "2")
	sale := one.Sale(t, ann, 1000, 0)
	sale.Member = member
	one.Write(t, entry.KindSale, sale)
	one.Sync(t, 1)
	hq.Apply(t)
	owned, err := hq.Ledger.Release(t.Context(), ann, nil)
	if err == nil {
		err = hq.Ledger.Adopt(t.Context(), bob, owned, uuid.Nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for store, want := range map[uuid.UUID]uuid.UUID{one.Store: bob, two.Store: uuid.Nil} {
		var last uuid.UUID // by the highest version, as a till takes it
		var version uint64
		for cursor, more := "", true; more; {
			page, err := hq.Feed.Page(t.Context(), store, cursor, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				if item.Kind != wire.ItemMember || item.ID != member || item.Version < version {
					continue
				}
				m, err := wire.Unmarshal[wire.Member](item.Body)
				if err != nil {
					t.Fatal(err)
				}
				last, version = m.Account, item.Version
			}
			cursor, more = page.Next, page.More
		}
		if last != want {
			t.Errorf("store %s knows the member under account %s, want %s", store, last, want)
		}
	}
}

// Who inherits vouchers is tied to the stores that know them: these go on being told.
func TestStoresOfAGiverKnowTheHeir(t *testing.T) {
	hq := books.New(t)
	narrow(hq, 0)
	ann, bob := hq.Member(t, "ann", 500), hq.Member(t, "bob", 500)
	giver, heir := uuid.NewSHA1(hq.ID, []byte("member ann")), uuid.NewSHA1(hq.ID, []byte("member bob"))
	voucher := uuid.NewSHA1(hq.ID, []byte("voucher"))
	if err := hq.Ledger.IssueVoucher(t.Context(), loyalty.Voucher{ID: voucher, Member: giver, Account: ann, Uses: 1}, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	one := hq.Till(t, "1")
	sale := one.Sale(t, ann, 1000, 0)
	sale.Member = giver
	one.Write(t, entry.KindSale, sale)
	one.Sync(t, 1)
	hq.Apply(t)
	owned, err := hq.Ledger.Release(t.Context(), ann, nil)
	owned.Heir = heir
	if err == nil {
		err = hq.Ledger.Adopt(t.Context(), bob, owned, uuid.Nil)
	}
	if err == nil {
		err = hq.Ledger.BlockVoucher(t.Context(), bob, voucher, true, uuid.Nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	known, last := map[uuid.UUID]bool{}, loyalty.Voucher{}
	var version uint64
	for cursor, more := "", true; more; {
		page, err := hq.Feed.Page(t.Context(), one.Store, cursor, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			known[item.ID] = true
			if item.ID != voucher || item.Version < version {
				continue
			}
			v, err := wire.Unmarshal[wire.VoucherState](item.Body)
			if err != nil {
				t.Fatal(err)
			}
			last, version = v.Voucher, item.Version
		}
		cursor, more = page.Next, page.More
	}
	if !known[heir] || uuid.UUID(last.Member) != heir || !last.Blocked {
		t.Errorf("the store knows the heir: %t, and the voucher as %+v", known[heir], last)
	}
}
