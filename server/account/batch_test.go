package account_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/programme"
)

func TestListIsLookedAtBookedAndUndone(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann, bob := r.member(t, "ann", 100), r.member(t, "bob", 10)
	voucher := uuid.NewSHA1(r.ID, []byte("voucher"))
	err := r.DB.AddVoucher(ctx, programme.Voucher{ID: voucher, Member: bob, Account: r.accountOf(t, bob), Uses: 1})
	if err == nil {
		err = r.Ledger.IssueVoucher(ctx, loyalty.Voucher{ID: voucher, Member: bob, Account: r.accountOf(t, bob), Uses: 1}, uuid.Nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := r.accounts.Preview(ctx, uuid.Nil, 3, []account.Wanted{
		{Member: ann, Unit: "points", Amount: 40, ExpiresAt: books.Start.Add(time.Hour)},
		{Reference: "ann", Unit: "points", Amount: -120},
		{Member: bob, Unit: "points", Amount: -5},
		{Voucher: voucher},
	})
	if err != nil || b.Refused != 0 || b.State != account.BatchPreview {
		t.Fatalf("%+v, %v", b, err)
	}
	rows, err := r.accounts.Rows(ctx, b.ID, 0, 10)
	if err != nil || len(rows) != 4 || rows[1].FreeBefore != 140 || rows[3].Member != bob {
		t.Fatalf("%+v, %v", rows, err)
	}
	if r.points(t, ann).Free != 100 {
		t.Error("a preview changed an account")
	}
	if b, err = r.accounts.Commit(ctx, uuid.Nil, b.ID, false); err != nil || b.State != account.BatchCommitting {
		t.Fatalf("%+v, %v", b, err)
	}
	r.settle(t)
	if b, err = r.accounts.Batch(ctx, b.ID); err != nil || b.State != account.BatchCommitted || b.Counts[account.RowDone] != 4 {
		t.Fatalf("%+v, %v", b, err)
	}
	if r.points(t, ann).Free != 20 || r.points(t, bob).Free != 5 || !r.blocked(t, bob) {
		t.Errorf("%+v, %+v", r.points(t, ann), r.points(t, bob))
	}
	_, err = r.accounts.Commit(ctx, uuid.Nil, b.ID, false)
	wantCode(t, err, problem.StateConflict)
	// The 40 given were taken by the next row, whose undo comes first.
	if _, err = r.accounts.Undo(ctx, uuid.Nil, b.ID); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	if b, err = r.accounts.Batch(ctx, b.ID); err != nil || b.State != account.BatchUndone || b.Counts[account.RowUndone] != 4 {
		t.Fatalf("%+v, %v", b, err)
	}
	rows, err = r.accounts.Rows(ctx, b.ID, 0, 10)
	if err != nil || rows[0].Undone != -40 || rows[1].Undone != 120 || rows[2].Undone != 5 {
		t.Errorf("%+v, %v", rows, err)
	}
	if r.points(t, ann).Free != 100 || r.points(t, bob).Free != 10 || r.blocked(t, bob) {
		t.Errorf("%+v, %+v", r.points(t, ann), rows)
	}
	r.Verify(t)
}

func (r *rig) blocked(t *testing.T, member uuid.UUID) bool {
	t.Helper()
	all, err := r.Ledger.Vouchers(context.Background(), r.accountOf(t, member))
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0].Blocked
}

func TestListSaysWhatIsWrongRowByRow(t *testing.T) {
	r, ctx := newRig(t), context.Background()
	ann := r.member(t, "ann", 100)
	wanted := []account.Wanted{
		{Member: ann, Unit: "points", Amount: -60},
		{Member: ann, Unit: "points", Amount: -60},
		{Member: uuid.New(), Unit: "points", Amount: 1},
		{Reference: "nobody", Unit: "points", Amount: 1},
		{Member: ann, Unit: "stars", Amount: 1},
		{Member: ann, Unit: "points", Amount: 0},
		{Member: ann, Unit: "points", Amount: 1 << 62},
		{Member: ann, Unit: "points", Amount: loyalty.MaxAmount},
		{Member: ann, Unit: "points", Amount: -1, ExpiresAt: books.Start.Add(time.Hour)},
		{Voucher: uuid.New()},
		{Voucher: uuid.New(), Unit: "points", Amount: 1},
	}
	b, err := r.accounts.Preview(ctx, uuid.Nil, 3, wanted)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.accounts.Rows(ctx, b.ID, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []problem.Code{
		"", problem.PointsInsufficient, problem.MemberUnknown, problem.MemberUnknown, problem.UnitUnknown, problem.AmountInvalid,
		problem.AmountInvalid, problem.AmountOverflow, problem.InvalidField, problem.VoucherUnknown, problem.InvalidField,
	} {
		if rows[i].Problem != want {
			t.Errorf("row %d: %q %s, want %q", i+1, rows[i].Problem, rows[i].Detail, want)
		}
	}
	_, err = r.accounts.Commit(ctx, uuid.Nil, b.ID, false)
	wantCode(t, err, problem.StateConflict)
	if _, err := r.accounts.Commit(ctx, uuid.Nil, b.ID, true); err != nil {
		t.Fatal(err)
	}
	// What was free in the preview may be gone: the row is refused then.
	if err := r.Adjust(r.accountOf(t, ann), -70); err != nil {
		t.Fatal(err)
	}
	r.settle(t)
	rows, err = r.accounts.Rows(ctx, b.ID, 0, 1)
	if err != nil || rows[0].State != account.RowRefused || rows[0].Problem != problem.PointsInsufficient || r.points(t, ann).Free != 30 {
		t.Errorf("%+v, %v", rows, err)
	}
	for _, bad := range [][]account.Wanted{nil, make([]account.Wanted, account.MaxRows+1)} {
		_, err := r.accounts.Preview(ctx, uuid.Nil, 3, bad)
		wantCode(t, err, problem.InvalidField)
	}
	r.Verify(t)
}
