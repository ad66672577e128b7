package till_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// trainee is a caller in training.
func (s staff) trainee(t *testing.T) till.Caller {
	t.Helper()
	session, err := s.till.SignIn(context.Background(), till.SignIn{Cashier: s.ana.ID, PIN: "1111", Training: true})
	if err != nil || !session.Training {
		t.Fatalf("%+v, %v", session, err)
	}
	return till.Caller{Session: session.ID}
}

// practised commits in training.
func (s staff) practised(t *testing.T, key string, who till.Caller, req till.Request) till.Sale {
	t.Helper()
	c := tilltest.Commit(key, req)
	c.Caller = who
	sale, err := s.till.Commit(context.Background(), c)
	if err != nil || !sale.Training || sale.At.Seq != 0 {
		t.Fatalf("practised %+v, %v", sale, err)
	}
	return sale
}

// Nothing that is done in training is in the journal, or in any figure.
func TestTrainingPostsNothing(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{VoidOver: pay(0)})
	ctx, who := context.Background(), s.trainee(t)
	head, before := s.journal.Head(), s.free(t)
	code := s.Rotating(t, s.member)
	req := till.Request{Codes: []string{code}, Basket: tilltest.Basket(5000), Wishes: []loyalty.Wish{points(s.five, 2), use(s.voucher, 1)}, Caller: who}
	quote, err := s.till.Quote(ctx, req)
	if err != nil || !quote.Training {
		t.Fatalf("%+v, %v", quote, err)
	}
	if after := s.free(t); after != before {
		t.Errorf("a training quote holds: %+v, before %+v", after, before)
	}
	commit := tilltest.Commit("q", till.Request{})
	commit.Quote, commit.Caller = quote.ID, who
	sale, err := s.till.Commit(ctx, commit)
	if err != nil || !sale.Training || sale.Discount() != 1500 || sale.Claim != nil {
		t.Fatalf("%+v, %v", sale, err)
	}
	again, err := s.till.Commit(ctx, commit)
	if err != nil || !again.Replayed || again.Body.ID != sale.Body.ID {
		t.Errorf("sent again %+v, %v", again, err)
	}
	if found, err := s.till.Sale(ctx, sale.Body.ID); err != nil || !found.Sale.Training || found.Left.Refund != 3500 {
		t.Errorf("looked up %+v, %v", found, err)
	}
	back, err := s.till.Return(ctx, till.Return{SaleReceipt: "R-q", Refund: euros(500), Lines: pieces(1, 100), Key: "r", Caller: who})
	if err != nil || !back.Training || back.Left.Refund != 3000 {
		t.Errorf("return %+v, %v", back, err)
	}
	whole := s.practised(t, "w", who, s.buy(t, 1000))
	void := till.Void{Sale: whole.Body.ID, Key: "v", Caller: who}
	_, err = s.till.Void(ctx, void)
	wantCode(t, err, problem.ApprovalNeeded) // the rules are practised too
	void.Caller.Approval = s.approval(t, till.NewApproval{Caller: who, For: till.OpVoid, Sale: whole.Body.ID})
	if voided, err := s.till.Void(ctx, void); err != nil || !voided.Training {
		t.Errorf("void %+v, %v", voided, err)
	}
	if h := s.journal.Head(); h != head {
		t.Errorf("the journal went from %d to %d", head.Seq, h.Seq)
	}
	if after := s.free(t); after != before {
		t.Errorf("%+v, before %+v", after, before)
	}
	// The code was not used up, and the caps are as they were.
	real := till.Request{Codes: []string{code}, Basket: tilltest.Basket(5000), Wishes: []loyalty.Wish{points(s.five, 5)}}
	if sold := s.commit(t, "real", real); sold.Training || sold.At.Seq != head.Seq+1 {
		t.Errorf("sold %+v", sold)
	}
}

func TestTrainingAndRealSalesDoNotMix(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{})
	ctx, who := context.Background(), s.trainee(t)
	real := s.commit(t, "real", s.buy(t, 1000))
	drill := s.practised(t, "drill", who, s.buy(t, 1000))
	quote := func(c till.Caller) uuid.UUID {
		req := s.buy(t, 1000)
		req.Caller = c
		q, err := s.till.Quote(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		return q.ID
	}
	commit := func(q uuid.UUID, c till.Caller) error {
		_, err := s.till.Commit(ctx, till.Commit{Quote: q, Key: "k", Caller: c})
		return err
	}
	wantCode(t, commit(quote(who), till.Caller{}), problem.TrainingMixed)
	wantCode(t, commit(quote(till.Caller{}), who), problem.TrainingMixed)
	_, err := s.till.Void(ctx, till.Void{Sale: real.Body.ID, Key: "v", Caller: who})
	wantCode(t, err, problem.TrainingMixed)
	_, err = s.till.Return(ctx, till.Return{Sale: real.Body.ID, Key: "r", Caller: who})
	wantCode(t, err, problem.TrainingMixed)
	_, err = s.till.Void(ctx, till.Void{Sale: drill.Body.ID, Key: "v"})
	wantCode(t, err, problem.SaleUnknown)
	_, err = s.till.Enrol(ctx, till.NewMember{Key: "e", Caller: who})
	wantCode(t, err, problem.TrainingMixed)
	_, err = s.till.Claim(ctx, till.NewClaim{Key: "c", Caller: who})
	wantCode(t, err, problem.TrainingMixed)
	_, err = s.till.CloseDay(ctx, till.NewDayClose{Key: "d", Caller: who})
	wantCode(t, err, problem.TrainingMixed)
	if found, err := s.till.Sale(ctx, real.Body.ID); err != nil || found.Void != nil || !reflect.DeepEqual(found.Sale.Body, real.Body) {
		t.Errorf("the real sale is now %+v, %v", found, err)
	}
	// A typed number can be practised with.
	if _, err := s.till.Identify(ctx, passtoken.CardNumberOf(s.member.ID).String()); err != nil {
		t.Error(err)
	}
}
