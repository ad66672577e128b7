package api

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/programme"
)

// GetRuleSet implements StrictServerInterface.
func (h handlers) GetRuleSet(ctx context.Context, _ GetRuleSetRequestObject) (GetRuleSetResponseObject, error) {
	rules, err := h.o.Programme.CurrentRuleSet(ctx)
	return GetRuleSet200JSONResponse(showRuleSet(rules)), err
}

// PutRuleSet implements StrictServerInterface.
func (h handlers) PutRuleSet(ctx context.Context, r PutRuleSetRequestObject) (PutRuleSetResponseObject, error) {
	rules, err := h.o.Programme.PutRuleSet(ctx, callerOf(ctx).person.ID, loyalty.RuleSet{
		Currency: r.Body.Currency, Earn: showAll(r.Body.Earn, readEarnRule), Units: showAll(valueOf(r.Body.Units), readUnit),
	})
	return PutRuleSet200JSONResponse(showRuleSet(rules)), err
}

// GetPolicy implements StrictServerInterface.
func (h handlers) GetPolicy(ctx context.Context, _ GetPolicyRequestObject) (GetPolicyResponseObject, error) {
	caps, err := h.o.Programme.CurrentPolicy(ctx)
	return GetPolicy200JSONResponse(showPolicy(caps)), err
}

// PutPolicy implements StrictServerInterface.
func (h handlers) PutPolicy(ctx context.Context, r PutPolicyRequestObject) (PutPolicyResponseObject, error) {
	caps, err := h.o.Programme.PutPolicy(ctx, callerOf(ctx).person.ID, readPolicy(*r.Body))
	return PutPolicy200JSONResponse(showPolicy(caps)), err
}

// CreateReward implements StrictServerInterface.
func (h handlers) CreateReward(ctx context.Context, r CreateRewardRequestObject) (CreateRewardResponseObject, error) {
	reward, err := h.o.Programme.AddReward(ctx, callerOf(ctx).person.ID, loyalty.Reward{
		Name: r.Body.Name, Unit: r.Body.Unit, Cost: r.Body.Cost, Discount: r.Body.Discount,
		Currency: r.Body.Currency, Active: r.Body.Active,
		ValidFrom: toMillis(r.Body.ValidFrom), ValidTo: toMillis(r.Body.ValidTo),
		RegisterKey: valueOf(r.Body.RegisterKey), CouponCode: valueOf(r.Body.CouponCode),
	})
	return CreateReward201JSONResponse(showReward(reward)), err
}

// ListRewards implements StrictServerInterface.
func (h handlers) ListRewards(ctx context.Context, r ListRewardsRequestObject) (ListRewardsResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]programme.Reward, error) {
		return h.o.Programme.Rewards(ctx, after, limit)
	}, func(r programme.Reward) uuid.UUID { return r.ID }, showReward)
	return ListRewards200JSONResponse{Items: items, Next: next}, err
}

// GetReward implements StrictServerInterface.
func (h handlers) GetReward(ctx context.Context, r GetRewardRequestObject) (GetRewardResponseObject, error) {
	reward, err := h.o.Programme.Reward(ctx, r.ID)
	return GetReward200JSONResponse(showReward(reward)), err
}

// ChangeReward implements StrictServerInterface.
func (h handlers) ChangeReward(ctx context.Context, r ChangeRewardRequestObject) (ChangeRewardResponseObject, error) {
	reward, err := h.o.Programme.ChangeReward(ctx, callerOf(ctx).person.ID, r.ID, programme.RewardChange{
		Name: r.Body.Name, Active: r.Body.Active, ValidFrom: r.Body.ValidFrom, ValidTo: r.Body.ValidTo,
		RegisterKey: r.Body.RegisterKey, CouponCode: r.Body.CouponCode,
	})
	return ChangeReward200JSONResponse(showReward(reward)), err
}

// CreateVoucher implements StrictServerInterface.
func (h handlers) CreateVoucher(ctx context.Context, r CreateVoucherRequestObject) (CreateVoucherResponseObject, error) {
	uses := int64(1)
	if r.Body.Uses != nil {
		uses = *r.Body.Uses
	}
	v, err := h.o.Programme.IssueVoucher(ctx, callerOf(ctx).person.ID, programme.Voucher{
		Member: r.Body.Member, Reward: r.Body.Reward, Uses: uses,
		ValidFrom: valueOf(r.Body.ValidFrom), ValidTo: valueOf(r.Body.ValidTo),
	})
	return CreateVoucher201JSONResponse(showVoucher(v)), err
}

// ListVouchers implements StrictServerInterface.
func (h handlers) ListVouchers(ctx context.Context, r ListVouchersRequestObject) (ListVouchersResponseObject, error) {
	items, next, err := paged(r.Params.Limit, r.Params.Cursor, func(after uuid.UUID, limit int) ([]programme.Voucher, error) {
		return h.o.Programme.Vouchers(ctx, valueOf(r.Params.Member), after, limit)
	}, func(v programme.Voucher) uuid.UUID { return v.ID }, showVoucher)
	return ListVouchers200JSONResponse{Items: items, Next: next}, err
}

// GetVoucher implements StrictServerInterface.
func (h handlers) GetVoucher(ctx context.Context, r GetVoucherRequestObject) (GetVoucherResponseObject, error) {
	v, err := h.o.Programme.Voucher(ctx, r.ID)
	return GetVoucher200JSONResponse(showVoucher(v)), err
}

// roundings and unitKinds have the document's words at the wire's numbers.
var (
	roundings = []Rounding{Down, HalfUp, Up, HalfEven}
	unitKinds = []UnitKind{Points, Stamps, Credit}
)

// numberOf is the place of a word in a list; a word that is not there gets a number
// that the programme refuses.
func numberOf[T comparable](list []T, word *T) uint8 {
	if word == nil {
		return 0
	}
	if i := slices.Index(list, *word); i >= 0 {
		return uint8(i)
	}
	return math.MaxUint8
}

// wordAt is the word of a number; the first is left out.
func wordAt[T any, N ~uint8](list []T, n N) *T {
	if n == 0 || int(n) >= len(list) {
		return nil
	}
	return &list[n]
}

func readEarnRule(e EarnRule) loyalty.EarnRule {
	return loyalty.EarnRule{
		Unit: e.Unit, Points: e.Points, Per: e.Per, Category: valueOf(e.Category),
		VestDays: valueOf(e.VestDays), ExpireMonths: valueOf(e.ExpireMonths),
		Rounding: loyalty.Rounding(numberOf(roundings, e.Rounding)), ExpireOn: toMillis(e.ExpireOn), RollDays: valueOf(e.RollDays),
	}
}

func showEarnRule(e loyalty.EarnRule) EarnRule {
	return EarnRule{
		Unit: e.Unit, Points: e.Points, Per: e.Per, Category: unlessEmpty(e.Category),
		VestDays: unlessEmpty(e.VestDays), ExpireMonths: unlessEmpty(e.ExpireMonths),
		Rounding: wordAt(roundings, e.Rounding), ExpireOn: fromMillis(e.ExpireOn), RollDays: unlessEmpty(e.RollDays),
	}
}

// readUnit takes over decimals that are too many as a number the programme refuses.
func readUnit(u Unit) loyalty.Unit {
	decimals := valueOf(u.Decimals)
	if decimals < 0 || decimals > math.MaxUint8 {
		decimals = math.MaxUint8
	}
	return loyalty.Unit{Name: u.Name, Kind: loyalty.UnitKind(numberOf(unitKinds, u.Kind)), Decimals: uint8(decimals)}
}

func showUnit(u loyalty.Unit) Unit {
	return Unit{Name: u.Name, Kind: wordAt(unitKinds, u.Kind), Decimals: unlessEmpty(int32(u.Decimals))}
}

func showRuleSet(r loyalty.RuleSet) RuleSet {
	return RuleSet{
		Version: int64(r.Version), Currency: r.Currency, Earn: showAll(r.Earn, showEarnRule), Units: showAll(r.Units, showUnit),
	}
}

func showReward(r programme.Reward) Reward {
	return Reward{
		ID: r.ID, Version: int64(r.Version), Name: r.Name, Unit: r.Unit, Cost: r.Cost, Discount: r.Discount,
		Currency: r.Currency, Active: r.Active, ValidFrom: fromMillis(r.ValidFrom), ValidTo: fromMillis(r.ValidTo),
		RegisterKey: unlessEmpty(r.RegisterKey), CouponCode: unlessEmpty(r.CouponCode),
	}
}

func showVoucher(v programme.Voucher) Voucher {
	return Voucher{
		ID: v.ID, Member: v.Member, Reward: v.Reward, Uses: v.Uses, Left: v.Left, Blocked: v.Blocked, Issue: int64(v.Issue), GivenAt: unlessEmpty(v.GivenAt),
		ValidFrom: unlessEmpty(v.ValidFrom), ValidTo: unlessEmpty(v.ValidTo),
	}
}

func toMillis(t *time.Time) int64 {
	if t == nil || t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis leaves a moment that is not set out.
func fromMillis(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := at(ms)
	return &t
}
