package loyalty_test

import (
	"math"
	"testing"

	"github.com/tallystick/tallystick/internal/loyalty"
)

// exact is a request for 200 points or one use of a voucher, in which no cap bites.
func exact(wishes ...loyalty.Wish) loyalty.Request {
	r := request()
	r.Wishes = wishes
	r.Member.Free["points"] = 10_000
	r.Policy = loyalty.Policy{
		Unit: "points", PerSale: 5000, PerMemberDay: 5000, PerTerminal: 5000, VouchersPerSale: 50, VouchersTerminal: 50,
		MaxCacheAgeSeconds: 3600, RestartCap: 5000, Keyed: loyalty.FreshnessCaps{PerSale: 5000, PerMemberDay: 5000},
	}
	r.StandIn.Freshness = loyalty.Rotating
	return r
}

// cap is one cap: at the limit a redemption of 200 points (or one use) passes, with the
// limit one lower, or one more redeemed before, it is refused.
type capRow struct {
	name   string
	wish   loyalty.Wish
	at     func(r *loyalty.Request, limit int64) // sets the cap to what is just asked for
	limit  int64
	reason loyalty.Reason
}

var capRows = []capRow{
	{"per sale", points(1), func(r *loyalty.Request, n int64) { r.Policy.PerSale = n }, 200, loyalty.CapPerSale},
	{"per member and day", points(1), func(r *loyalty.Request, n int64) {
		r.Policy.PerMemberDay, r.Spent.MemberToday = n, 100
	}, 300, loyalty.CapMemberDay},
	{"per terminal", points(1), func(r *loyalty.Request, n int64) {
		r.Policy.PerTerminal, r.Spent.TerminalSinceSync = n, 1000
	}, 1200, loyalty.CapTerminal},
	{"share of the store", points(1), func(r *loyalty.Request, n int64) {
		r.Policy.PerStore, r.Policy.PerTerminal, r.Spent.TerminalSinceSync = 1<<40, 0, 1000
		r.StandIn.Share = &loyalty.Share{Points: n, Uses: 9}
	}, 1200, loyalty.CapTerminal},
	{"share below the terminal's own", points(1), func(r *loyalty.Request, n int64) {
		r.StandIn.Share = &loyalty.Share{Points: n}
	}, 200, loyalty.CapTerminal},
	{"vouchers per sale", voucher(1), func(r *loyalty.Request, n int64) { r.Policy.VouchersPerSale = n }, 1, loyalty.CapPerSale},
	{"vouchers per terminal", voucher(1), func(r *loyalty.Request, n int64) {
		r.Policy.VouchersTerminal, r.Spent.VouchersSinceSync = n, 3
	}, 4, loyalty.CapTerminal},
	{"vouchers of the store", voucher(1), func(r *loyalty.Request, n int64) {
		r.Policy.VouchersStore, r.Spent.VouchersSinceSync = 1<<40, 3
		r.StandIn.Share = &loyalty.Share{Uses: n}
	}, 4, loyalty.CapTerminal},
	{"static code per sale", points(1), func(r *loyalty.Request, n int64) {
		r.StandIn.Freshness, r.Policy.Static = loyalty.Static, loyalty.FreshnessCaps{PerSale: n}
	}, 200, loyalty.CapPerSale},
	{"static code per day", points(1), func(r *loyalty.Request, n int64) {
		r.StandIn.Freshness, r.Policy.Static, r.Spent.MemberToday = loyalty.Static, loyalty.FreshnessCaps{PerMemberDay: n}, 100
	}, 300, loyalty.CapMemberDay},
	{"typed number per sale", points(1), func(r *loyalty.Request, n int64) {
		r.StandIn.Freshness, r.Policy.Keyed.PerSale = loyalty.Keyed, n
	}, 200, loyalty.CapPerSale},
	{"typed number per day", points(1), func(r *loyalty.Request, n int64) {
		r.StandIn.Freshness, r.Policy.Keyed.PerMemberDay, r.Spent.MemberToday = loyalty.Keyed, n, 100
	}, 300, loyalty.CapMemberDay},
	{"half a cap of an older cache", points(1), func(r *loyalty.Request, n int64) {
		r.Policy.AgeSteps, r.CacheAge, r.Policy.PerSale = []loyalty.AgeStep{{AfterSeconds: 60, Percent: 50}}, 61, n
	}, 400, loyalty.CapPerSale},
	{"age of the cache", points(1), func(r *loyalty.Request, n int64) {
		r.Policy.MaxCacheAgeSeconds, r.CacheAge = n, 100
	}, 100, loyalty.StandInOff},
	{"restart", points(1), func(r *loyalty.Request, n int64) {
		r.Unwitnessed, r.Policy.RestartCap, r.Spent.Restart = true, n, 1000
	}, 1200, loyalty.CapRestart},
	{"restart on a right", points(1), func(r *loyalty.Request, n int64) {
		r.Rights = []loyalty.Right{{ID: loyalty.ID{1}, Unit: "points", Left: 900, Basis: loyalty.ByRight}}
		r.Unwitnessed, r.Policy.RestartCap, r.Spent.Restart = true, n, 1000
	}, 1200, loyalty.CapRestart},
	{"vouchers after a restart", voucher(1), func(r *loyalty.Request, n int64) {
		r.Unwitnessed, r.Policy.RestartCap, r.Spent.Restart = true, n, 5
	}, 6, loyalty.CapRestart},
}

func TestG2_EachCapAtItsLimitAndOneBeyond(t *testing.T) {
	for _, row := range capRows {
		t.Run(row.name, func(t *testing.T) {
			for _, c := range []struct {
				limit  int64
				reason loyalty.Reason
			}{{row.limit, ""}, {row.limit - 1, row.reason}, {0, row.zero()}} {
				r := exact(row.wish)
				row.at(&r, c.limit)
				_, refusal := loyalty.Decide(r)
				if c.reason == "" && refusal != nil || c.reason != "" && (refusal == nil || refusal.Reason != c.reason) {
					t.Errorf("with a cap of %d: %v, want %q", c.limit, refusal, c.reason)
				}
			}
		})
	}
}

// zero is how a cap of zero refuses. Those of a freshness are off as a whole instead;
// a zero there adds no cap.
func (c capRow) zero() loyalty.Reason {
	switch c.name {
	case "static code per sale", "static code per day":
		return ""
	case "typed number per sale", "typed number per day":
		return loyalty.ApprovalNeeded
	case "per sale", "half a cap of an older cache", "age of the cache":
		return loyalty.StandInOff
	}
	return c.reason
}

// A cap of zero in a freshness adds none, so that one is switched off as a whole; a
// typed number is off until it has figures.
func TestFreshnessOff(t *testing.T) {
	right := loyalty.Right{ID: loyalty.ID{1}, Unit: "points", Left: 900, Basis: loyalty.ByRight}
	hq := right
	hq.Basis = loyalty.ByHQ
	for _, c := range []struct {
		name   string
		change func(*loyalty.Request)
		want   loyalty.Reason
	}{
		{"static on", func(r *loyalty.Request) { r.StandIn.Freshness = loyalty.Static }, ""},
		{"static off", func(r *loyalty.Request) { r.StandIn.Freshness, r.Policy.Static.Off = loyalty.Static, true }, loyalty.StandInOff},
		{"static off, on a right", func(r *loyalty.Request) {
			r.StandIn.Freshness, r.Policy.Static.Off, r.Rights = loyalty.Static, true, []loyalty.Right{right}
		}, ""},
		{"typed by default", func(r *loyalty.Request) {
			r.StandIn.Freshness, r.Policy.Keyed = loyalty.Keyed, loyalty.FreshnessCaps{}
		}, loyalty.ApprovalNeeded},
		{"typed switched off", func(r *loyalty.Request) {
			r.StandIn.Freshness, r.Policy.Keyed = loyalty.Keyed, loyalty.FreshnessCaps{Off: true}
		}, loyalty.StandInOff},
		{"typed by default, on a right", func(r *loyalty.Request) {
			r.StandIn.Freshness, r.Policy.Keyed, r.Rights = loyalty.Keyed, loyalty.FreshnessCaps{}, []loyalty.Right{right}
		}, loyalty.ApprovalNeeded},
		{"typed by default, authorised", func(r *loyalty.Request) {
			r.StandIn.Freshness, r.Policy.Keyed, r.Offered = loyalty.Keyed, loyalty.FreshnessCaps{}, []loyalty.Right{hq}
		}, ""},
		{"HQ said no", func(r *loyalty.Request) { r.StandIn.Refused = loyalty.PointsInsufficient }, loyalty.PointsInsufficient},
		{"HQ said no, on a right", func(r *loyalty.Request) {
			r.StandIn.Refused, r.Rights = loyalty.PointsInsufficient, []loyalty.Right{right}
		}, ""},
		{"clock", func(r *loyalty.Request) { r.StandIn.ClockUntrusted = true }, loyalty.ClockUntrusted},
		{"clock, on a right", func(r *loyalty.Request) {
			r.StandIn.ClockUntrusted, r.Rights = true, []loyalty.Right{right}
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := exact(points(1))
			c.change(&r)
			_, refusal := loyalty.Decide(r)
			if c.want == "" && refusal != nil || c.want != "" && (refusal == nil || refusal.Reason != c.want) {
				t.Errorf("%v, want %q", refusal, c.want)
			}
		})
	}
}

// Refusals above the soft limit grow from none to all between it and the share.
func TestG2_SoftLimitRefusesMoreOftenNearTheShare(t *testing.T) {
	const soft, share, steps = 1000, 2000, 1000
	last := -1
	for after := int64(900); after <= share; after += 100 {
		refused := 0
		for i := range steps {
			r := exact(points(1))
			r.Policy.PerTerminal, r.Policy.SoftLimit, r.Spent.TerminalSinceSync = share, soft, after-200
			r.StandIn.Chance = uint32(uint64(i) * math.MaxUint32 / (steps - 1))
			if _, refusal := loyalty.Decide(r); refusal != nil {
				if refusal.Reason != loyalty.StandInByChance {
					t.Fatal(refusal)
				}
				refused++
			}
		}
		want := int(max(0, after-soft) * steps / (share - soft))
		if refused < want-2 || refused > want+2 || refused < last {
			t.Errorf("at %d: %d of %d refused, want about %d", after, refused, steps, want)
		}
		last = refused
	}
	if last != steps {
		t.Errorf("at the share %d of %d are refused", last, steps)
	}
}

// What the status shows is what the decision holds against.
func TestCapsAreShownAsTheyCount(t *testing.T) {
	r := exact()
	r.Policy.SoftLimit, r.Policy.AgeSteps, r.CacheAge = 600, []loyalty.AgeStep{{60, 50}, {600, 10}}, 61
	r.Spent = loyalty.Spent{MemberToday: 10, TerminalSinceSync: 20, VouchersSinceSync: 30, Restart: 40}
	r.Unwitnessed = true
	want := map[loyalty.CapName][2]int64{
		loyalty.NamePerSale: {2500, 2500}, loyalty.NamePerMemberDay: {2500, 2490}, loyalty.NameShare: {2500, 2480},
		loyalty.NameSoftLimit: {300, 280}, loyalty.NameVouchersPerSale: {25, 25}, loyalty.NameVouchersShare: {25, 0},
		loyalty.NameRestart: {5000, 4960},
	}
	caps := r.Caps()
	for _, c := range caps {
		if got := [2]int64{c.Limit, c.Left()}; got != want[c.Name] {
			t.Errorf("%s: %v, want %v", c.Name, got, want[c.Name])
		}
	}
	if len(caps) != len(want) {
		t.Errorf("%d caps, want %d", len(caps), len(want))
	}
	r.StandIn.ClockUntrusted = true
	for _, c := range r.Caps() {
		if c.Name != loyalty.NameRestart && c.Limit != 0 {
			t.Errorf("%s is %d while the clock is not trusted", c.Name, c.Limit)
		}
	}
}
