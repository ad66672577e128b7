package ledger_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
)

// overtaken is a store that lets somebody else go first who waits for the same accounts.
type overtaken struct {
	ledger.Store
	first func(ctx context.Context)
}

func (o *overtaken) LockAccounts(ctx context.Context, keys []ledger.AccountKey) ([]ledger.AccountRow, error) {
	if first := o.first; first != nil {
		o.first = nil
		first(ctx)
	}
	return o.Store.LockAccounts(ctx, keys)
}

// Of two who change a voucher at once neither undoes what the other did: a code that was
// taken back stays so when the voucher is blocked at the same moment.
func TestTwoChangesOfAVoucherBothCount(t *testing.T) {
	hq := books.New(t)
	ctx, account, voucher := t.Context(), hq.Member(t, "ann", 500), uuid.New()
	if err := hq.Ledger.IssueVoucher(ctx, loyalty.Voucher{ID: voucher, Account: account, Reward: uuid.New(), Uses: 1}, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	store := &overtaken{Store: hq.DB, first: func(ctx context.Context) {
		if err := hq.Ledger.RenewVoucher(ctx, account, voucher, uuid.Nil); err != nil {
			t.Error(err)
		}
	}}
	slower := ledger.New(ledger.Options{Store: store, Journal: hq.Journal, Feed: hq.Feed, Rules: hq, Clock: hq.Clock, HQ: hq.ID})
	if err := slower.BlockVoucher(ctx, account, voucher, true, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	got, err := hq.Ledger.Vouchers(ctx, account)
	if err != nil || len(got) != 1 || !got[0].Blocked || got[0].CodeIssue() != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
