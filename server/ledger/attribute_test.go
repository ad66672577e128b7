package ledger_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// A till that knows nothing of a member but the pass writes the member's id where the
// account stands. HQ finds the account, for the sale and for what undoes it.
func TestSalesOfMembersATillDidNotKnowAreAttributed(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { attributed(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { attributed(t, books.On(t, pg.Start(t).Database(t), 1)) })
}

func attributed(t *testing.T, hq *books.HQ) {
	account := hq.Member(t, "ann", 100)
	ann := uuid.NewSHA1(hq.ID, []byte("member ann"))
	nobody := uuid.NewSHA1(hq.ID, []byte("member nobody"))
	till := hq.Till(t, "1")
	sell := func(member uuid.UUID) entry.Sale {
		sale := till.Sale(t, member, 1000, 0)
		sale.Member, sale.Account = member, member
		till.Write(t, entry.KindSale, sale)
		return sale
	}
	free := func(want int64) {
		t.Helper()
		till.Sync(t, 1)
		hq.Apply(t)
		hq.Verify(t)
		if h := hq.Holding(t, account, "points"); h.Free != want {
			t.Errorf("%d points are free, want %d", h.Free, want)
		}
	}
	first, second := sell(ann), sell(ann)
	free(120)
	void := entry.Void{ID: uuid.NewSHA1(till.ID, []byte("v")), Sale: first.ID, Member: ann, Account: ann, Key: "v", KeyHash: make([]byte, 32)}
	till.Write(t, entry.KindVoid, void)
	free(110)
	till.Return(t, entry.Return{
		Sale: second.ID, Origin: till.ID, OriginEpoch: 1, Member: ann, Account: ann, Whole: true, Matched: true, Refund: second.Total,
	})
	free(100)
	if list := hq.Exceptions(t, ledger.UnknownMember); len(list) != 0 {
		t.Errorf("exceptions %+v", list)
	}
	sell(nobody)
	free(100)
	if list := hq.Exceptions(t, ledger.UnknownMember); len(list) != 2 || list[0].Member != nobody { // one a unit
		t.Errorf("a member nobody knows: %+v", list)
	}
}
