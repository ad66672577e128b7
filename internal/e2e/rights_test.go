package e2e

import (
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/proxy"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// onlyRights lets nothing be redeemed but on rights: half of what a member has free is
// set aside for the stores where they shop.
var onlyRights = hqclient.Policy{
	Unit: stage.Points, MaxCacheAge: 7 * 24 * 3600, RestartCap: 10_000,
	Rights: hqclient.Rights{SharePercent: 50, Cap: 1_000, LifeSeconds: 7 * 24 * 3600, OneOffSecs: 3600, GraceSeconds: 3600},
}

// rightsStage is two lanes of a store, a shopper with 1,000 points who shops there, and
// a right of half of them at one of the lanes, the holder.
func rightsStage(t *testing.T) (s *scene, anna stage.Shopper, holder, other *stage.Lane, lines [2]*proxy.Proxy) {
	t.Helper()
	s = newScene(t)
	must(t, s.Office.PutPolicy(t.Context(), onlyRights))
	anna = s.shopper(t, "Anna", 1_000)
	lanes, lines := s.neighbours(t)
	for _, lane := range lanes {
		must(t, lane.AwaitMember(t.Context(), anna.Code, stage.Points, 1_000))
	}
	sell(t, lanes[0], "visit", edgeclient.QuoteRequest{Code: anna.Code, Total: 2_00})
	must(t, stage.Until(t.Context(), "a lane holds a right", func() (bool, error) {
		for i, lane := range lanes {
			status, err := lane.Status(t.Context())
			if err != nil {
				return false, err
			}
			if status.Rights.Points == 501 {
				holder, other = lane, lanes[1-i]
			}
		}
		return holder != nil, nil
	}))
	for _, line := range lines {
		line.Cut()
	}
	for _, lane := range lanes {
		must(t, lane.AwaitOffline(t.Context()))
	}
	return s, anna, holder, other, lines
}

func bases(sale edgeclient.Sale) (all []string) {
	for _, r := range sale.Redeemed {
		all = append(all, r.Basis)
	}
	return all
}

// With HQ gone and stand-in at zero, one lane redeems what was set aside, the other
// borrows the rest of it, and then both refuse although the shopper has points.
func TestG2_LanesSpendWhatWasSetAsideAndNoMore(t *testing.T) {
	t.Parallel()
	s, anna, holder, other, lines := rightsStage(t)
	coffee := edgeclient.QuoteRequest{Code: anna.Code, Total: 10_00, Currency: stage.Currency, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}}}
	for i, lane := range []*stage.Lane{holder, other} {
		sale := sell(t, lane, []string{"own-right", "loan"}[i], coffee)
		if got := bases(sale); len(got) != 1 || got[0] != "allowance" {
			t.Fatalf("%s redeemed on %v", lane.Name, got)
		}
	}
	for _, lane := range []*stage.Lane{holder, other} {
		_, err := lane.Sell(t.Context(), "too-much-at-"+lane.Name, coffee)
		wantCode(t, "more than was set aside", err, problem.StandInOff)
	}
	// The lender dies and comes back; what it lent it does not have again.
	must(t, holder.Kill())
	must(t, holder.Start(t.Context()))
	_, err := holder.Sell(t.Context(), "after-the-crash", coffee)
	wantCode(t, "what was lent", err, problem.StandInOff)
	for _, line := range lines {
		must(t, line.Restore(t.Context()))
	}
	s.settle(t)
	member, err := s.Office.Member(t.Context(), anna.ID)
	must(t, err)
	h := member.Holding(stage.Points)
	if h.Overdraft != 0 || h.Free+h.Allowance != 1_000+2-400+2*7 {
		t.Errorf("HQ has %+v", h)
	}
	all, err := s.Office.Exceptions(t.Context())
	must(t, err)
	for _, e := range all { // a sale that arrived before its loan waited, and was explained
		if e.State != "withdrawn" {
			t.Errorf("exception %+v", e)
		}
	}
}

// Points that a shopper earned at one lane a moment ago are spent at the next, with HQ out
// of reach and no feed to tell of them.
func TestG2_PointsEarnedAtOneLaneAreSpentAtTheNext(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	policy := onlyRights
	policy.SpendEarned, policy.SpendPending = true, true
	must(t, s.Office.PutPolicy(t.Context(), policy))
	anna := s.shopper(t, "Anna", 0)
	lanes, lines := s.neighbours(t)
	for _, lane := range lanes {
		must(t, lane.AwaitMember(t.Context(), anna.Code, stage.Points, 0))
	}
	for _, line := range lines {
		line.Cut()
	}
	for _, lane := range lanes {
		must(t, lane.AwaitOffline(t.Context()))
	}
	coffee := edgeclient.QuoteRequest{Code: anna.Code, Total: 10_00, Currency: stage.Currency, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID}}}
	_, err := lanes[1].Sell(t.Context(), "before", coffee)
	wantCode(t, "before anything was earned", err, problem.StandInOff, problem.PointsInsufficient)
	for _, receipt := range []string{"earn-1", "earn-2"} {
		sell(t, lanes[0], receipt, edgeclient.QuoteRequest{Code: anna.Code, Total: 150_00})
	}
	must(t, stage.Until(t.Context(), "the lanes have met", func() (bool, error) {
		scan, err := lanes[1].Scan(t.Context(), anna.Code)
		return slices.ContainsFunc(scan.Rewards, func(r edgeclient.Reward) bool { return r.ID == s.programme.Coffee.ID && r.Affordable }), err
	}))
	sale := sell(t, lanes[1], "coffee", coffee)
	for _, basis := range bases(sale) {
		if basis != "allowance" {
			t.Errorf("redeemed on %s", basis)
		}
	}
	_, err = lanes[0].Sell(t.Context(), "again", coffee)
	wantCode(t, "what was lent", err, problem.StandInOff, problem.PointsInsufficient)
	for _, line := range lines {
		must(t, line.Restore(t.Context()))
	}
	s.settle(t)
	member, err := s.Office.Member(t.Context(), anna.ID)
	must(t, err)
	if h := member.Holding(stage.Points); h.Overdraft != 0 || h.Free+h.Allowance+h.Pending != 300-200+7 {
		t.Errorf("HQ has %+v", h)
	}
	all, err := s.Office.Exceptions(t.Context())
	must(t, err)
	for _, e := range all {
		if e.State != "withdrawn" {
			t.Errorf("exception %+v", e)
		}
	}
}

// What is set aside at one store is called back within the time a till waits, when the
// shopper stands in another one.
func TestG2_HQCallsBackWhatAnotherStoreHolds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	must(t, s.Office.PutPolicy(t.Context(), onlyRights))
	home := s.lane(t, "home")
	_, away, err := s.AddStore(t.Context(), hqclient.Store{Code: "away", Name: "Away", TimeZone: "Europe/Warsaw", Currency: stage.Currency}, "lane")
	must(t, err)
	anna := s.shopper(t, "Anna", 1_000)
	sell(t, home, "visit", edgeclient.QuoteRequest{Code: anna.Code, Total: 2_00})
	must(t, stage.Until(t.Context(), "the lane at home holds a right", func() (bool, error) {
		status, err := home.Status(t.Context())
		return status.Rights.Points == 501, err
	}))
	// 501 are free, 800 are wanted.
	sale := sell(t, away[0], "away", edgeclient.QuoteRequest{
		Code: anna.Code, Total: 50_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Coffee.ID, Times: 4}},
	})
	if got := bases(sale); len(got) != 1 || got[0] != "hq_authorised" {
		t.Errorf("redeemed on %v", got)
	}
	_, err = home.Sell(t.Context(), "home", edgeclient.QuoteRequest{
		Code: anna.Code, Currency: stage.Currency, Total: 50_00, Redeem: []edgeclient.Wish{{Reward: s.programme.Bag.ID}},
	})
	wantCode(t, "what was called back", err, problem.PointsInsufficient, problem.StandInOff)
	s.settle(t)
	member, err := s.Office.Member(t.Context(), anna.ID)
	must(t, err)
	if h := member.Holding(stage.Points); h.Overdraft != 0 || h.Free+h.Allowance != 1_002-800+38 {
		t.Errorf("HQ has %+v", h)
	}
}
