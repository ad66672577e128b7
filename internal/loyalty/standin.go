package loyalty

import "math/bits"

// Freshness is what the code proved that was shown. Numbers are on the wire.
type Freshness uint8

// Freshness of codes; zero is no code.
const (
	Static   Freshness = 1
	Rotating Freshness = 2
	Keyed    Freshness = 3
)

// StandIn is what deciding without a right rests on, besides policy and figures.
type StandIn struct {
	Freshness Freshness
	// Share is this terminal's part of the store's cap; nil when HQ has given none.
	Share *Share
	// Refused is HQ's "no" to this redemption, which is final; empty when it gave none.
	Refused Reason
	// ClockUntrusted says that nobody knows what time it is.
	ClockUntrusted bool
	// Chance is a random number. The same question should get the same one, so that a
	// refusal by chance is not asked away.
	Chance uint32
}

// Share is a terminal's part of the store's cap, in points of the policy's unit and in
// uses of vouchers.
type Share struct{ Points, Uses int64 }

// CapName names a cap of the policy, as on screen.
type CapName string

// The caps. The last one holds for redemptions on any basis, a use counting as one.
const (
	NamePerSale         CapName = "per_sale"
	NamePerMemberDay    CapName = "per_member_day"
	NameShare           CapName = "share"
	NameSoftLimit       CapName = "soft_limit"
	NameVouchersPerSale CapName = "vouchers_per_sale"
	NameVouchersShare   CapName = "vouchers_share"
	NameRestart         CapName = "restart"
)

// Cap is one cap as it is at this moment. Limit is what the policy leaves under the
// freshness of the code, the age of the cache and the state of the clock. Uses says that
// it counts uses of vouchers, not points.
type Cap struct {
	Name  CapName
	Uses  bool
	Limit int64
	Used  int64
}

// Left is what may still be redeemed under the cap.
func (c Cap) Left() int64 { return max(0, c.Limit-max(0, c.Used)) }

// TerminalShare is what a terminal may stand in for between two entries that HQ has
// applied. A store's cap counts through the shares only: without one there is nothing.
func (p Policy) TerminalShare(given *Share) Share {
	own := Share{Points: p.PerTerminal, Uses: p.VouchersTerminal}
	if p.PerStore > 0 {
		own.Points = 0
		if given != nil {
			own.Points = given.Points
		}
	}
	if p.VouchersStore > 0 {
		own.Uses = 0
		if given != nil {
			own.Uses = given.Uses
		}
	}
	if given != nil {
		own.Points, own.Uses = min(own.Points, given.Points), min(own.Uses, given.Uses)
	}
	return Share{Points: max(0, own.Points), Uses: max(0, own.Uses)}
}

// Caps returns every cap of stand-in with what counts against it, and that of a terminal
// that has started and met no witness yet when it is one.
func (r Request) Caps() []Cap {
	p, spent, share := r.Policy, r.Spent, r.Policy.TerminalShare(r.StandIn.Share)
	var left int64
	if r.standInOff() == nil {
		left = p.percentAt(r.CacheAge)
	}
	fresh := p.freshness(r.StandIn.Freshness)
	scale := func(limit, own int64) int64 {
		if own > 0 {
			limit = min(limit, own)
		}
		return percentOf(max(0, limit), left)
	}
	caps := []Cap{
		{Name: NamePerSale, Limit: scale(p.PerSale, fresh.PerSale)},
		{Name: NamePerMemberDay, Limit: scale(p.PerMemberDay, fresh.PerMemberDay), Used: spent.MemberToday},
		{Name: NameShare, Limit: scale(share.Points, 0), Used: spent.TerminalSinceSync},
		{Name: NameVouchersPerSale, Uses: true, Limit: scale(p.VouchersPerSale, 0)},
		{Name: NameVouchersShare, Uses: true, Limit: scale(share.Uses, 0), Used: spent.VouchersSinceSync},
	}
	if p.SoftLimit > 0 {
		caps = append(caps, Cap{Name: NameSoftLimit, Limit: scale(p.SoftLimit, 0), Used: spent.TerminalSinceSync})
	}
	if r.Unwitnessed {
		caps = append(caps, Cap{Name: NameRestart, Limit: max(0, p.RestartCap), Used: spent.Restart})
	}
	return caps
}

// percentAt is what the age of the cache leaves of every cap.
func (p Policy) percentAt(age int64) int64 {
	left := int64(100)
	for _, step := range p.AgeSteps {
		if age > step.AfterSeconds {
			left = min(left, max(0, step.Percent))
		}
	}
	return left
}

// percentOf rounds down, without overflow.
func percentOf(n, percent int64) int64 { return n/100*percent + n%100*percent/100 }

func (p Policy) freshness(f Freshness) FreshnessCaps {
	switch f {
	case Static:
		return p.Static
	case Keyed:
		return p.Keyed
	}
	return FreshnessCaps{}
}

// keyedOff: a typed number is good for nothing but earning until the policy says for
// how much it is good.
func (p Policy) keyedOff() bool {
	return p.Keyed.Off || p.Keyed.PerSale <= 0 || p.Keyed.PerMemberDay <= 0
}

// standInOff says why nothing at all may be redeemed without a right, or nil.
func (r Request) standInOff() *Refusal {
	p, s := r.Policy, r.StandIn
	switch {
	case s.Refused != "":
		return refuse(s.Refused, "head office said no")
	case s.ClockUntrusted:
		return refuse(ClockUntrusted, "the clock is not trusted")
	case s.Freshness == Keyed && p.KeyedNeedsApproval():
		return refuse(ApprovalNeeded, "a typed card number earns only")
	case p.freshness(s.Freshness).Off:
		return refuse(StandInOff, "codes of this kind are not good for it without head office")
	case r.CacheAge > p.MaxCacheAgeSeconds || p.MaxCacheAgeSeconds <= 0:
		return refuse(StandInOff, "head office was last heard %d s ago, at most %d s", r.CacheAge, p.MaxCacheAgeSeconds)
	}
	return nil
}

// checkCaps holds what no right covers against the caps of stand-in, and everything
// against that of a terminal without a witness.
func (w *wishes) checkCaps() *Refusal {
	r := w.request
	if r.Authorised {
		return nil
	}
	points, uses := w.shorts()
	caps := r.Caps()
	if points > 0 || uses > 0 {
		if refusal := r.standInOff(); refusal != nil {
			return refusal
		}
		for _, n := range w.needs {
			if n.short > 0 && n.voucher == (ID{}) && (n.unit != r.Policy.Unit || r.Policy.PerSale <= 0) {
				return refuse(StandInOff, "%s may not be redeemed without head office", n.unit)
			}
		}
	}
	for _, c := range caps {
		asked := points
		if c.Uses {
			asked = uses
		}
		if c.Name == NameRestart {
			asked = w.asked()
		}
		if asked > 0 && c.Name != NameSoftLimit && over(max(0, c.Used), asked, c.Limit) {
			return c.refuse(asked)
		}
	}
	return byChance(caps, points, r.StandIn.Chance)
}

var capReasons = map[CapName]Reason{
	NamePerSale: CapPerSale, NameVouchersPerSale: CapPerSale, NamePerMemberDay: CapMemberDay,
	NameShare: CapTerminal, NameVouchersShare: CapTerminal, NameRestart: CapRestart,
}

func (c Cap) refuse(asked int64) *Refusal {
	of := "points"
	if c.Uses {
		of = "uses"
	}
	return refuse(capReasons[c.Name], "%d %s asked for after %d, at most %d (%s)", asked, of, max(0, c.Used), c.Limit, c.Name)
}

// byChance refuses some of what would pass the soft limit: nobody can know that the
// next redemption up to the share will work. The more it nears the share, the more often.
func byChance(caps []Cap, points int64, chance uint32) *Refusal {
	var soft, share *Cap
	for i := range caps {
		switch caps[i].Name {
		case NameSoftLimit:
			soft = &caps[i]
		case NameShare:
			share = &caps[i]
		}
	}
	if soft == nil || points == 0 {
		return nil
	}
	after := max(0, soft.Used) + points
	if after <= soft.Limit {
		return nil
	}
	// Refused when chance ÷ 2³² < (after − soft) ÷ (share − soft).
	hi, lo := bits.Mul64(uint64(chance), uint64(max(1, share.Limit-soft.Limit)))
	if hi<<32|lo>>32 < uint64(after-soft.Limit) {
		return refuse(StandInByChance, "%d points after %d are above the soft limit of %d", points, max(0, soft.Used), soft.Limit)
	}
	return nil
}
