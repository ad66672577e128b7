package loyalty

import "fmt"

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// wishes adds up what one sale asks for, so that two wishes for the same points
// or voucher are checked together.
type wishes struct {
	request  Request
	needs    []*need // in the order they were met
	redeemed []Redeemed
}

// wished adds up the wishes and covers them with rights; nil without any wish.
func wished(r Request) (*wishes, *Refusal) {
	switch {
	case r.Member != nil && r.Member.Blocked:
		return nil, refuse(CodeBlocked, "the member is blocked")
	case len(r.Wishes) == 0:
		return nil, nil
	case r.Member == nil:
		return nil, refuse(MemberUnknown, "redeeming needs a member")
	case r.Member.Unknown:
		return nil, refuse(PointsUnknown, "nothing is known here of what the member has")
	case len(r.Wishes) > MaxWishes:
		return nil, refuse(AmountInvalid, "%d redemptions in one sale, at most %d", len(r.Wishes), MaxWishes)
	}
	w := &wishes{request: r}
	for _, wish := range r.Wishes {
		if refusal := w.add(wish); refusal != nil {
			return nil, refusal
		}
	}
	for _, n := range w.needs {
		n.cover(r)
	}
	return w, nil
}

// need returns what is wished for of a unit so far.
func (w *wishes) need(unit string, voucher ID) *need {
	for _, n := range w.needs {
		if n.unit == unit {
			return n
		}
	}
	n := &need{unit: unit, voucher: voucher}
	w.needs = append(w.needs, n)
	return n
}

// shorts sums what no right covers.
func (w *wishes) shorts() (points, uses int64) {
	for _, n := range w.needs {
		if n.voucher != (ID{}) {
			uses = saturate(uses, n.short)
			continue
		}
		points = saturate(points, n.short)
	}
	return points, uses
}

// asked sums all points and uses.
func (w *wishes) asked() int64 {
	var sum int64
	for _, n := range w.needs {
		sum = saturate(sum, n.asked)
	}
	return sum
}

// saturate adds amounts; what overflows is as much as there can be.
func saturate(a, b int64) int64 {
	sum, err := Add(a, b)
	if err != nil {
		return MaxAmount
	}
	return sum
}

func (w *wishes) add(wish Wish) *Refusal {
	if wish.Times < 1 || wish.Times > MaxTimes {
		return refuse(AmountInvalid, "a redemption asked for %d times, 1 to %d", wish.Times, MaxTimes)
	}
	if wish.Voucher != (ID{}) {
		return w.addVoucher(wish)
	}
	return w.addPoints(wish)
}

func (w *wishes) addPoints(wish Wish) *Refusal {
	reward, refusal := w.reward(wish.Reward)
	if refusal != nil {
		return refusal
	}
	if reward.Cost <= 0 || reward.Unit == "" {
		return refuse(RewardInactive, "reward %q is given as a voucher only", reward.Name)
	}
	amount, err := Mul(reward.Cost, wish.Times)
	if err != nil {
		return refuse(AmountOverflow, "%d times %d", wish.Times, reward.Cost)
	}
	discount, err := Mul(reward.Discount, wish.Times)
	if err != nil {
		return refuse(AmountOverflow, "%d times %d", wish.Times, reward.Discount)
	}
	n := w.need(reward.Unit, ID{})
	if n.asked, err = Add(n.asked, amount); err != nil {
		return refuse(AmountOverflow, "the redemptions do not add up")
	}
	w.redeemed = append(w.redeemed, Redeemed{Reward: reward.ID, Unit: reward.Unit, Amount: amount, Discount: discount})
	return nil
}

func (w *wishes) addVoucher(wish Wish) *Refusal {
	r := w.request
	voucher, known := r.Vouchers[wish.Voucher]
	switch {
	case !known:
		return refuse(VoucherUnknown, "the member has no such voucher")
	case voucher.Account != r.Member.Account:
		return refuse(VoucherOfAnother, "the voucher is another member's; a sale has one account")
	case voucher.Blocked:
		return refuse(CodeBlocked, "the voucher is blocked")
	case voucher.ValidFrom > r.Now:
		return refuse(VoucherNotYetValid, "the voucher is valid from %s", day(voucher.ValidFrom))
	case voucher.ValidTo != 0 && voucher.ValidTo <= r.Now:
		return refuse(VoucherExpired, "the voucher was valid until %s", day(voucher.ValidTo))
	}
	reward, refusal := w.reward(voucher.Reward)
	if refusal != nil {
		return refusal
	}
	discount, err := Mul(reward.Discount, wish.Times)
	if err != nil {
		return refuse(AmountOverflow, "%d times %d", wish.Times, reward.Discount)
	}
	w.need(useUnitOf(voucher.ID), voucher.ID).asked += wish.Times
	w.redeemed = append(w.redeemed, Redeemed{
		Reward: reward.ID, Voucher: voucher.ID, Amount: wish.Times, Discount: discount,
	})
	return nil
}

// reward finds a reward and checks that it is on offer in the programme's currency.
func (w *wishes) reward(id ID) (Reward, *Refusal) {
	r := w.request
	reward, known := r.Rewards[id]
	switch {
	case !known:
		return reward, refuse(RewardUnknown, "no such reward")
	case !reward.Active:
		return reward, refuse(RewardInactive, "reward %q is not active", reward.Name)
	case reward.ValidFrom > r.Now:
		return reward, refuse(RewardInactive, "reward %q starts on %s", reward.Name, day(reward.ValidFrom))
	case reward.ValidTo != 0 && reward.ValidTo <= r.Now:
		return reward, refuse(RewardInactive, "reward %q ended on %s", reward.Name, day(reward.ValidTo))
	case reward.Currency != r.Rules.Currency:
		return reward, refuse(CurrencyMismatch, "reward %q is in %s", reward.Name, reward.Currency)
	}
	return reward, nil
}

// checkFree holds what no right covers against what HQ says is free.
func (w *wishes) checkFree() *Refusal {
	for _, n := range w.needs {
		free := w.request.Member.Free[n.unit]
		if n.voucher != (ID{}) {
			free = w.request.Vouchers[n.voucher].Left
		}
		short := n.short
		if w.request.Authorised {
			short = n.asked
		}
		if short == 0 || short <= free {
			continue
		}
		there := n.asked - short + max(free, 0)
		if n.voucher != (ID{}) {
			return refuse(VoucherUsed, "the voucher has %d uses left, asked for %d", there, n.asked)
		}
		return refuse(PointsInsufficient, "%d %s asked for, %d there", n.asked, n.unit, there)
	}
	return nil
}

// over says whether asked on top of spent exceeds the limit. A sum that overflows does.
func over(spent, asked, limit int64) bool {
	sum, err := Add(spent, asked)
	return err != nil || sum > limit
}
