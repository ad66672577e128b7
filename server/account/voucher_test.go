package account_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/wire"
)

// voucher gives a member a voucher with a record, as the programme does.
func (r *rig) voucher(t *testing.T, member uuid.UUID, name string) uuid.UUID {
	t.Helper()
	ctx, id, reward, account := context.Background(), uuid.NewSHA1(r.ID, []byte("voucher "+name)), uuid.NewSHA1(r.ID, []byte("reward")), r.accountOf(t, member)
	err := r.DB.AddVoucher(ctx, programme.Voucher{ID: id, Member: member, Account: account, Reward: reward, Uses: 2})
	if err == nil {
		err = r.Ledger.IssueVoucher(ctx, loyalty.Voucher{ID: id, Member: member, Account: account, Reward: reward, Uses: 2}, uuid.Nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// answers checks who answers for a voucher by its record, by the ledger and by what tills
// were told, and that its uses are there.
func (r *rig) answers(t *testing.T, when string, voucher, want uuid.UUID) {
	t.Helper()
	ctx, account := context.Background(), r.accountOf(t, want)
	kept, err := r.DB.Voucher(ctx, voucher)
	if err != nil {
		t.Fatal(err)
	}
	if kept.Member != want || kept.Account != account {
		t.Errorf("%s: the record says %s of %s, want %s of %s", when, kept.Member, kept.Account, want, account)
	}
	all, err := r.Ledger.Vouchers(ctx, account)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if uuid.UUID(v.ID) == voucher && (uuid.UUID(v.Member) != want || v.Left != 2) {
			t.Errorf("%s: the ledger says %+v", when, v)
		}
	}
	var last loyalty.Voucher
	var version uint64
	for cursor, more := "", true; more; {
		page, err := r.Feed.Page(ctx, r.till.Store, cursor, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			if item.Kind != wire.ItemVoucher || item.ID != voucher || item.Version < version {
				continue
			}
			state, err := wire.Unmarshal[wire.VoucherState](item.Body)
			if err != nil {
				t.Fatal(err)
			}
			last, version = state.Voucher, item.Version
		}
		cursor, more = page.Next, page.More
	}
	if uuid.UUID(last.Member) != want || uuid.UUID(last.Account) != account || last.Left != 2 {
		t.Errorf("%s: tills know %+v, want member %s", when, last, want)
	}
}

// After a merge whoever has the account answers for the vouchers of the first card, since
// that card may be blocked; the end of the merge gives them back, of a chain step by step.
func TestVouchersFollowAMerge(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob, dup := r.member(t, "ann", 0), r.member(t, "bob", 0), r.member(t, "dup", 0)
	given, own := r.voucher(t, dup, "given"), r.voucher(t, ann, "own")
	first, err := r.accounts.Merge(ctx, uuid.Nil, dup, ann, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.answers(t, "merged", given, ann)
	r.answers(t, "merged", own, ann)
	if err := r.Ledger.RenewVoucher(ctx, r.accountOf(t, ann), given, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	second, err := r.accounts.Merge(ctx, uuid.Nil, ann, bob, 3)
	if err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.answers(t, "merged twice", given, bob)
	r.answers(t, "merged twice", own, bob)
	if _, err := r.accounts.End(ctx, uuid.Nil, first.ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.answers(t, "the first ended", given, dup)
	r.answers(t, "the first ended", own, bob)
	if _, err := r.accounts.End(ctx, uuid.Nil, second.ID, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.answers(t, "both ended", given, dup)
	r.answers(t, "both ended", own, ann)
	if all, err := r.Ledger.Vouchers(ctx, r.accountOf(t, dup)); err != nil || len(all) != 1 || all[0].CodeIssue() != 2 {
		t.Errorf("its code's issue did not go along: %+v, %v", all, err)
	}
	r.Verify(t)
	r.Rebuilds(t)
}

// In a household each answers for their own.
func TestVouchersInAHouseholdStayWithTheirMember(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 0), r.member(t, "bob", 0)
	v := r.voucher(t, ann, "ann's")
	if _, _, err := r.accounts.OpenHousehold(ctx, uuid.Nil, []uuid.UUID{ann, bob}, 3); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	r.answers(t, "in a household", v, ann)
}
