package loyalty

import "fmt"

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// wishes adds up what one sale asks for, so that two wishes for the same points
// or voucher are checked together.
type wishes struct {
	request  Request
	points   map[string]int64 // asked for, by unit
	uses     map[ID]int64     // asked for, by voucher
	units    []string         // keys of points in the order they were met
	vouchers int64
	redeemed []Redeemed
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
	if _, met := w.points[reward.Unit]; !met {
		w.units = append(w.units, reward.Unit)
	}
	if w.points[reward.Unit], err = Add(w.points[reward.Unit], amount); err != nil {
		return refuse(AmountOverflow, "the redemptions do not add up")
	}
	w.redeemed = append(w.redeemed, Redeemed{Reward: reward.ID, Unit: reward.Unit, Amount: amount, Discount: discount})
	return nil
}

func (w *wishes) addVoucher(wish Wish) *Refusal {
	r := w.request
	voucher, known := r.Vouchers[wish.Voucher]
	switch {
	case !known || voucher.Account != r.Member.Account:
		return refuse(VoucherUnknown, "the member has no such voucher")
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
	w.uses[voucher.ID] += wish.Times
	w.vouchers += wish.Times
	if w.uses[voucher.ID] > voucher.Left {
		return refuse(VoucherUsed, "the voucher has %d uses left, asked for %d", max(voucher.Left, 0), w.uses[voucher.ID])
	}
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

func (w *wishes) checkFree() *Refusal {
	for _, unit := range w.units {
		if asked, free := w.points[unit], w.request.Member.Free[unit]; asked > free {
			return refuse(PointsInsufficient, "%d %s asked for, %d there", asked, unit, max(free, 0))
		}
	}
	return nil
}

func (w *wishes) checkCaps() *Refusal {
	policy, spent := w.request.Policy, w.request.Spent
	if w.request.Authorised {
		return nil
	}
	if age := w.request.CacheAge; age > policy.MaxCacheAgeSeconds || policy.MaxCacheAgeSeconds <= 0 {
		return refuse(StandInOff, "head office was last heard %d s ago, at most %d s", age, policy.MaxCacheAgeSeconds)
	}
	for _, unit := range w.units {
		asked := w.points[unit]
		switch {
		case unit != policy.Unit || policy.PerSale <= 0:
			return refuse(StandInOff, "%s may not be redeemed without head office", unit)
		case asked > policy.PerSale:
			return refuse(CapPerSale, "%d %s asked for, at most %d a sale", asked, unit, policy.PerSale)
		case over(spent.MemberToday, asked, policy.PerMemberDay):
			return refuse(CapMemberDay, "%d %s asked for after %d today, at most %d a day", asked, unit, spent.MemberToday, policy.PerMemberDay)
		case over(spent.TerminalSinceSync, asked, policy.PerTerminal):
			return refuse(CapTerminal, "%d %s asked for after %d since the last sync, at most %d", asked, unit, spent.TerminalSinceSync, policy.PerTerminal)
		}
	}
	switch {
	case w.vouchers == 0:
		return nil
	case w.vouchers > policy.VouchersPerSale:
		return refuse(CapPerSale, "%d vouchers, at most %d a sale", w.vouchers, policy.VouchersPerSale)
	case over(spent.VouchersSinceSync, w.vouchers, policy.VouchersTerminal):
		return refuse(CapTerminal, "%d vouchers after %d since the last sync, at most %d", w.vouchers, spent.VouchersSinceSync, policy.VouchersTerminal)
	}
	return nil
}

// over says whether asked on top of spent exceeds the limit. A sum that overflows does.
func over(spent, asked, limit int64) bool {
	sum, err := Add(spent, asked)
	return err != nil || sum > limit
}
