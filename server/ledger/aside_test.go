package ledger_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

func onBoth(t *testing.T, test func(t *testing.T, hq *books.HQ)) {
	t.Run("sqlite", func(t *testing.T) { test(t, books.New(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, books.On(t, blank.PostgreSQL(t), 0)) })
}

// One account that cannot be folded, by an error or by a panic, stops nobody: its facts
// are set aside with an exception, all others count, and when it can be folded again
// they count too, once, and the books are as if nothing had been.
func TestG5_AnAccountThatCannotBeFoldedIsSetAsideAlone(t *testing.T) {
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("the algebra has a hole") },
		"panic": func() error { panic("index out of range") },
	} {
		t.Run(name, func(t *testing.T) { onBoth(t, func(t *testing.T, hq *books.HQ) { setAsideAlone(t, hq, fail) }) })
	}
}

func setAsideAlone(t *testing.T, hq *books.HQ, fail func() error) {
	var accounts []uuid.UUID
	for _, who := range []string{"ann", "bob", "cid", "dan"} {
		accounts = append(accounts, hq.Member(t, who, 100))
	}
	ann, till, late := accounts[0], hq.Till(t, "1"), hq.Till(t, "2")
	broken := true
	hq.Ledger.Unfoldable(func(account uuid.UUID, _ journal.Hash) error {
		if broken && account == ann {
			return fail()
		}
		return nil
	})
	for range 3 {
		for _, a := range accounts {
			till.Sell(t, a, 1000, 5)
		}
	}
	undone := till.Sell(t, ann, 2000, 0)
	till.Void(t, undone, ann)
	late.Sell(t, ann, 500, 1) // folded again from before the others
	till.Sync(t, 1)
	late.Sync(t, 1)
	hq.Apply(t)
	for _, a := range accounts[1:] {
		if h := hq.Holding(t, a, "points"); h.Free != 100+3*4 {
			t.Errorf("another account has %d", h.Free)
		}
	}
	if h := hq.Holding(t, ann, "points"); h.Free != 100 {
		t.Errorf("the broken account has %d", h.Free)
	}
	named := hq.Exceptions(t, ledger.FactSetAside)
	if len(named) != 6 || named[0].State != ledger.ExceptionOpen || named[0].Account != ann || !strings.Contains(named[0].Cause, "cannot be folded") {
		t.Errorf("%d exceptions: %+v", len(named), named)
	}
	status, err := hq.Ledger.Status(t.Context())
	if err != nil || status.SetAside != 6 {
		t.Errorf("status %+v, %v", status, err)
	}
	report, err := hq.Ledger.Verify(t.Context(), hq.Keys)
	if err != nil || len(report.Failures) != 6 || !strings.Contains(report.Failures[0].What, "is set aside") {
		t.Errorf("verification: %+v, %v", report.Failures, err)
	}
	progress, err := hq.Ledger.Progress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range progress {
		if p.Watermark != 1 || p.AppliedSeq != p.Head.Seq {
			t.Errorf("the watermark stands at %d of %d", p.Watermark, p.Head.Seq)
		}
	}

	if n, err := hq.Ledger.RetryAside(t.Context(), false); n != 0 || err != nil {
		t.Errorf("%d counted, %v", n, err)
	}
	broken = false
	if n, err := hq.Ledger.RetryAside(t.Context(), false); n != 0 || err != nil {
		t.Errorf("tried too early: %d counted, %v", n, err)
	}
	hq.Clock.Advance(time.Minute)
	if n, err := hq.Ledger.RetryAside(t.Context(), false); n != 6 || err != nil {
		t.Errorf("%d counted, %v", n, err)
	}
	for _, a := range accounts[1:] {
		if h := hq.Holding(t, a, "points"); h.Free != 100+3*4 {
			t.Errorf("another account has %d", h.Free)
		}
	}
	if h := hq.Holding(t, ann, "points"); h.Free != 100+3*4+3 {
		t.Errorf("the account has %d", h.Free)
	}
	for _, e := range hq.Exceptions(t, ledger.FactSetAside) {
		if e.State != ledger.ExceptionWithdrawn {
			t.Errorf("%+v", e)
		}
	}
	hq.Rebuilds(t)
}

// Rows that the database refuses are one account's too.
func TestG5_RowsThatTheDatabaseRefusesAreSetAsideAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, hq *books.HQ) {
		ann, bob := hq.Member(t, "ann", 100), hq.Member(t, "bob", 100)
		till := hq.Till(t, "1")
		till.Sell(t, ann, 1000, 0)
		till.Sell(t, bob, 1000, 0)
		till.Sync(t, 1)
		// A posting of ann's sale is there already, under another source.
		source := till.Hashes[1]
		taken := ledger.Posting{
			ID: uuid.NewSHA1(uuid.Nil, append(source[:], 0, 0, 0, 1)), Shard: shard.Of(ann), Account: ann, Source: journal.Hash{1}, Line: 1, Unit: "points",
			Amount: 1, From: loyalty.BookIssue, To: loyalty.BookSuspense, RecordedAt: hq.Clock.Now().UnixMilli(),
		}
		if err := hq.DB.SaveChanges(t.Context(), ledger.Changes{Postings: []ledger.Posting{taken}}); err != nil {
			t.Fatal(err)
		}
		hq.Apply(t)
		if h := hq.Holding(t, bob, "points"); h.Free != 110 {
			t.Errorf("the other account has %d", h.Free)
		}
		if h := hq.Holding(t, ann, "points"); h.Free != 100 {
			t.Errorf("the account has %d", h.Free)
		}
		if list := hq.Exceptions(t, ledger.FactSetAside); len(list) != 1 || list[0].Account != ann {
			t.Errorf("%+v", list)
		}
	})
}

// A rebuild sets aside what it cannot fold, and goes on.
func TestARebuildSetsAsideToo(t *testing.T) {
	hq := books.New(t)
	ann, bob := hq.Member(t, "ann", 100), hq.Member(t, "bob", 100)
	till := hq.Till(t, "1")
	hq.Ledger.Unfoldable(func(account uuid.UUID, _ journal.Hash) error {
		if account == ann {
			return errors.New("no")
		}
		return nil
	})
	till.Sell(t, ann, 1000, 0)
	till.Sell(t, bob, 1000, 0)
	till.Sync(t, 1)
	hq.Apply(t)
	again := books.On(t, "sqlite:"+filepath.Join(t.TempDir(), "again.db"), 0)
	if err := hq.DB.CopyLog(t.Context(), again.DB); err != nil {
		t.Fatal(err)
	}
	again.Ledger.Unfoldable(func(account uuid.UUID, source journal.Hash) error {
		if source == till.Hashes[1] {
			return errors.New("no")
		}
		return nil
	})
	if done, err := again.Ledger.Replay(t.Context(), hq.DB); err != nil || done.Missed != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if h := again.Holding(t, bob, "points"); h.Free != 110 {
		t.Errorf("the other account has %d", h.Free)
	}
	again.Ledger.Unfoldable(nil)
	if n, err := again.Ledger.RetryAside(t.Context(), true); n != 1 || err != nil {
		t.Errorf("%d counted, %v", n, err)
	}
	if h := again.Holding(t, ann, "points"); h.Free != 110 {
		t.Errorf("the account has %d", h.Free)
	}
}

// Time passes for all accounts but the one that cannot be folded, which is named.
func TestASweepGoesOnBesideABrokenAccount(t *testing.T) {
	hq := books.New(t)
	ann, bob := hq.Member(t, "ann", 0), hq.Member(t, "bob", 0)
	till := hq.Till(t, "1")
	till.Sell(t, ann, 1000, 0) // a cup that vests after 14 days
	till.Sell(t, bob, 1000, 0)
	till.Sync(t, 1)
	hq.Apply(t)
	hq.Ledger.Unfoldable(func(account uuid.UUID, _ journal.Hash) error {
		if account == ann {
			return errors.New("no")
		}
		return nil
	})
	hq.Clock.Advance(30 * 24 * time.Hour)
	if done, err := hq.Ledger.Sweep(t.Context()); !ledger.Broken(err) || done.Accounts != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if h := hq.Holding(t, bob, "cups"); h.Free != 1 {
		t.Errorf("the other account: %+v", h)
	}
	hq.Ledger.Unfoldable(nil)
	if _, err := hq.Ledger.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if h := hq.Holding(t, ann, "cups"); h.Free != 1 {
		t.Errorf("the account: %+v", h)
	}
	hq.Verify(t)
}
