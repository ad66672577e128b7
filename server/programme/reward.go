package programme

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Reward is a reward of the catalogue and its version.
type Reward struct {
	loyalty.Reward
	Version uint64
}

// OnSale says whether the reward can be had for points now.
func (r Reward) OnSale(now time.Time) bool {
	return r.Active && r.Cost > 0 && (r.ValidTo == 0 || r.ValidTo > now.UnixMilli())
}

// RewardChange is what may change of a reward; nil leaves it as it is. Cost and
// discount cannot: vouchers and prints that promise them are out there.
type RewardChange struct {
	Name      *string
	Active    *bool
	ValidFrom *time.Time
	ValidTo   *time.Time

	RegisterKey *string
	CouponCode  *string
}

// AddReward adds a reward. The id of the argument is ignored.
func (p *Programme) AddReward(ctx context.Context, by uuid.UUID, reward loyalty.Reward) (Reward, error) {
	reward.Name = strings.TrimSpace(reward.Name)
	if err := checkReward(reward).err("the reward cannot be added"); err != nil {
		return Reward{}, err
	}
	if reward.Cost > 0 {
		if err := p.needUnit(ctx, "/unit", reward.Unit); err != nil {
			return Reward{}, err
		}
	}
	reward.ID = p.env.NewID()
	added := Reward{Reward: reward, Version: 1}
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		if err := p.env.Keeper.AddReward(ctx, added); err != nil {
			return err
		}
		return p.recordReward(ctx, by, added)
	})
	if err != nil {
		return Reward{}, fmt.Errorf("add reward: %w", err)
	}
	return added, nil
}

// ChangeReward changes a reward.
func (p *Programme) ChangeReward(ctx context.Context, by, id uuid.UUID, change RewardChange) (Reward, error) {
	var reward Reward
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		var err error
		if reward, err = p.env.Keeper.Reward(ctx, id); err != nil {
			return err
		}
		if change.Name != nil {
			reward.Name = strings.TrimSpace(*change.Name)
		}
		if change.Active != nil {
			reward.Active = *change.Active
		}
		if change.ValidFrom != nil {
			reward.ValidFrom = millis(*change.ValidFrom)
		}
		if change.ValidTo != nil {
			reward.ValidTo = millis(*change.ValidTo)
		}
		if change.RegisterKey != nil {
			reward.RegisterKey = strings.TrimSpace(*change.RegisterKey)
		}
		if change.CouponCode != nil {
			reward.CouponCode = strings.TrimSpace(*change.CouponCode)
		}
		if err := checkReward(reward.Reward).err("the reward cannot be changed"); err != nil {
			return err
		}
		reward.Version++
		if err := p.env.Keeper.SetReward(ctx, reward); err != nil {
			return err
		}
		return p.recordReward(ctx, by, reward)
	})
	if err != nil {
		return Reward{}, fmt.Errorf("change reward: %w", err)
	}
	return reward, nil
}

// Reward returns one reward.
func (p *Programme) Reward(ctx context.Context, id uuid.UUID) (Reward, error) {
	return p.env.Keeper.Reward(ctx, id)
}

// Rewards lists rewards from after on.
func (p *Programme) Rewards(ctx context.Context, after uuid.UUID, limit int) ([]Reward, error) {
	return p.env.Keeper.Rewards(ctx, after, limit)
}

func checkReward(reward loyalty.Reward) refusal {
	r := refusal{}
	r.text("/name", reward.Name, 1, 100)
	r.text("/register_key", reward.RegisterKey, 0, 40)
	r.text("/coupon_code", reward.CouponCode, 0, 40)
	r.unit("/unit", reward.Unit)
	r.between("/cost", reward.Cost, 0, Most)
	r.between("/discount", reward.Discount, 1, Most)
	r.currency("/currency", reward.Currency)
	r.unless(reward.ValidTo == 0 || reward.ValidTo > reward.ValidFrom, "/valid_to", "must be after valid_from")
	return r
}

func (p *Programme) recordReward(ctx context.Context, by uuid.UUID, reward Reward) error {
	raw, err := wire.Marshal(reward.Reward)
	if err != nil {
		return err
	}
	return p.record(ctx, entry.KindHQReward, by, wire.Item{Kind: wire.ItemReward, ID: reward.ID, Version: reward.Version, Body: raw})
}
