package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// What was redeemed with a pass that had been replaced twice by then, and was not there,
// is the loss of an expired pass; what was redeemed before, or with the one before the
// newest, is the policy's. It is so too when the account moves.
func TestALossByAReplacedPass(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { replacedPass(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { replacedPass(t, books.On(t, blank.PostgreSQL(t), 1)) })
}

func replacedPass(t *testing.T, hq *books.HQ) {
	account, till := hq.Member(t, "ann", 0), hq.Till(t, "1")
	ann := uuid.NewSHA1(hq.ID, []byte("member ann"))
	issue := func(n uint16) {
		hq.Clock.Advance(time.Hour)
		if err := hq.Ledger.PutMember(context.Background(), wire.Member{ID: ann, Account: account, Issue: n}, uuid.Nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	redeem := func(n uint16, amount int64) {
		till.Skip(hq.Clock.Now().Sub(till.Now()) + time.Minute)
		sale := till.Sale(t, account, 0, amount)
		sale.Member, sale.Freshness = ann, entry.FreshnessStatic
		sale.Code = &entry.Code{Subject: ann, KeyID: 1, Issue: n}
		till.Write(t, entry.KindSale, sale)
	}
	redeem(1, 1)
	issue(2)
	redeem(1, 2) // the one before the newest
	before := till.Sale(t, account, 0, 4)
	before.Member, before.Code = ann, &entry.Code{Subject: ann, KeyID: 1, Issue: 1}
	till.Write(t, entry.KindSale, before)
	issue(3)
	redeem(1, 8)
	redeem(3, 16)
	redeem(0, 32) // of another kind of pass
	till.Sync(t, 1)
	hq.Apply(t)
	want := map[int64]loyalty.LossCause{
		1: loyalty.LossPolicy, 2: loyalty.LossPolicy, 4: loyalty.LossPolicy, 8: loyalty.LossExpired, 16: loyalty.LossPolicy, 32: loyalty.LossPolicy,
	}
	check := func() {
		t.Helper()
		seen := 0
		for _, e := range hq.Exceptions(t, ledger.Overdraw) {
			if e.State == ledger.ExceptionOpen {
				seen++
				if e.Attribution != want[e.Amount] || e.Liable != "programme" {
					t.Errorf("%d: %s, %s answers", e.Amount, e.Attribution, e.Liable)
				}
			}
		}
		if seen != len(want) {
			t.Errorf("%d losses", seen)
		}
	}
	check()
	late := hq.Till(t, "2")
	late.Write(t, entry.KindNote, entry.Note{Code: entry.NoteStarted})
	late.Sell(t, account, 0, 64) // folded before all others
	want[64] = loyalty.LossPolicy
	late.Sync(t, 1)
	hq.Apply(t)
	check()
	hq.Verify(t)
	rows, _, err := hq.Ledger.Exceptions(t.Context(), ledger.ExceptionFilter{Attribution: loyalty.LossExpired}, "", 0)
	if err != nil || len(rows) != 1 || rows[0].Amount != 8 {
		t.Errorf("losses by expired passes: %+v, %v", rows, err)
	}
	losses, err := hq.Ledger.Losses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sums := map[loyalty.LossCause]int64{}
	for _, l := range ledger.LossTotal(losses) {
		sums[l.Cause] += l.Amount
	}
	if sums[loyalty.LossExpired] != 8 || sums[loyalty.LossPolicy] != 1+2+4+16+32+64 {
		t.Errorf("sums %v", sums)
	}
	hq.Rebuilds(t)
	if owned, err := hq.DB.PassIssues(t.Context(), []ledger.PassKey{{Shard: shard.Of(account), Member: ann}}); err != nil || len(owned) != 2 {
		t.Errorf("%+v, %v", owned, err)
	}
}
