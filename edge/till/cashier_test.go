package till_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// staff are the people of a shop: Ana the cashier (1111) and Bo the manager (2222).
type staff struct {
	*shop
	ana, bo wire.Cashier
}

func newStaff(t *testing.T, rules loyalty.TillRules) staff {
	t.Helper()
	s := staff{shop: newShop(t, nil)}
	s.ana, s.bo = s.Hired(t, "Ana", wire.RoleCashier, "1111"), s.Hired(t, "Bo", wire.RoleManager, "2222")
	s.Feed(t, s.till, s.CashierItem(t, s.ana), s.CashierItem(t, s.bo), s.TillRules(t, rules))
	return s
}

func (s staff) signIn(t *testing.T, who wire.Cashier, digits string) till.Session {
	t.Helper()
	session, err := s.till.SignIn(context.Background(), till.SignIn{Cashier: who.ID, PIN: digits})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// guess types a PIN that is expected to be refused.
func (s staff) guess(t *testing.T, who wire.Cashier, digits string, want problem.Code) {
	t.Helper()
	_, err := s.till.SignIn(context.Background(), till.SignIn{Cashier: who.ID, PIN: digits})
	wantCode(t, err, want)
}

// approval is a manager's, for the caller's next call.
func (s staff) approval(t *testing.T, n till.NewApproval) uuid.UUID {
	t.Helper()
	n.Manager, n.PIN = s.bo.ID, "2222"
	a, err := s.till.Approve(context.Background(), n)
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func pay(minor int64) *int64 { return &minor }

func TestASignedInCashierIsInTheEntry(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{SignIn: true})
	roster, err := s.till.Cashiers()
	if err != nil || len(roster.Cashiers) != 2 || roster.Cashiers[0].Name != "Ana" || !roster.SignIn || roster.Idle != 10*time.Minute {
		t.Fatalf("roster %+v, %v", roster, err)
	}
	session := s.signIn(t, s.ana, "1111")
	req := s.buy(t, 1000)
	req.Caller = till.Caller{Page: true, Session: session.ID}
	sale, err := s.till.Commit(context.Background(), till.Commit{Request: req, Key: "k", Cashier: "what the page says", Caller: req.Caller})
	if err != nil {
		t.Fatal(err)
	}
	if h := sale.Body.Hands; h.CashierID != s.ana.ID || h.Approver != uuid.Nil || h.TillRules == 0 || sale.Body.Cashier != "" {
		t.Errorf("sold by %+v, %q", h, sale.Body.Cashier)
	}
	// Till software goes on as before.
	if other := s.commit(t, "pos", s.buy(t, 1000)); other.Body.Cashier != "7" || other.Body.CashierID != uuid.Nil {
		t.Errorf("sold by %+v", other.Body)
	}
}

func TestThePageNeedsACashierWhereTheStoreSaysSo(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{SignIn: true})
	nobody := till.Caller{Page: true}
	_, err := s.till.Commit(context.Background(), till.Commit{Request: s.buy(t, 1000), Key: "k", Caller: nobody})
	wantCode(t, err, problem.CashierNeeded)
	wantCode(t, s.till.Allow(nobody), problem.CashierNeeded)
	s.Feed(t, s.till, s.TillRules(t, loyalty.TillRules{}))
	if err := s.till.Allow(nobody); err != nil {
		t.Error(err)
	}
}

func TestSessionsEnd(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(staff, *testing.T, till.Session)
	}{
		{"signed out", func(s staff, _ *testing.T, session till.Session) { s.till.SignOut(session.ID) }},
		{"idle", func(s staff, _ *testing.T, _ till.Session) { s.Pass(time.Minute) }},
		{"another signs in at the same page", func(s staff, t *testing.T, session till.Session) {
			if _, err := s.till.SignIn(context.Background(), till.SignIn{Cashier: s.bo.ID, PIN: "2222", Ends: session.ID}); err != nil {
				t.Fatal(err)
			}
		}},
		{"deactivated", func(s staff, t *testing.T, _ till.Session) {
			s.ana.Active = false
			s.Feed(t, s.till, s.CashierItem(t, s.ana))
		}},
		{"another PIN", func(s staff, t *testing.T, _ till.Session) {
			s.ana.PIN = s.Hired(t, "Ana", wire.RoleCashier, "3333").PIN
			s.Feed(t, s.till, s.CashierItem(t, s.ana))
		}},
		{"the agent starts again", func(s staff, t *testing.T, _ till.Session) { s.reboot(t, false) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStaff(t, loyalty.TillRules{IdleSeconds: 60})
			session := s.signIn(t, s.ana, "1111")
			s.Pass(50 * time.Second)
			if err := s.till.Allow(till.Caller{Session: session.ID}); err != nil {
				t.Fatal(err)
			}
			s.Pass(50 * time.Second) // used in between
			if got, err := s.till.Session(session.ID); err != nil || got.Cashier.Name != "Ana" {
				t.Fatalf("%+v, %v", got, err)
			}
			c.end(s, t, session)
			wantCode(t, s.till.Allow(till.Caller{Session: session.ID}), problem.CashierSessionEnded)
			_, err := s.till.Session(session.ID)
			wantCode(t, err, problem.CashierSessionEnded)
		})
	}
}

func TestWrongPINsWait(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{})
	for range 4 {
		s.guess(t, s.ana, "0000", problem.PINWrong)
	}
	s.reboot(t, false) // a restart forgets none
	s.guess(t, s.ana, "12", problem.PINWrong)
	s.guess(t, s.ana, "1111", problem.PINLocked)
	s.signIn(t, s.bo, "2222") // the others do not wait
	s.Pass(31 * time.Second)
	s.guess(t, s.ana, "0000", problem.PINWrong)
	s.Pass(31 * time.Second)
	s.guess(t, s.ana, "1111", problem.PINLocked) // twice as long now
	s.Pass(30 * time.Second)
	s.signIn(t, s.ana, "1111")
	for range 4 { // all is as new
		s.guess(t, s.ana, "0000", problem.PINWrong)
	}
	s.signIn(t, s.ana, "1111")
	s.guess(t, wire.Cashier{ID: s.NewID()}, "1111", problem.CashierUnknown)
}

// Nobody goes from cashier to cashier with one PIN.
func TestWrongPINsOfATerminalWaitTogether(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{})
	for n := range 20 {
		many := s.Hired(t, string(rune('a'+n)), wire.RoleCashier, "4711")
		s.Feed(t, s.till, s.CashierItem(t, many))
		s.guess(t, many, "1234", problem.PINWrong)
	}
	s.guess(t, s.ana, "1111", problem.PINLocked)
	s.Pass(31 * time.Second)
	s.signIn(t, s.ana, "1111")
}

func TestAVoidOverTheLimitNeedsAManager(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{VoidOver: pay(2000)})
	session := s.signIn(t, s.ana, "1111").ID
	small, big, other := s.commit(t, "s", s.buy(t, 2000)), s.commit(t, "b", s.buy(t, 2001)), s.commit(t, "o", s.buy(t, 9000))
	void := func(key string, sale till.Sale, approval uuid.UUID) (till.Voided, error) {
		return s.till.Void(context.Background(), till.Void{
			Sale: sale.Body.ID, Key: key, KeyHash: sha256.Sum256([]byte(key)), Caller: till.Caller{Session: session, Approval: approval},
		})
	}
	if _, err := void("v0", small, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	_, err := void("v1", big, uuid.Nil)
	wantCode(t, err, problem.ApprovalNeeded)
	ask := till.NewApproval{Caller: till.Caller{Session: session}, For: till.OpVoid, Sale: big.Body.ID}
	_, err = void("v1", other, s.approval(t, ask)) // for another sale
	wantCode(t, err, problem.ApprovalInvalid)
	late := s.approval(t, ask)
	s.Pass(till.ApprovalLife)
	_, err = void("v1", big, late)
	wantCode(t, err, problem.ApprovalInvalid)
	good := s.approval(t, ask)
	voided, err := void("v1", big, good)
	if err != nil || voided.Body.Approver != s.bo.ID || voided.Body.CashierID != s.ana.ID || voided.Body.Total.Minor != 2001 {
		t.Fatalf("%+v, %v", voided.Body, err)
	}
	if again, err := void("v1", big, good); err != nil || !again.Replayed { // its answer was lost
		t.Fatalf("%+v, %v", again, err)
	}
	_, err = void("v2", other, good) // used up
	wantCode(t, err, problem.ApprovalInvalid)
	// Another session cannot use what this one asked for.
	ask.Sale = other.Body.ID
	mine := s.approval(t, ask)
	_, err = s.till.Void(context.Background(), till.Void{Sale: other.Body.ID, Key: "v3", Caller: till.Caller{Approval: mine}})
	wantCode(t, err, problem.ApprovalInvalid)
}

// A void that fails uses up no approval.
func TestAnApprovalOutlivesAFailure(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{VoidOver: pay(0)})
	sale := s.sellTwo(t, "a")
	s.bringBack(t, till.Return{Sale: sale.Body.ID, Key: "r", Lines: pieces(4, 1000)})
	approval := s.approval(t, till.NewApproval{For: till.OpVoid, Sale: sale.Body.ID})
	for range 2 {
		_, err := s.till.Void(context.Background(), till.Void{Sale: sale.Body.ID, Key: "v", Caller: till.Caller{Approval: approval}})
		wantCode(t, err, problem.SaleHasReturns)
	}
}

func TestAVoidOfALostAnswerNeedsNobody(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{VoidOver: pay(0)})
	s.commit(t, "a", s.buy(t, 1000))
	lost := till.Void{SaleKey: "a", Key: "v", Reason: entry.VoidLostAnswer, Caller: till.Caller{Page: true}}
	_, err := s.till.Void(context.Background(), lost)
	wantCode(t, err, problem.ApprovalNeeded) // a person at the page may only say so
	lost.Caller.Page = false
	if _, err := s.till.Void(context.Background(), lost); err != nil {
		t.Fatal(err)
	}
}

func TestReturnsOverTheLimitNeedAManager(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{ReturnOver: pay(1500)})
	req := s.buy(t, 2000)
	req.Basket.Lines = nil
	sale := s.commit(t, "a", req)
	back := func(key string, minor int64, approval uuid.UUID) error {
		_, err := s.till.Return(context.Background(), till.Return{
			SaleReceipt: "R-a", Refund: euros(minor), Key: key, Caller: till.Caller{Approval: approval},
		})
		return err
	}
	if err := back("r1", 1000, uuid.Nil); err != nil {
		t.Fatal(err)
	}
	wantCode(t, back("r2", 600, uuid.Nil), problem.ApprovalNeeded) // small ones add up
	if err := back("r2", 600, s.approval(t, till.NewApproval{For: till.OpReturn, SaleReceipt: "R-a"})); err != nil {
		t.Fatal(err)
	}
	if err := back("r3", 100, s.approval(t, till.NewApproval{For: till.OpReturn, Sale: sale.Body.ID})); err != nil {
		t.Fatal(err)
	}
	// Of a sale that nobody knows the money counts.
	unknown := till.Return{Refund: euros(1501), Key: "r4"}
	_, err := s.till.Return(context.Background(), unknown)
	wantCode(t, err, problem.ApprovalNeeded)
	unknown.Caller.Approval = s.approval(t, till.NewApproval{For: till.OpReturn, Refund: 1500})
	_, err = s.till.Return(context.Background(), unknown)
	wantCode(t, err, problem.ApprovalInvalid)
	unknown.Caller.Approval = s.approval(t, till.NewApproval{For: till.OpReturn, Refund: 1501})
	got, err := s.till.Return(context.Background(), unknown)
	if err != nil || got.Body.Approver != s.bo.ID {
		t.Fatalf("%+v, %v", got.Body, err)
	}
}

func TestOnlyManagersApprove(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{VoidOver: pay(0)})
	sale := s.commit(t, "a", s.buy(t, 1000))
	ask := till.NewApproval{For: till.OpVoid, Sale: sale.Body.ID, Manager: s.ana.ID, PIN: "1111"}
	_, err := s.till.Approve(context.Background(), ask)
	wantCode(t, err, problem.ManagerNeeded)
	ask.Manager, ask.PIN = s.bo.ID, "1111"
	_, err = s.till.Approve(context.Background(), ask)
	wantCode(t, err, problem.PINWrong)
	for _, bad := range []till.NewApproval{{For: till.OpVoid}, {For: till.OpRedeem}, {For: "anything", Sale: sale.Body.ID}} {
		bad.Manager, bad.PIN = s.bo.ID, "2222"
		_, err = s.till.Approve(context.Background(), bad)
		wantCode(t, err, problem.InvalidField)
	}
}

// What another store's cashier may do is nobody's business here.
func TestCashiersOfOtherStoresAreNotTakenIn(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{})
	stranger := s.Hired(t, "Stranger", wire.RoleManager, "9999")
	stranger.Store = s.NewID()
	s.Feed(t, s.till, s.CashierItem(t, stranger))
	s.guess(t, stranger, "9999", problem.CashierUnknown)
	if roster, err := s.till.Cashiers(); err != nil || len(roster.Cashiers) != 2 {
		t.Errorf("%+v, %v", roster, err)
	}
}
