package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// A till that knows nothing of a member but the pass writes the member's id where the
// account stands. HQ finds the account, for the sale and for what undoes it.
func TestSalesOfMembersATillDidNotKnowAreAttributed(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { attributed(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { attributed(t, books.On(t, blank.PostgreSQL(t), 1)) })
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

// A member moves to another account after a crash between posting a sale that named the
// member and moving the cursor: what is read again counts where it was posted.
func TestG4_AMemberWhoMovesAfterACrashIsCountedOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { movedAfterACrash(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { movedAfterACrash(t, books.On(t, blank.PostgreSQL(t), 1)) })
}

func movedAfterACrash(t *testing.T, hq *books.HQ) {
	ctx := t.Context()
	account := hq.Member(t, "ann", 100)
	ann, late := uuid.NewSHA1(hq.ID, []byte("member ann")), uuid.NewSHA1(hq.ID, []byte("member late"))
	till := hq.Till(t, "1")
	sell := func(member uuid.UUID, redeem int64) entry.Sale {
		sale := till.Sale(t, member, 1000, redeem)
		sale.Member, sale.Account = member, member
		till.Write(t, entry.KindSale, sale)
		return sale
	}
	sell(ann, 30)
	voided := sell(ann, 0)
	till.Write(t, entry.KindVoid, entry.Void{
		ID: uuid.NewSHA1(till.ID, []byte("v")), Sale: voided.ID, Member: ann, Account: ann, Key: "v", KeyHash: make([]byte, 32),
	})
	sell(late, 0) // HQ does not know the member yet
	till.Sync(t, 1)
	hq.Ledger.BreakBetween(func() error { return errPowerCut })
	if _, err := hq.Ledger.Apply(ctx); !errors.Is(err, errPowerCut) {
		t.Fatalf("apply: %v", err)
	}
	hq.Ledger.BreakBetween(nil)
	holds(t, hq, account, 100-30+9, 0, 0)
	hq.Clock.Advance(time.Minute)
	other := hq.Member(t, "bo", 0)
	owned, err := hq.Ledger.Release(ctx, account, nil)
	if err == nil {
		err = hq.Ledger.Adopt(ctx, other, owned, uuid.Nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	joined := hq.Member(t, "late", 0)
	hq.Apply(t)
	holds(t, hq, account, 100-30+9, 0, 0)
	holds(t, hq, other, 0, 0, 0)
	holds(t, hq, joined, 0, 0, 0)
	hq.Verify(t)
}
