package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/books"
)

// Every kind of stored row is changed behind HQ's back, one after the other, and
// verification names each.
func TestG6_VerifyNamesWhatWasTamperedWith(t *testing.T) {
	for _, c := range []struct{ name, statement, named string }{
		{"an entry's bytes", "UPDATE entries SET raw = raw || X'00' WHERE seq = 2", "entry 2: its bytes hash to"},
		{"an entry's hash", "UPDATE entries SET hash = randomblob(32) WHERE seq = 2", "entry 3: its bytes hash to"},
		{"an entry's kind", "UPDATE entries SET kind = 9 WHERE seq = 2", "entry 2: its columns"},
		{"an entry's time", "UPDATE entries SET occurred_at = occurred_at + 1 WHERE seq = 3", "entry 3: its columns"},
		{"an entry dropped", "DELETE FROM entries WHERE seq = 3", "entry 3 is missing"},
		{"the tail dropped", "DELETE FROM entries WHERE seq = 4", "entries after 3 are missing"},
		{"the tail and the head dropped", "DELETE FROM entries WHERE seq = 4; UPDATE branches SET head_seq = 3, applied_seq = 3, " +
			"head_hash = (SELECT hash FROM entries WHERE seq = 3)", "signs a head that is not in the journal"},
		{"a batch's signature", "UPDATE batches SET signature = randomblob(64)", "signature does not verify"},
		{"a batch dropped", "DELETE FROM batches", "no checkpoint covers"},
		{"a receipt", "UPDATE batches SET receipt = X'80'", "receipt of batch"},
		{"HQ's entry", "UPDATE hq_journal SET raw = raw || X'00' WHERE seq = 1", "HQ journal of shard"},
		{"HQ's tail dropped", "DELETE FROM hq_journal WHERE seq = 3", "entries after 2 are missing"},
		{"HQ's checkpoint", "UPDATE hq_checkpoints SET signature = randomblob(64)", "checkpoint"},
		{"a source dropped", "DELETE FROM sources WHERE kind = 2", "sources are stored"},
		{"a source exchanged", "UPDATE sources SET source = randomblob(32) WHERE kind = 2", "not those of the"},
		{"a posting's amount", "UPDATE postings SET amount = amount + 1 WHERE line = 1", "by its postings"},
		{"a posting dropped", "DELETE FROM postings WHERE line = 1", "by its postings"},
		{"a posting's id", "UPDATE postings SET id = randomblob(16) WHERE line = 1", "does not derive"},
		{"a holding", "UPDATE holdings SET free = free + 1 WHERE unit = 'points'", "all books sum to 1"},
		{"a holding dropped", "DELETE FROM holdings", "has postings and no holding"},
		{"a lot", "UPDATE lots SET remaining = remaining + 1, amount = amount + 1 WHERE unit = 'points' AND remaining > 0", "lots do not match"},
		{"a book", "UPDATE books SET balance = balance - 1 WHERE unit = 'points'", "is stored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			hq, path := tamperable(t)
			tamper(t, path, c.statement)
			report, err := hq.Ledger.Verify(context.Background(), hq.Keys)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Failures {
				if strings.Contains(f.Where+": "+f.What, c.named) {
					return
				}
			}
			t.Errorf("found %v, want something with %q", report.Failures, c.named)
		})
	}
}

func tamperable(t *testing.T) (*books.HQ, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hq.db")
	hq := books.On(t, "sqlite:"+path, 0)
	account := hq.Member(t, "ann", 500)
	voucher := loyalty.Voucher{ID: loyalty.ID(uuid.NewSHA1(account, nil)), Account: loyalty.ID(account), Uses: 1}
	if err := hq.Ledger.IssueVoucher(context.Background(), voucher, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	if _, err := hq.Journal.Checkpoint(context.Background()); err != nil {
		t.Fatal(err)
	}
	till := hq.Till(t, "1")
	till.Sell(t, account, 2500, 200)
	till.Sell(t, account, 2500, 0)
	till.Sell(t, account, 2500, 0)
	deliver(t, hq, till)
	return hq, path
}

func tamper(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	result, err := db.Exec(statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("nothing was tampered with: %d, %v", n, err)
	}
}

// HQ may stop when facts are posted and the cursors do not say so yet: nothing is wrong, and
// it finds them applied when it goes on.
func TestVerifyKnowsWhatAStopLeft(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2500, 200)
	till.Sell(t, account, 2500, 0)
	stopped := errors.New("stopped")
	hq.Ledger.BreakBetween(func() error { return stopped })
	till.Sync(t, 1)
	if _, err := hq.Ledger.Apply(t.Context()); !errors.Is(err, stopped) {
		t.Fatal(err)
	}
	if _, err := hq.Journal.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		hq.Verify(t)
		hq.Ledger.BreakBetween(nil)
		hq.Apply(t)
	}
	if got := hq.Holding(t, account, "points").Free; got != 348 {
		t.Errorf("%d points", got)
	}
}
