package ledger_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/sync/entry"
)

// An entry with numbers that no database has a column for stops nothing that comes
// after it.
func TestG5_NumbersBeyondADatabaseStopNobody(t *testing.T) {
	for name, write := range map[string]func(till *books.Till, account uuid.UUID){
		"the rule set and the policy": func(till *books.Till, account uuid.UUID) {
			s := till.Sale(t, account, 1000, 10)
			s.RuleSet, s.Policy = math.MaxUint64, math.MaxUint64
			till.Write(t, entry.KindSale, s)
		},
		"where the returned sale stands": func(till *books.Till, account uuid.UUID) {
			till.Return(t, entry.Return{Origin: till.ID, OriginEpoch: math.MaxUint32, OriginSeq: math.MaxUint64})
			till.Return(t, entry.Return{Account: account, Origin: till.ID, OriginEpoch: math.MaxUint32, OriginSeq: math.MaxUint64})
		},
		"a right that was kept": func(till *books.Till, account uuid.UUID) {
			s := till.Sale(t, account, 1000, 0)
			s.Kept = []entry.Kept{{Unit: "points", Amount: math.MaxInt64, EndsAt: math.MinInt64}}
			till.Write(t, entry.KindSale, s)
		},
	} {
		t.Run(name, func(t *testing.T) {
			hq := books.New(t)
			account := hq.Member(t, "ann", 100)
			till := hq.Till(t, "till")
			write(till, account)
			till.Skip(time.Minute)
			sold := till.Sell(t, account, 500, 0)
			till.Sync(t, 1)
			hq.Apply(t)
			hq.Verify(t)
			till.Void(t, sold, account) // the account is folded again from what is stored
			till.Sync(t, 1)
			hq.Apply(t)
			hq.Verify(t)
		})
	}
}
