package ledger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// receiptStory is a store with three lanes, and a lane of another store.
type receiptStory struct {
	hq    *books.HQ
	lanes []*books.Till
	sent  map[*books.Till]int
}

func newReceiptStory(t *testing.T) *receiptStory {
	t.Helper()
	w := &receiptStory{hq: books.New(t), sent: map[*books.Till]int{}}
	for _, name := range []string{"1", "2", "3", "elsewhere"} {
		lane := w.hq.Till(t, name)
		if len(w.lanes) > 0 && name != "elsewhere" {
			lane.Store = w.lanes[0].Store
		}
		w.lanes = append(w.lanes, lane)
		lane.Sync(t, 1)
		w.sent[lane] = 1
	}
	w.hq.Apply(t)
	return w
}

// sell writes a sale of 10.00 with a receipt number that earns 10 points.
func (w *receiptStory) sell(t *testing.T, lane int, receipt string) {
	t.Helper()
	account := w.hq.Member(t, "ann", 0)
	sale := w.lanes[lane].Sale(t, account, 1000, 0)
	sale.Receipt = receipt
	w.lanes[lane].Write(t, entry.KindSale, sale)
}

// takeBack writes a return of everything, of which only the receipt is known.
func (w *receiptStory) takeBack(t *testing.T, lane int, receipt string) {
	t.Helper()
	w.lanes[lane].Skip(time.Minute)
	w.lanes[lane].Return(t, entry.Return{SaleReceipt: receipt, Refund: entry.Money{Minor: 1000}})
}

// sync brings all that lanes have; later says that they have gone on for an hour.
func (w *receiptStory) sync(t *testing.T, later bool, lanes ...int) {
	t.Helper()
	for _, i := range lanes {
		lane := w.lanes[i]
		if later {
			lane.Skip(time.Hour)
			lane.Write(t, entry.KindNote, entry.Note{})
		}
		if lane.Now().After(w.hq.Clock.Now()) {
			w.hq.Clock.Set(lane.Now())
		}
		lane.Sync(t, w.sent[lane]+1)
		w.sent[lane] = len(lane.Entries)
		w.hq.Apply(t)
	}
	w.apply(t)
}

// apply lets HQ look again, which it does with each set.
func (w *receiptStory) apply(t *testing.T) {
	t.Helper()
	w.lanes[3].Write(t, entry.KindNote, entry.Note{})
	w.lanes[3].Sync(t, w.sent[w.lanes[3]]+1)
	w.sent[w.lanes[3]] = len(w.lanes[3].Entries)
	w.hq.Apply(t)
	w.hq.Verify(t)
}

func (w *receiptStory) points(t *testing.T) int64 {
	t.Helper()
	return w.hq.Holding(t, w.hq.Member(t, "ann", 0), "points").Free
}

// A return that knows only a receipt of another lane finds its sale once every lane
// of the store has been heard of, whichever of the two comes first.
func TestReturnFindsItsSaleByTheReceiptOfAnotherLane(t *testing.T) {
	for _, first := range []string{"the sale", "the return"} {
		t.Run(first+" first", func(t *testing.T) {
			w := newReceiptStory(t)
			w.sell(t, 0, "4711")
			w.sell(t, 3, "4711") // another store's number is another receipt
			w.takeBack(t, 1, "4711")
			order := []int{3, 0, 1}
			if first == "the return" {
				order = []int{3, 1, 0}
			}
			w.sync(t, false, order...)
			if got := w.points(t); got != 20 {
				t.Fatalf("%d points before lanes 1 and 3 were heard of, want 20", got)
			}
			w.sync(t, true, 0)
			if got := w.points(t); got != 20 {
				t.Fatalf("%d points before lane 3 was heard of, want 20", got)
			}
			w.sync(t, true, 2)
			if got := w.points(t); got != 10 {
				t.Errorf("%d points, want 10", got)
			}
			for _, e := range w.hq.Exceptions(t, "") {
				if e.State != ledger.ExceptionWithdrawn || e.ExplainedBy != w.lanes[0].Hashes[1] {
					t.Errorf("exception %+v", e)
				}
			}
			// The same receipt once more is more than was sold.
			w.takeBack(t, 1, "4711")
			w.sync(t, true, 1, 0, 2)
			if list := w.hq.Exceptions(t, ledger.ReturnExceedsSale); len(list) != 1 || w.points(t) != 10 {
				t.Errorf("returned twice: %d points, %+v", w.points(t), list)
			}
		})
	}
}

// Two sales with one number are named, and neither is taken.
func TestReturnByAnAmbiguousReceiptIsLeftToAPerson(t *testing.T) {
	w := newReceiptStory(t)
	w.sell(t, 0, "1")
	w.sell(t, 2, "1")
	w.takeBack(t, 1, "1")
	w.sync(t, true, 0, 1, 2)
	w.apply(t)
	if got := w.points(t); got != 20 {
		t.Errorf("%d points, want 20", got)
	}
	open := 0
	for _, e := range w.hq.Exceptions(t, ledger.ReturnUnmatched) {
		if e.State == ledger.ExceptionWithdrawn {
			continue
		}
		open++
		if e.State != ledger.ExceptionOpen || !strings.Contains(e.Cause, w.lanes[0].Hashes[1].Short()) || !strings.Contains(e.Cause, w.lanes[2].Hashes[1].Short()) {
			t.Errorf("exception %+v, want one that names both sales", e)
		}
	}
	if open != 1 {
		t.Errorf("%d open exceptions, want 1", open)
	}
}

// A lane that is never heard of again holds a return up for the grace only.
func TestReturnByReceiptWaitsNoLongerThanTheGrace(t *testing.T) {
	w := newReceiptStory(t)
	w.sell(t, 0, "4711")
	w.takeBack(t, 1, "4711")
	w.sync(t, true, 2)
	w.sync(t, false, 0, 1)
	if got := w.points(t); got != 10 {
		t.Fatalf("%d points, want 10", got)
	}
	w.hq.Clock.Advance(8 * 24 * time.Hour)
	w.apply(t)
	if got := w.points(t); got != 0 {
		t.Errorf("%d points after the grace, want 0", got)
	}
}
