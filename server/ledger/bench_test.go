package ledger_test

import (
	"fmt"
	"testing"
	"time"

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
	hq.Clock.Set(till.Now())
	b.ResetTimer()
	till.Sync(b, 1)
	pushed := b.Elapsed()
	hq.Apply(b)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(float64(b.N)/pushed.Seconds(), "pushed/s")
}

// BenchmarkRefold applies one late sale to an account with this many facts; one
// operation is one late fact with everything it makes HQ fold and compare again. It is
// a minute late, or as late as the account is old. What is earned is spent soon after.
func BenchmarkRefold(b *testing.B) {
	for _, facts := range []int{100, 1000, 10_000} {
		for _, late := range []string{"a minute", "all"} {
			b.Run(fmt.Sprintf("%d facts, late by %s", facts, late), func(b *testing.B) { refold(b, facts, late == "all") })
		}
	}
}

func refold(b *testing.B, facts int, first bool) {
	hq := books.New(b)
	account := hq.Member(b, "ann", 1000)
	late, busy := hq.Till(b, "late"), hq.Till(b, "busy")
	busy.Skip(time.Hour)
	for range facts {
		busy.Sell(b, account, 900, 8)
	}
	if !first {
		late.Skip(busy.Now().Sub(late.Now()) - time.Minute)
	}
	for range b.N {
		late.Sell(b, account, 900, 8)
	}
	hq.Clock.Set(busy.Now())
	busy.Sync(b, 1)
	hq.Apply(b)
	if _, err := late.Push(1, 1); err != nil {
		b.Fatal(err)
	}
	hq.Apply(b)
	b.ResetTimer()
	for i := range b.N {
		if _, err := late.Push(i+2, i+2); err != nil {
			b.Fatal(err)
		}
		hq.Apply(b)
	}
}
