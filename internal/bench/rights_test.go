package bench

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// spenders is how many shoppers redeem, each a few times. The slowest hundredth of so
// many is a dozen sales.
const spenders = 250

// TestRights writes build/bench/rights.json: what it takes to redeem on a right held
// here, on one held by another lane, and by asking HQ.
func TestRights(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench does)")
	}
	results := decide(t)
	results = append(results, spendOffline(t)...)
	results = append(results, spendAuthorised(t)...)
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "rights", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s (ratio %.3g), the target is %s", missed.Name, missed.Value, missed.Unit, missed.Ratio, missed.Target)
	}
}

// decide is the decision alone about two rights, a loan and stand-in under every cap,
// beside the check of one signature.
func decide(t *testing.T) []benchtable.Result {
	request := loyalty.Request{
		Now: 1_000_000, Basket: loyalty.Basket{Currency: "EUR", Total: 100_00}, Member: &loyalty.Member{ID: loyalty.ID{1}, Account: loyalty.ID{2}, Free: map[string]int64{"points": 1_000}},
		Wishes: []loyalty.Wish{{Reward: loyalty.ID{3}, Times: 2}},
		Rules:  loyalty.RuleSet{Version: 1, Currency: "EUR", Earn: []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}}},
		Policy: loyalty.Policy{
			Version: 1, Unit: "points", PerSale: 500, PerMemberDay: 1_000, PerTerminal: 5_000, MaxCacheAgeSeconds: 1_000, SoftLimit: 4_000,
			AgeSteps: []loyalty.AgeStep{{AfterSeconds: 60, Percent: 50}}, Rights: loyalty.Rights{SharePercent: 50, Cap: 1_000, LifeSeconds: 1_000_000},
		},
		Rewards: map[loyalty.ID]loyalty.Reward{{3}: {ID: loyalty.ID{3}, Unit: "points", Cost: 200, Discount: 300, Currency: "EUR", Active: true}},
		StandIn: loyalty.StandIn{Share: &loyalty.Share{Points: 5_000}},
	}
	for i := range 4 {
		request.Rights = append(request.Rights, loyalty.Right{ID: loyalty.ID{byte(9 + i)}, Unit: "points", Left: 80, EndsAt: 1_000_000_000 + int64(i), Basis: loyalty.ByRight})
	}
	if _, refusal := loyalty.Decide(request); refusal != nil {
		t.Fatal(refusal)
	}
	public, private, err := ed25519.GenerateKey(nil)
	must(t, err)
	message := make([]byte, 22)
	signature := ed25519.Sign(private, message)
	each := func(do func()) func() float64 {
		return func() float64 {
			return 1e6 / rate(func() int { do(); return 1 })
		}
	}
	value, baseline := paired(
		each(func() { _, _ = loyalty.Decide(request) }), // it was not refused before
		each(func() { ed25519.Verify(public, message, signature) }),
	)
	return []benchtable.Result{benchtable.Against("decide", "µs", value, baseline, benchtable.ValueAtMost(20))}
}

// rightsPolicy lets nothing be redeemed without a right. share is the part of what is
// free that HQ sets aside.
func rightsPolicy(share int64) hqclient.Policy {
	return hqclient.Policy{
		Unit: stage.Points, MaxCacheAge: 7 * 24 * 3600, RestartCap: 1_000_000_000,
		Rights: hqclient.Rights{SharePercent: share, Cap: 100_000, LifeSeconds: 7 * 24 * 3600, OneOffSecs: 3600, GraceSeconds: 3600},
	}
}

// twoLanes is a store with two lanes that know each other, and shoppers with points.
func twoLanes(t *testing.T, share int64) (s *stage.Stage, p stage.Programme, lanes []*stage.Lane, who []stage.Shopper) {
	t.Helper()
	ctx := t.Context()
	s, err := stage.New(ctx, shipped(t), t.TempDir(), nil)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close(context.Background())) })
	p, err = s.OpenProgramme(ctx, rightsPolicy(share))
	must(t, err)
	store, _, err := s.AddStore(ctx, oneStore)
	must(t, err)
	addresses := make([]string, 2)
	for i := range addresses {
		addresses[i], err = process.FreeAddr(ctx)
		must(t, err)
	}
	for i, name := range []string{"one", "two"} {
		_, code, err := s.Office.CreateTerminal(ctx, store.ID, name)
		must(t, err)
		lane, err := stage.Enrol(ctx, s.Bin, name, filepath.Join(s.Dir, name), s.WAN.URL(), code, nil)
		must(t, err)
		lane.Join(addresses[i], addresses[1-i])
		must(t, lane.Start(ctx))
		s.Lanes = append(s.Lanes, lane)
		must(t, lane.AwaitOnline(ctx))
	}
	names := make([]string, spenders)
	for i := range names {
		names[i] = fmt.Sprintf("shopper %d", i)
	}
	who, err = s.EnrolMany(ctx, names, 10_000)
	must(t, err)
	for _, lane := range s.Lanes {
		must(t, lane.AwaitMember(ctx, who[spenders-1].Code, stage.Points, 10_000))
	}
	return s, p, s.Lanes, who
}

// spend quotes, and returns how long the commit took, in ms, and on what basis it was.
func spend(t *testing.T, lane *stage.Lane, who stage.Shopper, wishes ...edgeclient.Wish) (float64, string) {
	t.Helper()
	quote, err := lane.Quote(t.Context(), edgeclient.QuoteRequest{Code: who.Code, Currency: stage.Currency, Total: 50_00, Redeem: wishes})
	must(t, err)
	key := fmt.Sprintf("R%08d", receipts.Add(1))
	began := time.Now()
	sale, err := lane.Commit(t.Context(), key, edgeclient.SaleRequest{Quote: quote.ID, Receipt: key})
	took := time.Since(began)
	must(t, err)
	if len(sale.Redeemed) == 0 {
		return took.Seconds() * 1e3, ""
	}
	return took.Seconds() * 1e3, sale.Redeemed[0].Basis
}

// spendOffline redeems with HQ out of reach: on rights held here, and through the other
// lane.
func spendOffline(t *testing.T) []benchtable.Result {
	s, p, lanes, who := twoLanes(t, 50)
	for _, one := range who {
		spend(t, lanes[0], one) // they shop here
	}
	must(t, stage.UntilWithin(t.Context(), 5*time.Minute, "the lanes hold a right of each shopper", func() (bool, error) {
		var count int64
		for _, lane := range lanes {
			status, err := lane.Status(t.Context())
			if err != nil {
				return false, err
			}
			count += status.Rights.Count
		}
		return count >= spenders, nil
	}))
	s.WAN.Cut()
	for _, lane := range lanes {
		must(t, lane.AwaitOffline(t.Context()))
	}
	var own, loan, plain []float64
	coffee := edgeclient.Wish{Reward: p.Coffee.ID}
	for _, one := range who {
		for i, lane := range lanes {
			took, _ := spend(t, lane, one)
			plain = append(plain, took)
			before := headOf(t, lanes[1-i])
			took, _ = spend(t, lane, one, coffee)
			if headOf(t, lanes[1-i]) == before {
				own = append(own, took)
			} else {
				loan = append(loan, took) // the other lane has journalled it
			}
		}
	}
	if len(own) < spenders/2 || len(loan) < spenders/2 {
		t.Fatalf("%d redeemed on an own right, %d on a loan", len(own), len(loan))
	}
	return []benchtable.Result{
		benchtable.Against("spend_own", "ms", benchtable.Median(own), benchtable.Median(plain), benchtable.Target{}),
		benchtable.Against("spend_own_p99", "ms", p99(own), p99(plain), benchtable.Target{}),
		benchtable.Against("spend_loan", "ms", benchtable.Median(loan), benchtable.Median(plain), benchtable.Target{}),
		benchtable.Against("spend_loan_p99", "ms", p99(loan), p99(plain), benchtable.ValueAtMost(5)),
	}
}

func headOf(t *testing.T, lane *stage.Lane) uint64 {
	t.Helper()
	status, err := lane.Status(t.Context())
	must(t, err)
	return status.HeadSeq
}

// spendAuthorised redeems what HQ gives for the one sale.
func spendAuthorised(t *testing.T) []benchtable.Result {
	_, p, lanes, who := twoLanes(t, 0)
	var asked, plain []float64
	for _, one := range who {
		for range 2 {
			took, _ := spend(t, lanes[0], one)
			plain = append(plain, took)
			took, basis := spend(t, lanes[0], one, edgeclient.Wish{Reward: p.Coffee.ID})
			if basis != "hq_authorised" {
				t.Fatalf("redeemed on %q", basis)
			}
			asked = append(asked, took)
		}
	}
	return []benchtable.Result{
		benchtable.Against("spend_authorised", "ms", benchtable.Median(asked), benchtable.Median(plain), benchtable.Target{}),
		benchtable.Against("spend_authorised_p99", "ms", p99(asked), p99(plain), benchtable.ValueAtMost(25)),
	}
}

func p99(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)*99/100]
}
