package ledger_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// Whatever happens (overdraws, forged earnings, unknown accounts, revoked
// terminals, voids of any of them, corrections by hand) every book agrees with its
// postings and all of them sum to zero.
func TestG7_BooksSumToZeroWhateverHappens(t *testing.T) {
	hq := books.New(t)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		w := storm{hq: hq, till: hq.Till(t, fmt.Sprint(round))}
		w.accounts = []uuid.UUID{
			hq.Member(t, fmt.Sprint("a", round), 100), hq.Member(t, fmt.Sprint("b", round), 0),
			uuid.NewSHA1(hq.ID, []byte(fmt.Sprint("nobody", round))),
		}
		sent := 1
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			w.step(t)
			if rapid.IntRange(0, 3).Draw(t, "send") == 0 && sent <= len(w.till.Entries) {
				w.till.Sync(t, sent)
				sent = len(w.till.Entries) + 1
				hq.Apply(t)
			}
		}
		w.till.Sync(t, sent)
		hq.Apply(t)
		if round%10 == 0 {
			hq.Verify(t)
		}
	})
	hq.Verify(t)
	checkTrialBalance(t, hq)
}

type storm struct {
	hq       *books.HQ
	till     *books.Till
	accounts []uuid.UUID
	sales    []entry.Sale
}

func (w *storm) step(t *rapid.T) {
	account := rapid.SampledFrom(w.accounts).Draw(t, "account")
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		if len(w.sales) > 0 {
			sale := rapid.SampledFrom(w.sales).Draw(t, "sale")
			w.till.Void(t, sale.ID, sale.Account)
		}
	case 1:
		// It may be refused: nobody's account, or more than is free.
		_ = w.hq.Adjust(account, rapid.Int64Range(-50, 50).Draw(t, "adjust"))
	case 2:
		w.till.State = rapid.SampledFrom([]string{ingest.StateEnrolled, ingest.StateEnrolled, ingest.StateRevoked}).Draw(t, "state")
	default:
		sale := w.till.Sale(t, account, rapid.Int64Range(1, 3000).Draw(t, "total"), rapid.Int64Range(0, 150).Draw(t, "redeem"))
		if rapid.IntRange(0, 4).Draw(t, "forge") == 0 {
			sale.Earned = append(sale.Earned, entry.Earning{Unit: "points", Amount: 7})
		}
		w.till.Write(t, entry.KindSale, sale)
		w.sales = append(w.sales, sale)
	}
}

func checkTrialBalance(t *testing.T, hq *books.HQ) {
	t.Helper()
	balances, err := hq.Ledger.TrialBalance(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]int64{}
	for _, b := range balances {
		sums[b.Unit] += b.Amount
	}
	for unit, sum := range sums {
		if sum != 0 {
			t.Errorf("%s: the trial balance sums to %d", unit, sum)
		}
	}
	if len(sums) == 0 {
		t.Error("the trial balance is empty")
	}
}

func TestHistoryAndListsPageByCursor(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	for range 10 {
		till.Sell(t, account, 500, 60)
	}
	deliver(t, hq, till)
	ctx := context.Background()
	seen := map[uuid.UUID]bool{}
	for cursor := ""; ; {
		list, next, err := hq.Ledger.History(ctx, account, cursor, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			if seen[p.ID] {
				t.Fatalf("posting %s was listed twice", p.ID)
			}
			seen[p.ID] = true
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	status, err := hq.Ledger.Status(ctx)
	if err != nil || int64(len(seen)) != status.Postings {
		t.Errorf("listed %d postings, status says %+v, %v", len(seen), status, err)
	}
	var seqs []uint64
	for cursor := ""; ; {
		list, next, err := hq.Ledger.Entries(ctx, ledger.EntryFilter{Terminal: till.ID, State: ledger.Applied}, cursor, 4)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			seqs = append(seqs, e.Seq)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	for i, seq := range seqs {
		if seq != uint64(len(seqs)-i) {
			t.Fatalf("entries listed as %v", seqs)
		}
	}
	if len(seqs) != 11 {
		t.Errorf("%d entries listed, want 11", len(seqs))
	}
	if _, _, err := hq.Ledger.Entries(ctx, ledger.EntryFilter{}, "!", 4); err == nil {
		t.Error("a cursor of nonsense was taken")
	}
	one, err := hq.Ledger.EntriesAt(ctx, till.ID, 1, 2)
	if err != nil || len(one) != 1 || one[0].State != ledger.Applied {
		t.Fatalf("entry 2: %+v, %v", one, err)
	}
	if text, err := hq.Ledger.Describe(one[0]); err != nil || len(text) < 100 {
		t.Errorf("described as %s, %v", text, err)
	}
	progress, err := hq.Ledger.Progress(ctx)
	if err != nil || len(progress) != 1 || progress[0].Watermark != 11 {
		t.Errorf("progress: %+v, %v", progress, err)
	}
}
