package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
)

// Sets that follow each other, each in groups side by side, by two replicas at once: every
// sale counts once, and the books are as if one had applied them in turn.
func TestG4_GroupsSideBySidePostEachSaleOnce(t *testing.T) {
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		const members, tills, sales = 40, 4, 250
		hq := books.On(t, dsn, shardsPerTx)
		other := books.On(t, dsn, shardsPerTx)
		accounts := make([]uuid.UUID, members)
		for i := range accounts {
			accounts[i] = hq.Member(t, fmt.Sprint("member ", i), 1000)
		}
		for n := range tills {
			till := hq.Till(t, fmt.Sprint(n))
			for i := range sales {
				till.Sell(t, accounts[n*members/tills+i%(members/tills)], 1000, 10)
			}
			till.Sync(t, 1)
		}
		var applying sync.WaitGroup
		for _, h := range []*books.HQ{hq, other} {
			applying.Go(func() {
				for {
					n, err := h.Ledger.ApplySets(context.Background(), 3)
					if err != nil {
						t.Error(err)
					}
					if n == 0 || err != nil {
						return
					}
				}
			})
		}
		applying.Wait()
		for i, id := range accounts {
			// A sale of 10.00 with 10 points redeemed earns 9.
			if h := hq.Holding(t, id, "points"); h.Free != 1000-sales*tills/members {
				t.Errorf("member %d has %d points, want %d", i, h.Free, 1000-sales*tills/members)
			}
		}
		hq.Verify(t)
	})
}
