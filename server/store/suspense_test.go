package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// What waits in suspense is released and rejected on each engine, verification finds
// nothing wrong, and a rebuild from the journals gives every row again.
func TestDecisionsAreTheSameOnEveryEngine(t *testing.T) {
	ctx := context.Background()
	clerk := uuid.NewSHA1(uuid.Nil, []byte("clerk"))
	engines(t, func(t *testing.T, dsn string, shardsPerTx int) {
		hq := books.On(t, dsn, shardsPerTx)
		ann := hq.Member(t, "ann", 100)
		good, bad := hq.Till(t, "good"), hq.Till(t, "bad")
		good.Sell(t, ann, 1000, 0)
		much := good.Sale(t, ann, 1000, 0)
		much.Earned[0].Amount = 30 // ten are right
		good.Write(t, entry.KindSale, much)
		moons := good.Sale(t, ann, 1000, 0)
		moons.Earned[0].Unit = "moons"
		good.Write(t, entry.KindSale, moons)
		good.Sync(t, 1)
		bad.State = ingest.StateRevoked
		sold := bad.Sell(t, ann, 5000, 60)
		bad.Sell(t, ann, 700, 0)
		bad.Void(t, sold, ann)
		bad.Sync(t, 1)
		hq.Apply(t)
		hq.Clock.Advance(time.Minute)
		verdicts := map[ledger.ExceptionKind]entry.Verdict{
			ledger.Unproven: entry.VerdictRelease, ledger.EarningDiffers: entry.VerdictRelease, ledger.UnitUnknown: entry.VerdictReject,
		}
		for kind, verdict := range verdicts {
			list := hq.Exceptions(t, kind)
			if len(list) == 0 {
				t.Errorf("nothing waits for %s", kind)
			}
			for _, e := range list {
				if _, err := hq.Ledger.Decide(ctx, clerk, e, verdict); err != nil {
					t.Errorf("%s: %v", kind, err)
				}
			}
		}
		if h := hq.Holding(t, ann, "points"); h.Free != 100+10+30+7 || h.Overdraft != 0 {
			t.Errorf("%+v", h)
		}
		open, _, err := hq.Ledger.Exceptions(ctx, ledger.ExceptionFilter{State: ledger.ExceptionOpen}, "", 0)
		if err != nil || len(open) != 0 {
			t.Errorf("%+v, %v", open, err)
		}
		if _, err := hq.Journal.Checkpoint(ctx); err != nil {
			t.Error(err)
		}
		hq.Verify(t)
		if same, found := rebuilt(t, hq); len(found) > 0 || same == 0 {
			t.Errorf("rebuilt: %d rows alike, %+v", same, found)
		}
	})
}
