package e2e

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// With HQ off a shopper buys without a card, becomes a member, buys with it, and shows the
// receipt at the other lane; somebody else shows it too. HQ gives its points once, and
// takes back those of what comes back later.
func TestG1_AReceiptIsClaimedByAMemberEnrolledOffline(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	policy := stage.DefaultPolicy
	policy.ClaimDays = 30
	must(t, s.Office.PutPolicy(t.Context(), policy))
	first, second := s.lane(t, "lane1"), s.lane(t, "lane2")
	anna := s.shopper(t, "Anna", 100)
	must(t, stage.Until(t.Context(), "the first lane may enrol members", func() (bool, error) {
		_, err := first.Enrol(t.Context(), "early")
		if problem.CodeOf(err) == problem.IdentitiesExhausted {
			return false, nil
		}
		return err == nil, err
	}))
	must(t, s.HQ.Stop(t.Context()))
	bare := sell(t, first, "r1", edgeclient.QuoteRequest{Total: 40_00})
	if bare.Claim == nil || len(bare.Claim.Worth) != 1 || bare.Claim.Worth[0].Amount != 40 {
		t.Fatalf("without a card: %+v", bare.Claim)
	}
	ben, err := first.Enrol(t.Context(), "ben")
	must(t, err)
	sell(t, first, "r2", edgeclient.QuoteRequest{Code: ben.Code, Total: 5_00})
	claimed, err := first.Claim(t.Context(), "c1", bare.Claim.Code, ben.Code)
	must(t, err)
	if claimed.Member != ben.ID || !claimed.Matched {
		t.Errorf("claimed %+v", claimed)
	}

	must(t, s.HQ.Start(t.Context()))
	s.Office, err = s.HQ.SignIn(t.Context())
	must(t, err)
	s.settle(t)
	has := func(id uuid.UUID, want int64) {
		t.Helper()
		m, err := s.Office.Member(t.Context(), id)
		must(t, err)
		if got := m.Holding(stage.Points).Free; got != want {
			t.Errorf("%s has %d points, want %d", id, got, want)
		}
	}
	has(ben.ID, 5+40)
	if _, err := second.Claim(t.Context(), "c2", bare.Claim.Code, anna.Code); err != nil {
		t.Errorf("the other lane: %v", err)
	}
	s.settle(t)
	byHand, err := s.Office.ClaimReceipt(t.Context(), ben.ID, bare.Claim.Code)
	must(t, err)
	if byHand.State != "claimed" || byHand.Member != ben.ID {
		t.Errorf("at HQ %+v", byHand)
	}
	has(ben.ID, 45)
	has(anna.ID, 100)
	all, err := s.Office.Exceptions(t.Context())
	must(t, err)
	repeated := 0
	for _, e := range all {
		if e.State == "open" && e.Member == anna.ID {
			repeated++
		} else if e.State == "open" {
			t.Errorf("exception %+v", e)
		}
	}
	if repeated != 1 {
		t.Errorf("%d exceptions of Anna's claim: %+v", repeated, all)
	}
	if _, err := first.Return(t.Context(), "b1", edgeclient.ReturnRequest{Sale: bare.ID}); err != nil {
		t.Fatal(err)
	}
	s.settle(t)
	must(t, stage.Until(t.Context(), "what came back is taken from the claimer", func() (bool, error) {
		m, err := s.Office.Member(t.Context(), ben.ID)
		return m.Holding(stage.Points).Free == 5, err
	}))
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}
