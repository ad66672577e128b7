package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// ack is one answered 201, read before any fault began.
type ack struct {
	seq  uint64
	hash string    // the first eight digits
	kind string    // as HQ names the entry
	id   uuid.UUID // of the sale or void
}

// ackList counts acknowledgements. While a fault is under way it takes none.
type ackList struct {
	mu     sync.Mutex
	list   []ack
	frozen bool
}

func (a *ackList) add(one ack) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.frozen {
		a.list = append(a.list, one)
	}
}

func (a *ackList) freeze(frozen bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.frozen = frozen
}

func (a *ackList) all() []ack {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]ack(nil), a.list...)
}

// load is POS software that sells without end: one worker a shopper. Each sends
// again what it got no answer to, with the same key, as POS software should.
type load struct {
	lane  *stage.Lane
	acks  *ackList
	tries atomic.Int64
	names atomic.Int64
	rest  time.Duration // of a worker after each sale
	// refused has the first refusal that no fault explains.
	refused atomic.Pointer[error]
}

// startLoad begins selling; the returned function ends it.
func startLoad(ctx context.Context, lane *stage.Lane, shoppers []stage.Shopper, acks *ackList) (*load, func()) {
	l := &load{lane: lane, acks: acks}
	return l, l.start(ctx, shoppers)
}

// start begins selling; the returned function ends it.
func (l *load) start(ctx context.Context, shoppers []stage.Shopper) func() {
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	for _, who := range shoppers {
		workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.one(ctx, who, n%7 == 6)
				if l.rest > 0 {
					_ = clock.Wait(ctx, l.rest) // the loop sees that ctx has ended
				}
			}
		})
	}
	return func() { cancel(); workers.Wait() }
}

// one makes a sale of one euro, which earns one point, and may void it.
func (l *load) one(ctx context.Context, who stage.Shopper, void bool) {
	receipt := fmt.Sprintf("L%06d", l.names.Add(1))
	quote, err := l.lane.Quote(ctx, edgeclient.QuoteRequest{Code: who.Code, Currency: stage.Currency, Total: 1_00})
	if err != nil {
		l.note(err)
		pace(ctx)
		return
	}
	var sale edgeclient.Sale
	if !l.until(ctx, func() (err error) {
		sale, err = l.lane.Commit(ctx, receipt, edgeclient.SaleRequest{Quote: quote.ID, Receipt: receipt})
		return err
	}) {
		return
	}
	l.acks.add(ack{sale.Seq, sale.Hash, "sale", sale.ID})
	if !void {
		return
	}
	var undone edgeclient.Void
	if l.until(ctx, func() (err error) {
		undone, err = l.lane.Void(ctx, receipt+"-void", sale.ID)
		return err
	}) {
		l.acks.add(ack{undone.Seq, undone.Hash, "void", undone.ID})
	}
}

// until repeats a call until it is answered, and tells whether it was done. A
// quote that a crash has wiped is an answer: the sale was not made.
func (l *load) until(ctx context.Context, call func() error) bool {
	for ctx.Err() == nil {
		l.tries.Add(1)
		err := call()
		if err == nil {
			return true
		}
		var refusal *problem.Error
		if errors.As(err, &refusal) && refusal.Code != problem.JournalStopped && refusal.Code != problem.Unavailable {
			l.note(err)
			return false
		}
		pace(ctx)
	}
	return false
}

// pace keeps workers from spinning while the lane is down.
func pace(ctx context.Context) { _ = clock.Wait(ctx, 5*time.Millisecond) } // its callers look at ctx

// note keeps the first refusal that a crash does not explain.
func (l *load) note(err error) {
	var refusal *problem.Error
	if !errors.As(err, &refusal) {
		return
	}
	switch refusal.Code {
	case problem.QuoteUnknown, problem.JournalStopped, problem.Unavailable, problem.Internal:
		return
	}
	l.refused.CompareAndSwap(nil, &err)
}

// check ends the test on a refusal that no fault explains, or when nothing was sold.
func (l *load) check(t *testing.T) {
	t.Helper()
	if err := l.refused.Load(); err != nil {
		t.Errorf("a sale was refused: %v", *err)
	}
	if len(l.acks.all()) == 0 {
		t.Error("no sale was acknowledged: there was no load")
	}
}

// checkLedger holds HQ against the acknowledgements: each is there exactly once,
// as it was answered; the numbers have no gap; each entry changed its member's
// points once; and the balances are the sum of all.
func (s *scene) checkLedger(t *testing.T, terminal uuid.UUID, shoppers []stage.Shopper, acks []ack) {
	t.Helper()
	entries, err := s.Office.Entries(t.Context(), terminal)
	must(t, err)
	kinds, hashes := map[uint64]string{}, map[uint64]string{}
	for _, e := range entries {
		if _, twice := kinds[e.Seq]; twice {
			t.Errorf("HQ has entry %d twice", e.Seq)
		}
		if e.State != "applied" {
			t.Errorf("entry %d (%s) is %s at HQ", e.Seq, e.Kind, e.State)
		}
		kinds[e.Seq], hashes[e.Seq] = e.Kind, e.Hash
	}
	for seq := uint64(1); seq <= uint64(len(kinds)); seq++ {
		if _, ok := kinds[seq]; !ok {
			t.Errorf("HQ has no entry %d of %d", seq, len(kinds))
		}
	}
	lost := 0
	for _, a := range acks {
		if kinds[a.seq] != a.kind || !strings.HasPrefix(hashes[a.seq], a.hash) {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged entries are not in HQ's ledger", lost, len(acks))
	}
	s.checkPostings(t, shoppers, kinds, hashes)
}

// checkPostings checks that every sale and void is posted once, and nothing else.
func (s *scene) checkPostings(t *testing.T, shoppers []stage.Shopper, kinds, hashes map[uint64]string) {
	t.Helper()
	posted := map[string]int{}
	for _, who := range shoppers {
		history, err := s.Office.History(t.Context(), who.ID)
		must(t, err)
		var sum int64
		for _, p := range history {
			posted[p.Entry]++
			sum += p.Free()
		}
		if free := s.free(t, who); free != sum {
			t.Errorf("%s has %d points, the postings sum to %d", who.Alias, free, sum)
		}
	}
	for seq, kind := range kinds {
		if kind != "sale" && kind != "void" {
			continue
		}
		if n := posted[hashes[seq]]; n != 1 {
			t.Errorf("the %s in entry %d is posted %d times", kind, seq, n)
		}
	}
	balance, err := s.Office.TrialBalance(t.Context())
	must(t, err)
	if !balance.Balanced {
		t.Errorf("the trial balance is off: %+v", balance.Lines)
	}
}

// distinct counts the acknowledged entries; a repeated call is acknowledged again.
func distinct(acks []ack) int {
	seen := map[uint64]bool{}
	for _, a := range acks {
		seen[a.seq] = true
	}
	return len(seen)
}
