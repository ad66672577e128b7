package till_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// lane is a second till of a shop's store, with a journal and store of its own.
type lane struct {
	*shop
	till    *till.Till
	writer  journal.Writer
	journal *tilltest.Journal
	state   *tilltest.State
}

// newLanes makes a shop whose terminal lends, and a lane that borrows from it. All the
// rights are the shop's.
func newLanes(t *testing.T, change func(*shop), rights ...int64) (*shop, *lane) {
	t.Helper()
	s := newShop(t, func(s *shop) {
		noStandIn(s)
		if change != nil {
			change(s)
		}
	})
	l := &lane{shop: s, writer: journal.Writer{ID: s.NewID(), Epoch: 4}, state: tilltest.NewState()}
	l.journal = &tilltest.Journal{Writer: l.writer}
	items := []wire.Item{s.Lane(t, s.Writer), s.Lane(t, l.writer)}
	for _, n := range rights {
		items = append(items, s.Granted(t, s.Grant(s.member, n), false, false))
	}
	s.Feed(t, s.till, items...)
	l.start(t)
	t.Cleanup(func() { _ = l.till.Close() })
	s.Restart()
	s.Feed(t, l.till, append(append(s.Base(t), items...), s.Item(t, wire.ItemMember, s.member.ID, s.member), s.Item(t, wire.ItemReward, s.five.ID, s.five))...)
	l.till.Connect(till.Helpers{Lender: l})
	return s, l
}

func (l *lane) start(t tilltest.T) {
	cfg := l.Config(l.journal, l.state)
	cfg.Writer, cfg.Signer = l.writer, tilltest.Own(t, l.writer.ID)
	var err error
	if l.till, err = till.New(cfg); err != nil {
		t.Fatal(err)
	}
	if _, err = l.till.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Borrow asks the shop's terminal.
func (l *lane) Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	if from.ID != l.shop.Writer.ID {
		return wire.BorrowAnswer{}, problem.Newf(problem.Unavailable, "lane %s does not answer", from.ID)
	}
	return l.shop.till.Lend(ctx, wire.Terminal{ID: l.writer.ID}, asked)
}

func (l *lane) commit(key string, req till.Request) (till.Sale, error) {
	return l.till.Commit(context.Background(), tilltest.Commit(key, req))
}

func TestALaneSpendsWhatAnotherHolds(t *testing.T) {
	s, l := newLanes(t, nil, 60, 90, 300)
	sale, err := l.commit("a", s.buy(t, 20_000, points(s.five, 3)))
	if err != nil || len(sale.Body.Redeemed) != 1 || sale.Body.Redeemed[0].Basis != entry.BasisAllowance {
		t.Fatalf("%+v, %v", sale.Body.Redeemed, err)
	}
	lent, received := s.changes(t, 1), changesOf(t, l.journal, 1)
	if len(lent) != 2 || lent[0].Op != entry.AllowanceReceived || lent[1].Op != entry.AllowanceLent || lent[1].Amount != 300 ||
		lent[1].To != l.writer.ID || lent[1].ToEpoch != 4 || lent[1].Right != sale.Body.Redeemed[0].Right {
		t.Errorf("lent %+v", lent)
	}
	if len(received) != 1 || received[0].Op != entry.AllowanceReceived || received[0].From != s.Writer.ID || received[0].Parent != lent[1].Parent {
		t.Errorf("received %+v", received)
	}
	// What is left are two rights, neither enough: one loan from each. Then what is not
	// there is refused with nothing kept.
	sale, err = l.commit("b", s.buy(t, 20_000, points(s.five, 1)))
	if err != nil || len(sale.Body.Redeemed) != 2 || sale.Body.Redeemed[0].Amount != 90 || sale.Body.Redeemed[1].Amount != 10 {
		t.Fatalf("%+v, %v", sale.Body.Redeemed, err)
	}
	seq := l.journal.Head().Seq
	_, err = l.commit("c", s.buy(t, 20_000, points(s.five, 1)))
	wantCode(t, err, problem.StandInOff)
	if got := changesOf(t, l.journal, seq+1); len(got) == 0 || got[len(got)-1].Op != entry.AllowanceReleased {
		t.Errorf("kept %+v", got)
	}
	if h := s.free(t); h.Allowance != 0 {
		t.Errorf("the lender holds %+v", h)
	}
}

func TestG2_TheSameQuestionIsTheSameLoan(t *testing.T) {
	s, l := newLanes(t, nil, 300)
	ctx := context.Background()
	asked := wire.BorrowRequest{V: 1, Right: s.NewID(), Account: s.member.Account, Unit: "points", Amount: 100, Epoch: 4}
	first, err := s.till.Lend(ctx, wire.Terminal{ID: l.writer.ID}, asked)
	if err != nil {
		t.Fatal(err)
	}
	loan, err := wire.OpenLoan(s.Own.Public.Key, first)
	if err != nil || loan.Amount != 100 || loan.Seq != s.journal.Head().Seq || loan.EndsAt != s.Clock.Now().Add(10*time.Minute).UnixMilli() {
		t.Fatalf("%+v, %v", loan, err)
	}
	for name, again := range map[string]func(){
		"at once": func() {},
		"after a crash": func() {
			_ = s.till.Close()
			s.open(t)
		},
		"after the cache was lost": func() {
			_ = s.till.Close()
			s.state = tilltest.NewState()
			s.open(t)
			s.Restart()
			s.Feed(t, s.till, append(s.Base(t), s.Lane(t, s.Writer), s.Lane(t, l.writer))...)
		},
	} {
		again()
		got, err := s.till.Lend(ctx, wire.Terminal{ID: l.writer.ID}, asked)
		if err != nil || !reflect.DeepEqual(got, first) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, change := range map[string]func(*wire.BorrowRequest){
		"less":    func(r *wire.BorrowRequest) { r.Amount = 99 },
		"account": func(r *wire.BorrowRequest) { r.Account = s.HQ },
		"unit":    func(r *wire.BorrowRequest) { r.Unit = "stamps" },
	} {
		other := asked
		change(&other)
		_, err := s.till.Lend(ctx, wire.Terminal{ID: l.writer.ID}, other)
		if problem.CodeOf(err) != problem.IdempotencyReused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoansAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*shop)
		asked  func(*shop, *lane, *wire.BorrowRequest, *wire.Terminal)
		want   problem.Code // empty: an answer without a loan
	}{
		"a stranger":    {nil, func(s *shop, _ *lane, _ *wire.BorrowRequest, l *wire.Terminal) { l.ID = s.HQ }, problem.LoanRefused},
		"itself":        {nil, func(s *shop, _ *lane, _ *wire.BorrowRequest, l *wire.Terminal) { l.ID = s.Writer.ID }, problem.LoanRefused},
		"an old epoch":  {nil, func(_ *shop, _ *lane, r *wire.BorrowRequest, _ *wire.Terminal) { r.Epoch = 3 }, problem.LoanRefused},
		"nothing":       {nil, func(_ *shop, _ *lane, r *wire.BorrowRequest, _ *wire.Terminal) { r.Amount = 0 }, problem.InvalidField},
		"another unit":  {nil, func(_ *shop, _ *lane, r *wire.BorrowRequest, _ *wire.Terminal) { r.Unit = "stamps" }, ""},
		"too much":      {nil, func(_ *shop, _ *lane, r *wire.BorrowRequest, _ *wire.Terminal) { r.Amount = 301 }, ""},
		"not foreseen":  {func(s *shop) { s.Policy.Rights.OneOffSeconds = 0 }, nil, ""},
		"after restart": {func(s *shop) { s.Policy.RestartCap = 99 }, nil, problem.CapRestart},
	} {
		t.Run(name, func(t *testing.T) {
			s, l := newLanes(t, c.change, 300)
			asked := wire.BorrowRequest{V: 1, Right: s.NewID(), Account: s.member.Account, Unit: "points", Amount: 100, Epoch: 4}
			to := wire.Terminal{ID: l.writer.ID}
			if c.asked != nil {
				c.asked(s, l, &asked, &to)
			}
			before := s.journal.Head()
			answer, err := s.till.Lend(context.Background(), to, asked)
			if problem.CodeOf(err) != c.want && err != nil || err == nil && c.want != "" || len(answer.Loan) != 0 || s.journal.Head() != before {
				t.Errorf("%+v, %v", answer, err)
			}
		})
	}
}

// A borrower that took no answer gives the loan up; the lender never takes it back.
func TestG2_ALoanIsNeverTakenBack(t *testing.T) {
	s, l := newLanes(t, nil, 300)
	l.till.Connect(till.Helpers{Lender: deaf{l}})
	_, err := l.commit("a", s.buy(t, 20_000, points(s.five, 1)))
	wantCode(t, err, problem.StandInOff)
	lent, got := s.changes(t, 1), changesOf(t, l.journal, 1)
	if len(got) != 1 || got[0].Reason != entry.ReleaseGivenUp || len(lent) != 2 || got[0].Right != lent[1].Right {
		t.Fatalf("lent %+v, given up %+v", lent, got)
	}
	s.Pass(time.Hour)
	s.tend(t)
	if h := s.free(t); h.Allowance != 200 {
		t.Errorf("after the end of the loan the lender holds %+v", h)
	}
}

// deaf loses the answers of a lane.
type deaf struct{ *lane }

func (d deaf) Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	if _, err := d.lane.Borrow(ctx, from, asked); err != nil {
		return wire.BorrowAnswer{}, err
	}
	return wire.BorrowAnswer{}, context.DeadlineExceeded
}

// liar signs with the wrong key, or gives a loan of something else.
type liar struct {
	*lane
	t      *testing.T
	change func(*wire.Loan)
	key    uuid.UUID
}

func (f liar) Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	answer, err := f.lane.Borrow(ctx, from, asked)
	if err != nil {
		return answer, err
	}
	loan, err := wire.Unmarshal[wire.Loan](answer.Loan)
	if err != nil {
		return answer, err
	}
	f.change(&loan)
	return wire.SignLoan(tilltest.Own(f.t, f.key), loan)
}

func TestG6_AForgedLoanIsNotSpent(t *testing.T) {
	s, l := newLanes(t, nil, 300, 300, 300, 300, 300)
	for name, f := range map[string]liar{
		"key":      {change: func(*wire.Loan) {}, key: l.writer.ID},
		"amount":   {change: func(x *wire.Loan) { x.Amount = 101 }, key: s.Writer.ID},
		"borrower": {change: func(x *wire.Loan) { x.Borrower = s.HQ }, key: s.Writer.ID},
		"account":  {change: func(x *wire.Loan) { x.Account = s.HQ }, key: s.Writer.ID},
	} {
		f.lane, f.t = l, t
		l.till.Connect(till.Helpers{Lender: f})
		before := l.journal.Head().Seq
		_, err := l.commit(name, s.buy(t, 20_000, points(s.five, 1)))
		wantCode(t, err, problem.StandInOff)
		if got := changesOf(t, l.journal, before+1); len(got) != 1 || got[0].Reason != entry.ReleaseGivenUp {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Many questions and sales at once never give more of a right than it has.
func TestG2_ConcurrentLoansAndSalesStayWithinTheRight(t *testing.T) {
	s, l := newLanes(t, nil, 1000)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, _ = s.till.Commit(ctx, tilltest.Commit(fmt.Sprint("own ", i), s.buy(t, 5000, points(s.five, 1)))) // refused at the end
		})
		wg.Go(func() {
			_, _ = l.commit(fmt.Sprint("lane ", i), s.buy(t, 5000, points(s.five, 1)))
		})
	}
	wg.Wait()
	var sold int64
	for _, j := range []*tilltest.Journal{s.journal, l.journal} {
		for _, e := range entriesOf(t, j, 1) {
			if e.Kind != entry.KindSale {
				continue
			}
			sale, err := entry.DecodeBody[entry.Sale](e)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range sale.Redeemed {
				if r.Right == uuid.Nil {
					t.Errorf("redeemed without a right: %+v", r)
				}
				sold += r.Amount
			}
		}
	}
	if h := s.free(t); sold == 0 || sold > 1000 || sold+h.Allowance > 1000 {
		t.Errorf("%d were redeemed, %d are left of 1000", sold, h.Allowance)
	}
}
