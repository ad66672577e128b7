package loyalty_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
)

func TestG2_RightsAreSpentInTheirOrder(t *testing.T) {
	id := func(n byte) loyalty.ID { return loyalty.ID{n} }
	r := exact(points(1), points(2), voucher(1))
	r.Policy.Rights.ClockBoundSeconds = 60
	uses := loyalty.UseUnit(uuid.UUID(voucherID).String())
	r.Rights = []loyalty.Right{
		{ID: id(1), Unit: "points", Left: 100, EndsAt: 0, Basis: loyalty.ByRight},
		{ID: id(2), Unit: "points", Left: 150, EndsAt: now + 90_000, Basis: loyalty.ByRight},
		{ID: id(3), Unit: "points", Left: 900, EndsAt: now + 60_000, Basis: loyalty.ByRight}, // within the clock bound
		{ID: id(4), Unit: "points", Left: 50, EndsAt: now + 80_000, Basis: loyalty.ByRight},
		{ID: id(5), Unit: "stamps", Left: 900, Basis: loyalty.ByRight},
		{ID: id(6), Unit: uses, Left: 1, Basis: loyalty.ByRight},
		{ID: id(7), Unit: "points", Left: 0, Basis: loyalty.ByRight},
	}
	r.Offered = []loyalty.Right{{ID: id(8), Unit: "points", Left: 200, EndsAt: now + 70_000, Basis: loyalty.ByHQ}}
	short, refusal := loyalty.Missing(r)
	if refusal != nil || !reflect.DeepEqual(short, []loyalty.Short{{Unit: "points", Amount: 100}}) {
		t.Fatalf("missing %v, %v", short, refusal)
	}
	d, refusal := loyalty.Decide(r)
	if refusal != nil {
		t.Fatal(refusal)
	}
	part := func(amount, discount int64, basis loyalty.Basis, right byte) loyalty.Redeemed {
		x := loyalty.Redeemed{Reward: coffee, Unit: "points", Amount: amount, Discount: discount, Basis: basis}
		if right != 0 {
			x.Right = id(right)
		}
		return x
	}
	want := []loyalty.Redeemed{
		part(50, 500, loyalty.ByRight, 4), part(150, 0, loyalty.ByRight, 2),
		part(100, 1000, loyalty.ByRight, 1), part(200, 0, loyalty.ByHQ, 8), part(100, 0, loyalty.ByStandIn, 0),
		{Reward: gift, Voucher: voucherID, Amount: 1, Discount: 1000, Basis: loyalty.ByRight, Right: id(6)},
	}
	if !reflect.DeepEqual(d.Redeemed, want) {
		t.Errorf("redeemed\n%+v, want\n%+v", d.Redeemed, want)
	}
	totals := []loyalty.Redeemed{
		{Reward: coffee, Unit: "points", Amount: 600, Discount: 1500}, {Reward: gift, Voucher: voucherID, Amount: 1, Discount: 1000},
	}
	if got := d.Totals(); !reflect.DeepEqual(got, totals) {
		t.Errorf("in all %+v", got)
	}
}

// TestG2_NoRightIsSpentBeyondWhatIsLeft draws any rights and wishes: what is redeemed is
// what was wished for, no right gives more than it has, and only the rest is stand-in.
func TestG2_NoRightIsSpentBeyondWhatIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := exact()
		r.Policy.Rights.ClockBoundSeconds = 1
		r.Policy.PerTerminal = rapid.Int64Range(0, 1000).Draw(t, "share")
		r.Member.Free["points"] = rapid.Int64Range(0, 1000).Draw(t, "free")
		left := map[loyalty.ID]int64{}
		for i := range rapid.IntRange(0, 6).Draw(t, "rights") {
			right := loyalty.Right{
				ID: loyalty.ID{byte(i + 1)}, Unit: "points", Left: rapid.Int64Range(-5, 400).Draw(t, "left"), Basis: loyalty.ByRight,
				EndsAt: now + rapid.Int64Range(900, 1100).Draw(t, "ends"),
			}
			if right.EndsAt > now+1000 {
				left[right.ID] = max(0, right.Left)
			}
			if rapid.Bool().Draw(t, "offered") {
				right.Basis = loyalty.ByHQ
				r.Offered = append(r.Offered, right)
			} else {
				r.Rights = append(r.Rights, right)
			}
		}
		var wished, covered int64
		for range rapid.IntRange(1, 4).Draw(t, "wishes") {
			times := rapid.Int64Range(1, 3).Draw(t, "times")
			r.Wishes = append(r.Wishes, points(times))
			wished += 200 * times
		}
		for _, n := range left {
			covered += n
		}
		short := max(0, wished-covered)
		d, refusal := loyalty.Decide(r)
		if refusal != nil {
			if short <= min(r.Member.Free["points"], r.Policy.PerTerminal) && d.Discount <= r.Basket.Total && refusal.Reason != loyalty.DiscountTooLarge {
				t.Fatalf("%d short of %d: %v", short, wished, refusal)
			}
			return
		}
		var standIn, sum int64
		for _, x := range d.Redeemed {
			sum += x.Amount
			if x.Amount <= 0 {
				t.Fatalf("a part of %d", x.Amount)
			}
			if x.Basis == loyalty.ByStandIn {
				standIn += x.Amount
				continue
			}
			if left[x.Right] -= x.Amount; left[x.Right] < 0 {
				t.Fatalf("%v is spent beyond what is left: %+v", x.Right, d.Redeemed)
			}
		}
		if sum != wished || standIn != short || d.Discount != wished/200*500 {
			t.Fatalf("%d of %d redeemed, %d without a right of %d short, for %d", sum, wished, standIn, short, d.Discount)
		}
	})
}

func TestKeptIsWhatPolicyLetsSpendAtOnce(t *testing.T) {
	day := int64(86_400_000)
	for _, c := range []struct {
		name   string
		change func(*loyalty.Request)
		want   []loyalty.Kept
	}{
		{"off", func(r *loyalty.Request) { r.Policy.SpendEarned = false }, nil},
		{"on", func(*loyalty.Request) {}, []loyalty.Kept{{Unit: "points", Amount: 100, EndsAt: now + day}}},
		{"no life", func(r *loyalty.Request) { r.Policy.Rights.LifeSeconds = 0 }, nil},
		{"not vested", func(r *loyalty.Request) { r.Rules.Earn[0].VestDays = 1 }, nil},
		{"not vested, spendable", func(r *loyalty.Request) {
			r.Rules.Earn[0].VestDays, r.Policy.SpendPending = 1, true
		}, []loyalty.Kept{{Unit: "points", Amount: 100, EndsAt: now + day}}},
		{"owing", func(r *loyalty.Request) { r.Member.Owes = map[string]int64{"points": 1} }, nil},
		{"no account", func(r *loyalty.Request) { r.Member.Account = loyalty.ID{} }, nil},
		{"decided by HQ", func(r *loyalty.Request) { r.Authorised = true }, nil},
		{"two rules, one expiring", func(r *loyalty.Request) {
			r.Rules.Earn = append(r.Rules.Earn, loyalty.EarnRule{Unit: "points", Points: 1, Per: 1000, ExpireOn: now + 5})
		}, []loyalty.Kept{{Unit: "points", Amount: 110, EndsAt: now + 5}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := exact()
			r.Rules.Earn = []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100}}
			r.Policy.SpendEarned, r.Policy.Rights.LifeSeconds = true, 86_400
			c.change(&r)
			d, refusal := loyalty.Decide(r)
			if refusal != nil || !reflect.DeepEqual(d.Kept, c.want) {
				t.Errorf("kept %+v, %v; want %+v", d.Kept, refusal, c.want)
			}
		})
	}
}

// BenchmarkDecide is a sale that spends two rights, a loan and stand-in, with every cap
// of the policy set: what DESIGN allows is 20 µs.
func BenchmarkDecide(b *testing.B) {
	r := exact(points(2), voucher(1))
	r.Policy.SoftLimit, r.Policy.AgeSteps, r.Unwitnessed = 4000, []loyalty.AgeStep{{AfterSeconds: 60, Percent: 50}}, true
	for i := range 6 {
		r.Rights = append(r.Rights, loyalty.Right{ID: loyalty.ID{byte(i)}, Unit: "points", Left: 40, EndsAt: now + int64(i+1)*100_000, Basis: loyalty.ByRight})
	}
	r.Offered = []loyalty.Right{{ID: loyalty.ID{9}, Unit: "points", Left: 60, EndsAt: now + 100_000, Basis: loyalty.ByHQ}}
	b.ReportAllocs()
	for b.Loop() {
		if d, refusal := loyalty.Decide(r); refusal != nil || len(d.Redeemed) < 8 {
			b.Fatal(fmt.Sprint(d, refusal))
		}
	}
}
