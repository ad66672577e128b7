package loyalty_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/loyalty"
)

var (
	memberID  = loyalty.ID{1}
	accountID = loyalty.ID{2}
	coffee    = loyalty.ID{3}
	gift      = loyalty.ID{4}
	voucherID = loyalty.ID{5}
)

const now = 1_780_000_000_000

// request is a sale of 100.00 by a member with 1,000 points, a reward of 200
// points for 5.00 off, and a voucher with two uses for 10.00 off. Nothing is asked for yet.
func request() loyalty.Request {
	return loyalty.Request{
		Now:    now,
		Basket: loyalty.Basket{Currency: "EUR", Total: 10000},
		Member: &loyalty.Member{ID: memberID, Account: accountID, Free: map[string]int64{"points": 1000}},
		Rules: loyalty.RuleSet{Version: 7, Currency: "EUR", Earn: []loyalty.EarnRule{
			{Unit: "points", Points: 1, Per: 100, VestDays: 14, ExpireMonths: 12},
		}},
		Policy: loyalty.Policy{
			Unit: "points", PerSale: 600, PerMemberDay: 800, PerTerminal: 2000,
			VouchersPerSale: 1, VouchersTerminal: 3, MaxCacheAgeSeconds: 3600,
		},
		Rewards: map[loyalty.ID]loyalty.Reward{
			coffee: {ID: coffee, Name: "Coffee", Unit: "points", Cost: 200, Discount: 500, Currency: "EUR", Active: true},
			gift:   {ID: gift, Name: "Gift", Discount: 1000, Currency: "EUR", Active: true},
		},
		Vouchers: map[loyalty.ID]loyalty.Voucher{
			voucherID: {ID: voucherID, Member: memberID, Account: accountID, Reward: gift, Uses: 2, Left: 2},
		},
	}
}

func points(times int64) loyalty.Wish { return loyalty.Wish{Reward: coffee, Times: times} }

func voucher(times int64) loyalty.Wish { return loyalty.Wish{Voucher: voucherID, Times: times} }

func TestDecideAcceptsAMix(t *testing.T) {
	r := request()
	r.Wishes = []loyalty.Wish{points(2), voucher(1)}
	got, refusal := loyalty.Decide(r)
	if refusal != nil {
		t.Fatal(refusal)
	}
	if got.Discount != 2000 || got.ToPay != 8000 || len(got.Redeemed) != 2 {
		t.Errorf("decided %+v", got)
	}
	if len(got.Earned) != 1 || got.Earned[0].Amount != 80 {
		t.Errorf("points are earned on what is paid: got %+v", got.Earned)
	}
}

// refused is a request and the reason why it is refused.
type refused struct {
	name string
	make func() loyalty.Request
	want loyalty.Reason
}

func edit(change func(*loyalty.Request)) func() loyalty.Request {
	return func() loyalty.Request { r := request(); change(&r); return r }
}

func change(r *loyalty.Request, f func(*loyalty.Reward, *loyalty.Voucher)) {
	reward, v := r.Rewards[coffee], r.Vouchers[voucherID]
	f(&reward, &v)
	r.Rewards[coffee], r.Vouchers[voucherID] = reward, v
}

func wish(ws ...loyalty.Wish) func(func(*loyalty.Request)) func() loyalty.Request {
	return func(f func(*loyalty.Request)) func() loyalty.Request {
		return edit(func(r *loyalty.Request) { r.Wishes = ws; f(r) })
	}
}

func none(*loyalty.Request) {}

// refusedBaskets are refused whatever is wished for.
var refusedBaskets = []refused{
	{"zero total", edit(func(r *loyalty.Request) { r.Basket.Total = 0 }), loyalty.AmountInvalid},
	{"negative total", edit(func(r *loyalty.Request) { r.Basket.Total = -1 }), loyalty.AmountInvalid},
	{"huge total", edit(func(r *loyalty.Request) { r.Basket.Total = loyalty.MaxAmount + 1 }), loyalty.AmountOverflow},
	{"overflowing lines", edit(func(r *loyalty.Request) {
		r.Basket.Lines = []loyalty.Line{{No: 1, Quantity: 1, Amount: loyalty.MaxAmount}, {No: 2, Quantity: 1, Amount: loyalty.MaxAmount}}
	}), loyalty.AmountOverflow},
	{"lines differ from total", edit(func(r *loyalty.Request) {
		r.Basket.Lines = []loyalty.Line{{No: 1, Quantity: 1000, Amount: 9999}}
	}), loyalty.AmountInvalid},
	{"negative line", edit(func(r *loyalty.Request) {
		r.Basket.Lines = []loyalty.Line{{No: 1, Quantity: 1000, Amount: 10001}, {No: 2, Quantity: 1000, Amount: -1}}
	}), loyalty.AmountInvalid},
	{"zero quantity", edit(func(r *loyalty.Request) {
		r.Basket.Lines = []loyalty.Line{{No: 1, Amount: 10000}}
	}), loyalty.AmountInvalid},
	{"too many lines", edit(func(r *loyalty.Request) {
		r.Basket.Lines = make([]loyalty.Line, loyalty.MaxLines+1)
	}), loyalty.AmountInvalid},
	{"other currency", edit(func(r *loyalty.Request) { r.Basket.Currency = "PLN" }), loyalty.CurrencyMismatch},
	{"reward in another currency", wish(points(1))(func(r *loyalty.Request) {
		change(r, func(w *loyalty.Reward, _ *loyalty.Voucher) { w.Currency = "PLN" })
	}), loyalty.CurrencyMismatch},
}

// refusedWishes are refused for the member, a reward, a voucher or a cap.
var refusedWishes = []refused{
	{"blocked member", edit(func(r *loyalty.Request) { r.Member.Blocked = true }), loyalty.CodeBlocked},
	{"no member", wish(points(1))(func(r *loyalty.Request) { r.Member = nil }), loyalty.MemberUnknown},
	{"too many wishes", wish(make([]loyalty.Wish, loyalty.MaxWishes+1)...)(none), loyalty.AmountInvalid},
	{"zero times", wish(points(0))(none), loyalty.AmountInvalid},
	{"negative times", wish(points(-1))(none), loyalty.AmountInvalid},
	{"unknown reward", wish(loyalty.Wish{Reward: loyalty.ID{9}, Times: 1})(none), loyalty.RewardUnknown},
	{"voucher-only reward", wish(loyalty.Wish{Reward: gift, Times: 1})(none), loyalty.RewardInactive},
	{"inactive reward", wish(points(1))(func(r *loyalty.Request) {
		change(r, func(w *loyalty.Reward, _ *loyalty.Voucher) { w.Active = false })
	}), loyalty.RewardInactive},
	{"reward not started", wish(points(1))(func(r *loyalty.Request) {
		change(r, func(w *loyalty.Reward, _ *loyalty.Voucher) { w.ValidFrom = now + 1 })
	}), loyalty.RewardInactive},
	{"reward over", wish(points(1))(func(r *loyalty.Request) {
		change(r, func(w *loyalty.Reward, _ *loyalty.Voucher) { w.ValidTo = now })
	}), loyalty.RewardInactive},
	{"overflowing cost", wish(points(100))(func(r *loyalty.Request) {
		change(r, func(w *loyalty.Reward, _ *loyalty.Voucher) { w.Cost = loyalty.MaxAmount })
	}), loyalty.AmountOverflow},
	{"unknown voucher", wish(loyalty.Wish{Voucher: loyalty.ID{9}, Times: 1})(none), loyalty.VoucherUnknown},
	{"somebody else's voucher", wish(voucher(1))(func(r *loyalty.Request) {
		change(r, func(_ *loyalty.Reward, v *loyalty.Voucher) { v.Account = loyalty.ID{9} })
	}), loyalty.VoucherOfAnother},
	{"blocked voucher", wish(voucher(1))(func(r *loyalty.Request) {
		change(r, func(_ *loyalty.Reward, v *loyalty.Voucher) { v.Blocked = true })
	}), loyalty.CodeBlocked},
	{"early voucher", wish(voucher(1))(func(r *loyalty.Request) {
		change(r, func(_ *loyalty.Reward, v *loyalty.Voucher) { v.ValidFrom = now + 1 })
	}), loyalty.VoucherNotYetValid},
	{"expired voucher", wish(voucher(1))(func(r *loyalty.Request) {
		change(r, func(_ *loyalty.Reward, v *loyalty.Voucher) { v.ValidTo = now })
	}), loyalty.VoucherExpired},
	{"used voucher", wish(voucher(1))(func(r *loyalty.Request) {
		change(r, func(_ *loyalty.Reward, v *loyalty.Voucher) { v.Left = 0 })
	}), loyalty.VoucherUsed},
	{"one voucher wished twice over", wish(voucher(2), voucher(1))(none), loyalty.VoucherUsed},
	{"too few points", wish(points(6))(none), loyalty.PointsInsufficient},
	{"too few points over two wishes", wish(points(3), points(3))(none), loyalty.PointsInsufficient},
	{"cap per sale", wish(points(4))(none), loyalty.CapPerSale},
	{"cap per member and day", wish(points(2))(func(r *loyalty.Request) { r.Spent.MemberToday = 401 }), loyalty.CapMemberDay},
	{"cap per terminal", wish(points(2))(func(r *loyalty.Request) { r.Spent.TerminalSinceSync = 1601 }), loyalty.CapTerminal},
	{"cap of vouchers per sale", wish(voucher(2))(none), loyalty.CapPerSale},
	{"cap of vouchers per terminal", wish(voucher(1))(func(r *loyalty.Request) { r.Spent.VouchersSinceSync = 3 }), loyalty.CapTerminal},
	{"policy of zero", wish(points(1))(func(r *loyalty.Request) { r.Policy = loyalty.Policy{Unit: "points"} }), loyalty.StandInOff},
	{"unit without a policy", wish(points(1))(func(r *loyalty.Request) { r.Policy.Unit = "stamps" }), loyalty.StandInOff},
	{"old cache", wish(points(1))(func(r *loyalty.Request) { r.CacheAge = 3601 }), loyalty.StandInOff},
	{"discount above basket", wish(points(1))(func(r *loyalty.Request) { r.Basket.Total = 499 }), loyalty.DiscountTooLarge},
}

func TestDecideRefuses(t *testing.T) {
	for _, tt := range slices.Concat(refusedBaskets, refusedWishes) {
		t.Run(tt.name, func(t *testing.T) {
			decision, refusal := loyalty.Decide(tt.make())
			if refusal == nil {
				t.Fatalf("accepted: %+v", decision)
			}
			if refusal.Reason != tt.want || refusal.Detail == "" {
				t.Errorf("refused with %v, want %s", refusal, tt.want)
			}
		})
	}
}

// TestG2_CapsHold draws any sale and any history: what is accepted never exceeds
// the points there are, the uses left, or a cap.
func TestG2_CapsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := request()
		amount := func(name string) int64 { return rapid.Int64Range(-10, 3000).Draw(t, name) }
		r.Policy.PerSale, r.Policy.PerMemberDay, r.Policy.PerTerminal = amount("per_sale"), amount("per_day"), amount("per_terminal")
		r.Policy.VouchersPerSale, r.Policy.VouchersTerminal = amount("v_sale")%5, amount("v_terminal")%5
		r.Spent = loyalty.Spent{MemberToday: amount("today"), TerminalSinceSync: amount("since"), VouchersSinceSync: amount("v_since") % 5}
		r.Member.Free["points"] = amount("free")
		for range rapid.IntRange(0, 4).Draw(t, "wishes") {
			times := rapid.Int64Range(-1, 4).Draw(t, "times")
			if rapid.Bool().Draw(t, "voucher") {
				r.Wishes = append(r.Wishes, voucher(times))
			} else {
				r.Wishes = append(r.Wishes, points(times))
			}
		}
		d, refusal := loyalty.Decide(r)
		if refusal != nil {
			return
		}
		var spent, uses int64
		for _, x := range d.Redeemed {
			if x.Unit == "points" {
				spent += x.Amount
			} else {
				uses += x.Amount
			}
		}
		if spent > 0 && (spent > r.Member.Free["points"] || spent > r.Policy.PerSale ||
			spent+r.Spent.MemberToday > r.Policy.PerMemberDay || spent+r.Spent.TerminalSinceSync > r.Policy.PerTerminal) {
			t.Fatalf("accepted %d points under %+v after %+v", spent, r.Policy, r.Spent)
		}
		if uses > 0 && (uses > 2 || uses > r.Policy.VouchersPerSale || uses+r.Spent.VouchersSinceSync > r.Policy.VouchersTerminal) {
			t.Fatalf("accepted %d uses under %+v after %+v", uses, r.Policy, r.Spent)
		}
		if d.ToPay < 0 || d.ToPay+d.Discount != r.Basket.Total {
			t.Fatalf("%+v does not add up", d)
		}
	})
}

func TestEarn(t *testing.T) {
	lines := []loyalty.Line{{No: 1, Quantity: 1, Amount: 3050, Category: "wine"}, {No: 2, Quantity: 1, Amount: 6950}}
	basket := loyalty.Basket{Currency: "EUR", Total: 10000, Lines: lines}
	at := time.Date(2026, 8, 31, 23, 30, 0, 0, time.UTC).UnixMilli()
	tests := []struct {
		name     string
		rule     loyalty.EarnRule
		discount int64
		want     int64
	}{
		{"whole basket", loyalty.EarnRule{Unit: "points", Points: 1, Per: 100}, 0, 100},
		{"on what is left to pay", loyalty.EarnRule{Unit: "points", Points: 1, Per: 100}, 2001, 79},
		{"one category", loyalty.EarnRule{Unit: "points", Points: 2, Per: 100, Category: "wine"}, 0, 60},
		{"category bears its share", loyalty.EarnRule{Unit: "points", Points: 2, Per: 100, Category: "wine"}, 5000, 30},
		{"all paid with rewards", loyalty.EarnRule{Unit: "points", Points: 1, Per: 100}, 10000, 0},
		{"nothing of the category", loyalty.EarnRule{Unit: "points", Points: 1, Per: 100, Category: "fish"}, 0, 0},
		{"rule without a divisor", loyalty.EarnRule{Unit: "points", Points: 1}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := loyalty.Earn(loyalty.RuleSet{Earn: []loyalty.EarnRule{tt.rule}}, basket, tt.discount, at)
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, e := range got {
				sum += e.Amount
			}
			if sum != tt.want {
				t.Errorf("earned %d, want %d", sum, tt.want)
			}
		})
	}
	t.Run("dates", func(t *testing.T) {
		rules := loyalty.RuleSet{Earn: []loyalty.EarnRule{{Unit: "points", Points: 1, Per: 100, VestDays: 14, ExpireMonths: 6}}}
		got, err := loyalty.Earn(rules, basket, 0, at)
		if err != nil {
			t.Fatal(err)
		}
		vests, expires := time.UnixMilli(got[0].VestsAt).UTC(), time.UnixMilli(got[0].ExpiresAt).UTC()
		if want := time.Date(2026, 9, 14, 23, 30, 0, 0, time.UTC); !vests.Equal(want) {
			t.Errorf("vests %s, want %s", vests, want)
		}
		if want := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC); !expires.Equal(want) {
			t.Errorf("31 August and six months expire %s, want the end of February", expires)
		}
	})
	t.Run("overflow", func(t *testing.T) {
		rules := loyalty.RuleSet{Earn: []loyalty.EarnRule{{Unit: "points", Points: loyalty.MaxAmount, Per: 1}}}
		if _, err := loyalty.Earn(rules, basket, 0, at); err == nil {
			t.Error("no error")
		}
	})
}
