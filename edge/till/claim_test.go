package till_test

import (
	"context"
	"crypto/sha256"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

func claiming(key, receipt, code string) till.NewClaim {
	return till.NewClaim{Receipt: receipt, Code: code, Key: key, KeyHash: sha256.Sum256([]byte(key + receipt + code))}
}

// A sale without a card prints what it is worth; the receipt is claimed here once, also
// after a restart with a new cache, and gives nothing to spend.
func TestAReceiptIsClaimedWithItsCode(t *testing.T) {
	s := newShop(t, func(s *shop) { s.Policy.ClaimDays = 10 })
	ctx := context.Background()
	s.Feed(t, s.till, s.Lane(t, s.Writer))
	sale := s.commit(t, "a", till.Request{Basket: tilltest.Basket(2500)})
	if sale.Claim == nil || sale.Body.Claim != entry.ClaimOf(sale.Body.ID) || sale.Body.Account != uuid.Nil || len(sale.Body.Earned) != 0 ||
		len(sale.Claim.Worth) != 1 || sale.Claim.Worth[0].Amount != 25 {
		t.Fatalf("sold %+v, %+v", sale.Body, sale.Claim)
	}
	p := sale.Claim.Token.Pass()
	if !sale.Claim.Token.ClaimBy(s.Own.Public.Key) || p.KeyID != passtoken.TerminalKeyID || p.Subject != sale.Body.Claim || p.ExpiresOn.String() != "2026-03-20" {
		t.Errorf("the code says %+v", p)
	}
	if again := s.commit(t, "a", till.Request{Basket: tilltest.Basket(2500)}); again.Claim == nil || again.Claim.Token != sale.Claim.Token {
		t.Errorf("the same key answers %+v", again.Claim)
	}
	if carded := s.commit(t, "b", s.buy(t, 1000)); carded.Claim != nil || carded.Body.Claim != uuid.Nil {
		t.Errorf("a sale with a card has %+v", carded.Claim)
	}
	text, code := sale.Claim.Token.Text(), s.Static(t, s.member)
	_, err := s.till.Identify(ctx, text)
	wantCode(t, err, problem.CodeWrongKind)
	_, err = s.till.Claim(ctx, claiming("x", text, text))
	wantCode(t, err, problem.CodeWrongKind)
	_, err = s.till.Claim(ctx, claiming("x", code, code))
	wantCode(t, err, problem.CodeWrongKind)
	before := s.free(t)
	got, err := s.till.Claim(ctx, claiming("c", text, code))
	if err != nil || !got.Body.Matched || got.Body.Claim != sale.Body.Claim || got.Body.Member != s.member.ID || got.Body.Account != s.member.Account {
		t.Fatalf("%+v, %v", got, err)
	}
	if after := s.free(t); after != before {
		t.Errorf("the claim made %+v of %+v", after, before)
	}
	again, err := s.till.Claim(ctx, claiming("c", text, code))
	if err != nil || !again.Replayed || again.At != got.At {
		t.Errorf("the same key: %+v, %v", again, err)
	}
	_, err = s.till.Claim(ctx, claiming("d", text, code))
	wantCode(t, err, problem.ReceiptClaimed)
	foreign := passtoken.IssueClaim(tilltest.Own(t, s.HQ), s.NewID(), p.ExpiresOn)
	if other, err := s.till.Claim(ctx, claiming("e", foreign.Text(), code)); err != nil || other.Body.Matched {
		t.Errorf("a receipt of another store: %+v, %v", other, err)
	}
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	if again, err = s.till.Claim(ctx, claiming("c", text, code)); err != nil || again.At != got.At {
		t.Errorf("with a new cache: %+v, %v", again, err)
	}
	s.Restart()
	s.Feed(t, s.till, s.Base(t)...)
	_, err = s.till.Claim(ctx, claiming("f", text, code))
	wantCode(t, err, problem.ReceiptClaimed)
	s.Pass(11 * 24 * 3600e9)
	late := passtoken.IssueClaim(s.Own, s.NewID(), p.ExpiresOn)
	_, err = s.till.Claim(ctx, claiming("g", late.Text(), code))
	wantCode(t, err, problem.CodeExpired)
	_, err = s.till.Identify(ctx, late.Text())
	wantCode(t, err, problem.CodeExpired)
}

func TestWithoutClaimDaysNoReceiptIsClaimed(t *testing.T) {
	s := newShop(t, nil)
	if sale := s.commit(t, "a", till.Request{Basket: tilltest.Basket(2500)}); sale.Claim != nil || sale.Body.Claim != uuid.Nil {
		t.Errorf("sold %+v, %+v", sale.Body, sale.Claim)
	}
}
