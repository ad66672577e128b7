package quarter

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// expected is an exception that head office must find. What it does not find so is missed,
// and what it finds otherwise is invented.
type expected struct {
	story    string
	kind     ledger.ExceptionKind
	terminal uuid.UUID
	epoch    uint32
	seq      uint64
	amount   int64 // −1: any
	state    string
}

// refusal is something that head office must not have taken in.
type refusal struct {
	story     string
	want, got problem.Code
}

// bound is a loss by redeeming offline beside the bound that head office showed before.
type bound struct {
	Real  int64 `json:"real"`
	Bound int64 `json:"bound"`
}

func (w *world) expect(story string, kind ledger.ExceptionKind, l *lane, seq uint64, amount int64) {
	w.want = append(w.want, expected{
		story: story, kind: kind, terminal: l.terminal, epoch: l.writer.Epoch, seq: seq, amount: amount, state: ledger.ExceptionOpen,
	})
}

// matches says whether an exception is one that was planted.
func (x expected) matches(e ledger.Exception) bool {
	return x.kind == e.Kind && x.terminal == e.Terminal && x.epoch == e.Epoch && x.seq == e.Seq && (x.amount < 0 || x.amount == e.Amount)
}

// blocking lists open exceptions for which days wait and that were planted. Nobody settles
// what cannot be explained.
func (w *world) blocking(ctx context.Context) (out []uuid.UUID, err error) {
	for _, kind := range []ledger.ExceptionKind{ledger.Fork, ledger.DayCloseDiffers} {
		all, err := w.hq.exceptions(ctx, ledger.ExceptionFilter{Kind: kind, State: ledger.ExceptionOpen})
		if err != nil {
			return nil, err
		}
		for _, e := range all {
			if slices.ContainsFunc(w.want, func(x expected) bool { return x.matches(e) }) {
				out = append(out, e.ID)
			}
		}
	}
	return out, nil
}

// settleDisputes has people settle what stands against days, each once: to the ledger it
// stays open.
func (w *world) settleDisputes(ctx context.Context) error {
	found, err := w.blocking(ctx)
	if err != nil {
		return err
	}
	for _, id := range found {
		if w.disputes[id] {
			continue
		}
		w.disputes[id] = true
		_, err := w.hq.cases.Resolve(ctx, casework.Person{ID: w.ann, Name: "Ann"}, id, casework.Explained, "it was looked into")
		if err != nil {
			return fmt.Errorf("settle exception: %w", err)
		}
	}
	return nil
}

// release lets everything count that a shut out terminal delivered and that waits.
func (w *world) release(ctx context.Context, l *lane) error {
	all, err := w.hq.exceptions(ctx, ledger.ExceptionFilter{Kind: ledger.Unproven, State: ledger.ExceptionOpen})
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Terminal != l.terminal {
			continue
		}
		if _, err := w.hq.ledger.Decide(ctx, w.bo, e, entry.VerdictRelease); err != nil {
			return fmt.Errorf("release what terminal %s delivered: %w", l.terminal, err)
		}
	}
	return nil
}

// plant puts every kind of fraud and fault into the quarter, as often as its size says,
// each on lanes and days of its own.
func (w *world) plant() {
	free := w.lanes
	for set := range w.size.Frauds {
		from := 1
		if span := w.size.Days - leastDays; span > 0 {
			from += w.dice.below(span + 1)
		}
		if set == 0 {
			from = 1
		}
		own := make([]*lane, 0, lanesApart)
		for i := range lanesApart { // lanes of many stores
			own = append(own, free[(set+i*w.size.Frauds)%len(free)])
		}
		w.plantSet(from, own)
	}
}

// plantSet plants one of each from a day on. Some lanes are taken over by
// their story for a while, the others go on trading.
func (w *world) plantSet(from int, l []*lane) {
	w.cloned(from, l[0])
	w.rolledBack(from+1, l[1])
	w.lostAndFound(from, l[2])
	w.cutOffStores(from, l[3], l[4])
	w.forgedBatch(from+1, l[5])
	w.ghostEarnings(from+2, l[6])
	w.saleRepeated(from+3, l[7])
	w.wrongSums(from+2, l[8])
	w.closesTwice(from+1, l[9])
	w.closesTomorrow(from+3, l[9])
	w.neverCloses(from+1, l[10])
	w.clockAhead(from+4, l[11])
	w.clockBehind(from+2, l[11])
	w.nobody(from+5, l[6])
	w.merged(from+1, l[8], l[10])
	w.lateTill(from, l[11], l[12], l[6])
	w.joinsUnheard(from, l[12], l[6])
	w.returnOfNothing(from, l[7])
	w.enrolledAgain(from+1, l[13])
}
