package till_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// sellTwo makes a sale of two lines, three pieces for 10.00 and 1.5 kg for 20.00,
// with 100 points off: 25.00 are paid and 25 points earned.
func (s *shop) sellTwo(t *testing.T, key string) till.Sale {
	t.Helper()
	req := s.buy(t, 3000, points(s.five, 1))
	req.Basket.Lines = []loyalty.Line{{No: 4, SKU: "A", Quantity: 3000, Amount: 1000}, {No: 2, SKU: "B", Quantity: 1500, Amount: 2000}}
	return s.commit(t, key, req)
}

func (s *shop) bringBack(t tilltest.T, r till.Return) till.Returned {
	t.Helper()
	back, err := s.till.Return(context.Background(), r)
	if err != nil {
		t.Fatalf("return %s: %v", r.Key, err)
	}
	return back
}

func pieces(no uint16, thousandths int64) []till.ReturnLine {
	return []till.ReturnLine{{No: no, Quantity: thousandths}}
}

func euros(minor int64) *entry.Money { return &entry.Money{Currency: "EUR", Minor: minor} }

func TestReturnLineByLine(t *testing.T) {
	s := newShop(t, nil)
	sale := s.sellTwo(t, "a")
	first := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r1", Lines: pieces(4, 1000), Receipt: "B-1", Cashier: "7"})
	want := entry.Return{
		ID: first.Body.ID, Sale: sale.Body.ID, Origin: s.Writer.ID, OriginEpoch: 1, OriginSeq: sale.At.Seq,
		Member: s.member.ID, Account: s.member.Account, Lines: []entry.ReturnLine{{No: 4, Quantity: 1000, Amount: 333}},
		Refund: entry.Money{Currency: "EUR", Minor: 277}, Receipt: "B-1", SaleReceipt: "R-a", Cashier: "7", RuleSet: 3,
		Matched: true, Key: "r1", KeyHash: make([]byte, 32),
	}
	if diff := cmp.Diff(want, first.Body); diff != "" {
		t.Error(diff)
	}
	left := &till.Left{Refund: 2500 - 277, Lines: []till.LeftLine{
		{No: 4, SKU: "A", Quantity: 2000, Amount: 667}, {No: 2, SKU: "B", Quantity: 1500, Amount: 2000},
	}}
	if diff := cmp.Diff(left, first.Left); diff != "" {
		t.Error(diff)
	}
	second := s.bringBack(t, till.Return{SaleReceipt: "R-a", Key: "r2", Lines: []till.ReturnLine{{No: 2, Quantity: 1, Amount: 1}}, Refund: euros(0)})
	if second.Body.Sale != sale.Body.ID || second.Body.Refund.Minor != 0 || second.Left.Lines[1].Quantity != 1499 {
		t.Errorf("%+v", second)
	}
	rest := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r3"})
	if !rest.Body.Whole || !cmp.Equal(rest.Left, &till.Left{}) || rest.Body.Refund.Minor != 2222 ||
		!cmp.Equal(rest.Body.Lines, []entry.ReturnLine{{No: 4, Quantity: 2000, Amount: 667}, {No: 2, Quantity: 1499, Amount: 1999}}) {
		t.Errorf("%+v", rest)
	}
	found, err := s.till.Sale(context.Background(), sale.Body.ID)
	if err != nil {
		t.Fatal(err)
	}
	// The cent that the second return kept back is not paid by a later one.
	back := &till.BroughtBack{
		Returns: []uuid.UUID{first.Body.ID, second.Body.ID, rest.Body.ID}, Refund: 2499, Whole: true,
		Lines: []entry.ReturnLine{{No: 4, Quantity: 3000, Amount: 1000}, {No: 2, Quantity: 1500, Amount: 2000}},
	}
	if diff := cmp.Diff(back, found.Returned); diff != "" || found.Void != nil {
		t.Error(diff)
	}
}

func TestReturnByAmountOfASaleWithoutLines(t *testing.T) {
	s := newShop(t, nil)
	req := s.buy(t, 2000)
	req.Basket.Lines = nil
	sale := s.commit(t, "a", req)
	part := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r1", Refund: euros(501)})
	if part.Body.Whole || part.Left.Refund != 1499 || part.Body.Lines != nil {
		t.Errorf("%+v", part)
	}
	if h := s.free(t); h.Pending != 14 {
		t.Errorf("of 20 points earned %d are shown", h.Pending)
	}
	_, err := s.till.Return(context.Background(), till.Return{Sale: sale.Body.ID, Key: "r2", Refund: euros(1500)})
	wantCode(t, err, problem.ReturnTooMuch)
	if rest := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r2"}); !rest.Body.Whole || rest.Body.Refund.Minor != 1499 {
		t.Errorf("%+v", rest)
	}
	// One that was paid with points alone comes back whole, once.
	req = s.buy(t, 500, points(s.five, 1))
	req.Basket.Lines = nil
	free := s.commit(t, "b", req)
	if rest := s.bringBack(t, till.Return{Sale: free.Body.ID, Key: "r3"}); !rest.Body.Whole || rest.Body.Refund.Minor != 0 {
		t.Errorf("%+v", rest)
	}
	_, err = s.till.Return(context.Background(), till.Return{Sale: free.Body.ID, Key: "r4"})
	wantCode(t, err, problem.ReturnTooMuch)
}

// Too generous a first return leaves less for the rest, and parts of what was earned
// are rounded against the shopper.
func TestWhatTheRestOfASaleIsWorth(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Rules.Earn = []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 1}} })
	req := s.buy(t, 100)
	req.Basket.Lines[0].Quantity = 3000
	sale := s.commit(t, "a", req)
	third := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r1", Refund: euros(90), Lines: []till.ReturnLine{{No: 1, Quantity: 1000, Amount: 90}}})
	if h := s.free(t); h.Pending != 66 || third.Left.Refund != 10 || third.Left.Lines[0].Amount != 10 {
		t.Errorf("%+v is left, %+v", third.Left, h)
	}
	next := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r2", Lines: pieces(1, 1000)})
	if next.Body.Lines[0].Amount != 10 || next.Body.Refund.Minor != 10 || next.Body.Whole {
		t.Errorf("%+v", next.Body)
	}
	if rest := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r3"}); rest.Body.Refund.Minor != 0 || !rest.Body.Whole || s.free(t).Pending != 0 {
		t.Errorf("%+v", rest.Body)
	}
}

func TestNeverMoreIsGivenBackThanWasPaid(t *testing.T) {
	s := newShop(t, nil)
	sale := s.sellTwo(t, "a")
	s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r1", Lines: pieces(4, 3000), Refund: euros(2400)})
	rest := s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r2"})
	if rest.Body.Refund.Minor != 100 || rest.Body.Lines[0].Amount != 2000 {
		t.Errorf("of 25.00 paid and 24.00 given back: %+v", rest.Body)
	}
}

// TestG2_AReturnGivesNothingBackBeforeHQ: neither points nor uses nor room under a
// cap; only what the goods had earned goes.
func TestG2_AReturnGivesNothingBackBeforeHQ(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.PerTerminal = 200 })
	ctx := context.Background()
	sale := s.commit(t, "a", s.buy(t, 4000, points(s.five, 2), use(s.voucher, 2)))
	sold := s.free(t)
	if sold.Free != 9800 || sold.Pending != 20 {
		t.Fatalf("sold: %+v", sold)
	}
	s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "half", Lines: pieces(1, 500)})
	if h := s.free(t); h.Free != 9800 || h.Pending != 10 {
		t.Errorf("half of it back: %+v", h)
	}
	s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "rest"})
	check := func(when string) {
		t.Helper()
		if h := s.free(t); h.Free != 9800 || h.Pending != 0 {
			t.Errorf("%s: %+v", when, h)
		}
		if status, err := s.till.Status(ctx); err != nil || status.SpentPoints != 200 || status.SpentUses != 2 {
			t.Errorf("%s: the terminal has spent %d and %d, %v", when, status.SpentPoints, status.SpentUses, err)
		}
		_, err := s.till.Commit(ctx, tilltest.Commit("over", s.buy(t, 1000, points(s.five, 1))))
		wantCode(t, err, problem.CapTerminal)
		_, err = s.till.Commit(ctx, tilltest.Commit("used", s.buy(t, 1000, use(s.voucher, 1))))
		wantCode(t, err, problem.VoucherUsed)
	}
	check("all of it back")
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	check("after a restart")
	// HQ's figure has the sale, with its earnings as free, but not the returns.
	s.member.Holdings[0].Free, s.member.Marks = 9820, []wire.Mark{s.mark(sale.At.Seq)}
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
	check("HQ has the sale")
	// HQ's word counts once it has the returns too.
	s.member.Holdings[0].Free, s.member.Marks = 10_000, []wire.Mark{s.mark(s.journal.Head().Seq)}
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
	if h := s.free(t); h.Free != 10_000 || h.Pending != 0 {
		t.Errorf("HQ has the returns: %+v", h)
	}
}

func TestG5_AReturnOfASaleMadeElsewhereIsAFact(t *testing.T) {
	s := newShop(t, nil)
	here := s.sellTwo(t, "a")
	other := till.Origin{Terminal: uuid.UUID{9}, Epoch: 2, Seq: 77}
	elsewhere := uuid.UUID{8}
	for name, c := range map[string]struct {
		call till.Return
		want entry.Return
	}{
		"by id": {
			till.Return{Sale: elsewhere, Refund: euros(400)},
			entry.Return{Sale: elsewhere, Refund: *euros(400)},
		},
		"by the signed place on its receipt": {
			till.Return{Sale: elsewhere, Origin: other, Lines: []till.ReturnLine{{No: 3, Quantity: 1000, Amount: 5}}},
			entry.Return{
				Sale: elsewhere, Origin: other.Terminal, OriginEpoch: 2, OriginSeq: 77, Refund: *euros(0),
				Lines: []entry.ReturnLine{{No: 3, Quantity: 1000, Amount: 5}},
			},
		},
		"by a receipt number": {
			till.Return{SaleReceipt: "X", Refund: euros(400), Lines: pieces(1, 1)},
			entry.Return{SaleReceipt: "X", Refund: *euros(400), Lines: []entry.ReturnLine{{No: 1, Quantity: 1}}},
		},
		"another lane's receipt with a number that is used here too": {
			till.Return{SaleReceipt: "R-a", Origin: till.Origin{Terminal: other.Terminal}, Refund: euros(400)},
			entry.Return{SaleReceipt: "R-a", Origin: other.Terminal, Refund: *euros(400)},
		},
		"this lane's receipt from before it was set up again": {
			till.Return{SaleReceipt: "R-a", Origin: till.Origin{Terminal: s.Writer.ID, Epoch: 9}, Refund: euros(400)},
			entry.Return{SaleReceipt: "R-a", Origin: s.Writer.ID, OriginEpoch: 9, Refund: *euros(400)},
		},
		"without a receipt": {till.Return{Refund: euros(400)}, entry.Return{Refund: *euros(400)}},
	} {
		t.Run(name, func(t *testing.T) {
			before := s.free(t)
			c.call.Key = name
			back := s.bringBack(t, c.call)
			c.want.ID, c.want.Key, c.want.KeyHash, c.want.RuleSet = back.Body.ID, name, make([]byte, 32), 3
			if diff := cmp.Diff(c.want, back.Body); diff != "" || back.Left != nil {
				t.Errorf("left %+v\n%s", back.Left, diff)
			}
			again := s.bringBack(t, c.call)
			again.Replayed = !again.Replayed
			if !reflect.DeepEqual(again, back) || s.free(t) != before {
				t.Errorf("again %+v, first %+v", again, back)
			}
		})
	}
	if found, err := s.till.Sale(context.Background(), here.Body.ID); err != nil || found.Returned != nil {
		t.Errorf("%+v, %v", found.Returned, err)
	}
}

func TestReturnedSaleCannotBeVoided(t *testing.T) {
	s := newShop(t, nil)
	sale := s.sellTwo(t, "a")
	s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r", Lines: pieces(4, 1)})
	for _, void := range []till.Void{{Sale: sale.Body.ID, Key: "v"}, {SaleKey: "a", Key: "v"}} {
		_, err := s.till.Void(context.Background(), void)
		wantCode(t, err, problem.SaleHasReturns)
	}
}

func TestG4_OneKeyMakesOneReturnForEver(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	sale := s.sellTwo(t, "a")
	call := till.Return{Sale: sale.Body.ID, Key: "key", KeyHash: sha256.Sum256([]byte("r")), Lines: pieces(4, 2000)}
	var wait sync.WaitGroup
	answers := make([]till.Returned, 16)
	for i := range answers {
		wait.Go(func() {
			var err error
			if answers[i], err = s.till.Return(ctx, call); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	made := 0
	for i := range answers {
		if !answers[i].Replayed {
			made++
		}
		answers[i].Replayed = false
		if !reflect.DeepEqual(answers[i], answers[0]) {
			t.Errorf("answer %d is %+v, another %+v", i, answers[i], answers[0])
		}
	}
	if made != 1 {
		t.Fatalf("%d returns", made)
	}
	s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "rest"})
	for name, lose := range map[string]bool{"restart": false, "restart with a new cache": true} {
		if err := s.till.Close(); err != nil {
			t.Fatal(err)
		}
		if lose {
			s.state = tilltest.NewState()
		}
		s.open(t)
		again := s.bringBack(t, call)
		again.Replayed = !again.Replayed
		if !reflect.DeepEqual(again, answers[0]) {
			t.Errorf("%s: %+v, first %+v", name, again, answers[0])
		}
		_, err := s.till.Return(ctx, till.Return{Sale: sale.Body.ID, Key: "other"})
		wantCode(t, err, problem.ReturnTooMuch)
		other := call
		other.KeyHash = sha256.Sum256([]byte("another request"))
		_, err = s.till.Return(ctx, other)
		wantCode(t, err, problem.IdempotencyReused)
		_, err = s.till.Void(ctx, till.Void{Sale: sale.Body.ID, Key: "key", KeyHash: call.KeyHash})
		wantCode(t, err, problem.IdempotencyReused)
	}
}

// Many clerks at once: what is sold comes back once, and either voided or returned.
func TestReturnsAndVoidsAtOnceNeverPassWhatWasSold(t *testing.T) {
	s := newShop(t, nil)
	sale := s.sellTwo(t, "a")
	ctx := context.Background()
	var wait sync.WaitGroup
	var mu sync.Mutex
	returned, voided := 0, 0
	for i := range 16 {
		wait.Go(func() {
			_, err := s.till.Return(ctx, till.Return{Sale: sale.Body.ID, Key: fmt.Sprint("r", i), Lines: pieces(4, 700)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				returned++
			}
		})
		wait.Go(func() {
			_, err := s.till.Void(ctx, till.Void{Sale: sale.Body.ID, Key: fmt.Sprint("v", i)})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				voided++
			}
		})
	}
	wait.Wait()
	if !(voided == 1 && returned == 0) && !(voided == 0 && returned == 4) {
		t.Errorf("%d voids, %d returns of 0.7 from 3 pieces", voided, returned)
	}
}

func TestReturnOfAPrunedSaleIsAFactThatKnowsItsPlace(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	sale, voided := s.sellTwo(t, "a"), s.sellTwo(t, "b")
	if _, err := s.till.Void(ctx, till.Void{SaleKey: "b", Key: "v"}); err != nil {
		t.Fatal(err)
	}
	part := till.Return{Sale: sale.Body.ID, Key: "r1", Lines: pieces(4, 1000)}
	made := s.bringBack(t, part)
	s.journal.Prune(made.At.Seq)
	if again := s.bringBack(t, part); !again.Replayed || again.At != made.At || again.Left != nil {
		t.Errorf("%+v", again)
	}
	back := s.bringBack(t, till.Return{SaleReceipt: "R-a", Key: "r2", Refund: euros(100)})
	if b := back.Body; b.Matched || b.Sale != sale.Body.ID || b.Origin != s.Writer.ID || b.OriginEpoch != 1 || b.OriginSeq != sale.At.Seq {
		t.Errorf("%+v", b)
	}
	_, err := s.till.Return(ctx, till.Return{Sale: voided.Body.ID, Key: "r3", Refund: euros(100)})
	wantCode(t, err, problem.SaleVoided)
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	if again := s.bringBack(t, part); !again.Replayed || again.At != made.At {
		t.Errorf("%+v", again)
	}
}
