//go:build linux

package ledger

import (
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
)

// aloneSales is how many sales one round of alone syncs, one after the other.
const aloneSales = 40

// alone measures one sale that is synced with nothing else under way: the middle of
// push to applied, and of push to receipt, beside one commit of the same bytes.
func alone(t *testing.T, o options, kind string) []benchtable.Result {
	e := newEngine(t, o, kind)
	f := openOffice(t, o, e.database(t, "alone"), "alone_"+kind)
	bound := newLimit(t, e)
	fl := openField(t, f, layout{stores: 1, lanes: 1, members: 20})
	lane := fl.terminals[0]
	var applied, received, commits []float64
	for range o.rounds {
		var toApplied, toReceipt, commit []float64
		for range aloneSales {
			must(t, fl.sell(1))
			raw := lane.queue[0]
			commit = append(commit, micros(func() { bound.one(t, raw) }))
			began := time.Now()
			p, err := lane.pack(1)
			must(t, err)
			must(t, lane.push(t.Context(), p))
			toReceipt = append(toReceipt, float64(time.Since(began).Nanoseconds())/1e3)
			must(t, f.awaitApplied(t.Context(), atOnce))
			toApplied = append(toApplied, float64(time.Since(began).Nanoseconds())/1e3)
		}
		applied, received = append(applied, benchtable.Median(toApplied)), append(received, benchtable.Median(toReceipt))
		commits = append(commits, benchtable.Median(commit))
	}
	fl.check(t)
	return []benchtable.Result{
		benchtable.Against("alone_"+kind, "µs", benchtable.Median(applied), benchtable.Median(commits), benchtable.Target{}),
		benchtable.Against("alone_"+kind+"_receipt", "µs", benchtable.Median(received), benchtable.Median(commits), benchtable.Target{}),
	}
}

func micros(do func()) float64 {
	began := time.Now()
	do()
	return float64(time.Since(began).Nanoseconds()) / 1e3
}
