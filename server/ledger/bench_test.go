package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
)

// BenchmarkPushAndApply takes sales that earn and redeem through ingest and apply,
// in batches of 500 over 1,000 accounts; one operation is one entry.
func BenchmarkPushAndApply(b *testing.B) {
	hq := books.New(b)
	var accounts []uuid.UUID
	for i := range 1000 {
		accounts = append(accounts, hq.Member(b, fmt.Sprint(i), 1_000_000))
	}
	till := hq.Till(b, "1")
	for i := range b.N {
		till.Sell(b, accounts[i*7919%len(accounts)], 2500, 10)
	}
	b.ResetTimer()
	till.Sync(b, 1)
	pushed := b.Elapsed()
	hq.Apply(b)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(b.N)/pushed.Seconds(), "pushed/s")
}
