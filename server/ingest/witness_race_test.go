package ingest_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// A head and the entry that it contradicts, stored at the same moment by two
// transactions that do not see each other, are held against each other at the next hello.
func TestG6_AWitnessThatCrossedADeliveryIsSettled(t *testing.T) {
	for name, agrees := range map[string]bool{"it agrees": true, "it contradicts": false} {
		t.Run(name, func(t *testing.T) {
			hq := books.New(t)
			lane, till := hq.Till(t, "lane"), longTill(t, hq, 8)
			double := till.Clone()
			account := hq.Member(t, "ann", 0)
			till.Sell(t, account, 1000, 0)
			double.Sell(t, account, 1000, 0)
			push(t, till, 1, 9)
			shown := till
			if !agrees {
				shown = double
			}
			err := hq.DB.SaveWitnessed(t.Context(), ingest.Witnessed{
				Writer: journal.Writer{ID: till.ID, Epoch: 1}, Head: journal.Head{Seq: 9, Hash: shown.Hashes[8]}, Signed: shown.Head(t),
				By: ledger.Entry{Terminal: lane.ID, Epoch: 1, Seq: 1, Hash: lane.Hashes[0], Store: lane.Store},
			})
			if err != nil {
				t.Fatal(err)
			}
			welcome, err := hq.Ingest.Hello(t.Context(), till.Terminal(), wire.Hello{
				V: wire.Version, Terminal: till.ID, Epoch: 1, FirstSeq: 1, HeadSeq: 9, HeadHash: till.Hashes[8][:],
			}, hq.Clock.Now())
			if err != nil || len(welcome.Witnessed.Head) != 0 {
				t.Errorf("held against it: %x, %v", welcome.Witnessed.Head, err)
			}
			if got := hq.Quarantined(till.ID); got == agrees {
				t.Errorf("in quarantine: %t", got)
			}
		})
	}
}
