package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// typed is a request of the member by card number.
func (s *shop) typed(total int64, wishes ...loyalty.Wish) till.Request {
	return till.Request{Codes: []string{passtoken.CardNumberOf(s.member.ID).String()}, Basket: tilltest.Basket(total), Wishes: wishes}
}

func TestATypedCardNumberEarns(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{})
	scan, err := s.till.Identify(context.Background(), passtoken.CardNumberOf(s.member.ID).String())
	if err != nil || scan.Freshness != entry.FreshnessKeyed || scan.Member.ID != s.member.ID {
		t.Fatalf("%+v, %v", scan, err)
	}
	for _, offer := range scan.Member.Rewards {
		if offer.Refused == nil || offer.Reward.ID == s.five.ID && offer.Refused.Code != problem.ApprovalNeeded {
			t.Errorf("%s: %v", offer.Reward.Name, offer.Refused)
		}
	}
	sale := s.commit(t, "k", s.typed(1000))
	if b := sale.Body; b.Member != s.member.ID || b.Account != s.member.Account || b.Freshness != entry.FreshnessKeyed || len(b.Earned) != 1 {
		t.Errorf("sold %+v", b)
	}
}

func TestRedeemingOnATypedNumberNeedsAManager(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{})
	ctx := context.Background()
	scan, err := s.till.Identify(ctx, passtoken.CardNumberOf(s.member.ID).String())
	if err != nil {
		t.Fatal(err)
	}
	req := till.Request{Scans: []uuid.UUID{scan.ID}, Basket: tilltest.Basket(5000), Wishes: []loyalty.Wish{points(s.five, 1)}}
	_, err = s.till.Quote(ctx, req)
	wantCode(t, err, problem.ApprovalNeeded)
	_, err = s.till.Commit(ctx, tilltest.Commit("a", req))
	wantCode(t, err, problem.ApprovalNeeded)
	// The approval is for that member's card.
	other := s.Member(500)
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, other.ID, other))
	foreign, err := s.till.Identify(ctx, passtoken.CardNumberOf(other.ID).String())
	if err != nil {
		t.Fatal(err)
	}
	req.Caller.Approval = s.approval(t, till.NewApproval{For: till.OpRedeem, Scan: foreign.ID})
	_, err = s.till.Quote(ctx, req)
	wantCode(t, err, problem.ApprovalInvalid)
	req.Caller.Approval = s.approval(t, till.NewApproval{For: till.OpRedeem, Scan: scan.ID})
	quote, err := s.till.Quote(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	commit := tilltest.Commit("a", till.Request{})
	commit.Quote = quote.ID
	sale, err := s.till.Commit(ctx, commit)
	if err != nil || sale.Body.Approver != s.bo.ID || sale.Body.Freshness != entry.FreshnessKeyed || sale.Discount() != 500 {
		t.Fatalf("%+v, %v", sale.Body, err)
	}
	_, err = s.till.Commit(ctx, tilltest.Commit("b", req)) // used up
	wantCode(t, err, problem.ApprovalInvalid)
	// Nobody approves what needs nobody.
	shown := s.buy(t, 5000, points(s.five, 1))
	shown.Caller.Approval = s.approval(t, till.NewApproval{For: till.OpRedeem, Scan: scan.ID})
	_, err = s.till.Commit(ctx, tilltest.Commit("c", shown))
	wantCode(t, err, problem.ApprovalInvalid)
}

// A manager's approval makes the number as good as a static code, not better.
func TestThePolicySaysWhatATypedNumberIsGoodFor(t *testing.T) {
	for _, c := range []struct {
		name     string
		policy   func(*loyalty.Policy)
		approved bool
		want     problem.Code
	}{
		{"switched off", func(p *loyalty.Policy) { p.Keyed.Off = true }, true, problem.ApprovalInvalid},
		{"switched off, nobody asked", func(p *loyalty.Policy) { p.Keyed.Off = true }, false, problem.StandInOff},
		{"good for a little", func(p *loyalty.Policy) { p.Keyed = loyalty.FreshnessCaps{PerSale: 100, PerMemberDay: 100} }, false, ""},
		{"static codes off", func(p *loyalty.Policy) { p.Static.Off = true }, true, problem.StandInOff},
		{"static codes capped", func(p *loyalty.Policy) { p.Static.PerSale = 99 }, true, problem.CapPerSale},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStaff(t, loyalty.TillRules{})
			c.policy(&s.Policy)
			s.Policy.Version++
			s.Feed(t, s.till, s.Item(t, wire.ItemPolicy, s.HQ, s.Policy))
			req := s.typed(5000, points(s.five, 1))
			if c.approved {
				scan, err := s.till.Identify(context.Background(), req.Codes[0])
				if err != nil {
					t.Fatal(err)
				}
				req.Caller.Approval = s.approval(t, till.NewApproval{For: till.OpRedeem, Scan: scan.ID})
			}
			_, err := s.till.Commit(context.Background(), tilltest.Commit("k", req))
			if c.want != "" || err != nil {
				wantCode(t, err, c.want)
			}
		})
	}
}

func TestTypedNumbersThatNobodyHasWait(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	for range 10 {
		_, err := s.till.Identify(ctx, passtoken.CardNumberOf(s.NewID()).String())
		wantCode(t, err, problem.CardNumberUnknown)
	}
	own := passtoken.CardNumberOf(s.member.ID).String()
	_, err := s.till.Identify(ctx, own)
	wantCode(t, err, problem.CardNumberLocked)
	s.reboot(t, false) // a restart forgets none
	_, err = s.till.Identify(ctx, own)
	wantCode(t, err, problem.CardNumberLocked)
	if _, err := s.till.Identify(ctx, s.Static(t, s.member)); err != nil {
		t.Errorf("codes are not typed: %v", err)
	}
	s.Pass(time.Minute + time.Second)
	if _, err := s.till.Identify(ctx, own); err != nil {
		t.Error(err)
	}
	// A slip of the finger is no guess.
	wrong := []byte(own)
	wrong[len(wrong)-1] = '0' + (wrong[len(wrong)-1]-'0'+1)%10
	for range 20 {
		_, err = s.till.Identify(ctx, string(wrong))
		wantCode(t, err, problem.CardNumberInvalid)
	}
	if _, err := s.till.Identify(ctx, own); err != nil {
		t.Error(err)
	}
}

// The index of numbers is rebuilt like the rest, for members enrolled here too.
func TestTypedNumbersSurviveALostCache(t *testing.T) {
	s := newShop(t, nil)
	s.Feed(t, s.till, s.identities(t, 1, s.Writer.ID, s.Writer.Epoch)...)
	fresh, err := s.till.Enrol(context.Background(), till.NewMember{Key: "e"})
	if err != nil {
		t.Fatal(err)
	}
	s.reboot(t, true)
	for _, member := range []uuid.UUID{s.member.ID, fresh.Body.Member} {
		if _, err := s.till.Identify(context.Background(), passtoken.CardNumberOf(member).String()); err != nil {
			t.Errorf("%s: %v", member, err)
		}
	}
	s.member.Blocked = true
	s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
	_, err = s.till.Identify(context.Background(), passtoken.CardNumberOf(s.member.ID).String())
	wantCode(t, err, problem.CodeBlocked)
}

func TestASaleNeedsAReceiptNumberWhereTheStoreSaysSo(t *testing.T) {
	s := newStaff(t, loyalty.TillRules{ReceiptNeeded: true})
	if status, err := s.till.Status(context.Background()); err != nil || !status.ReceiptNeeded {
		t.Errorf("nobody is told beforehand: %+v, %v", status, err)
	}
	commit := tilltest.Commit("k", s.buy(t, 1000))
	commit.Receipt = ""
	_, err := s.till.Commit(context.Background(), commit)
	wantCode(t, err, problem.ReceiptNeeded)
	commit.Receipt = "4711"
	if _, err := s.till.Commit(context.Background(), commit); err != nil {
		t.Fatal(err)
	}
}
