package feed_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// What a new terminal's snapshot costs, of 5,000 members of whom one in fifty has a tie
// to its store: go test -run '^$' -bench Snapshot ./server/feed
func BenchmarkSnapshot(b *testing.B) {
	for engine, open := range map[string]func() *books.HQ{
		"sqlite":   func() *books.HQ { return books.New(b) },
		"postgres": func() *books.HQ { return books.On(b, pg.Start(b).Database(b), 0) },
	} {
		b.Run(engine, func(b *testing.B) { snapshots(b, open()) })
	}
}

func snapshots(b *testing.B, hq *books.HQ) {
	const members, oneIn = 5000, 50
	var changes []ledger.MemberChange
	var ties []ledger.Tie
	for i := range members {
		m := wire.Member{ID: uuid.New(), Account: uuid.New(), Alias: fmt.Sprint("member ", i), Issue: 1}
		changes = append(changes, ledger.MemberChange{Member: m})
		if i%oneIn == 0 {
			ties = append(ties, ledger.Tie{TieKey: ledger.TieKey{Shard: shard.Of(m.Account), Member: m.ID, Store: storeA}, VisitedAt: 1})
		}
	}
	if err := hq.Ledger.PutMembers(b.Context(), uuid.Nil, changes); err != nil {
		b.Fatal(err)
	}
	if err := hq.DB.PutTies(b.Context(), ties); err != nil {
		b.Fatal(err)
	}
	tied := feed.New(hq.DB, hq.ID, 1)
	tied.Narrow()
	for name, f := range map[string]*feed.Feed{"all": hq.Feed, "ties": tied} {
		b.Run(name, func(b *testing.B) {
			items, size := 0, 0
			for b.Loop() {
				cursor := ""
				for more := true; more; {
					page, err := f.Page(b.Context(), storeA, cursor, wire.MaxFeedItems)
					if err != nil {
						b.Fatal(err)
					}
					for _, item := range page.Items {
						items, size = items+1, size+len(item.Body)
					}
					cursor, more = page.Next, page.More
				}
			}
			b.ReportMetric(float64(items)/b.Elapsed().Seconds(), "items/s")
			b.ReportMetric(float64(items)/float64(b.N), "items")
			b.ReportMetric(float64(size)/float64(items), "B/item")
		})
	}
}
