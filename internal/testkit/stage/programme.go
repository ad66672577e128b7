package stage

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/hqclient"
)

// Unit and currency of every programme here.
const (
	Points   = "points"
	Currency = "EUR"
)

// DefaultPolicy are the caps most stories play under.
var DefaultPolicy = hqclient.Policy{
	Unit: Points, PerSale: 500, PerMemberDay: 1_000, PerTerminal: 2_000,
	VouchersPerSale: 1, VouchersTerminal: 10, MaxCacheAge: 7 * 24 * 3600,
}

// Programme is what shoppers can earn and redeem.
type Programme struct {
	Coffee    hqclient.Reward // 200 points for 3.00
	Bag       hqclient.Reward // 500 points for 10.00
	Breakfast hqclient.Reward // only by voucher, 5.00
}

// Shopper is a member with the text of the code on their pass.
type Shopper struct {
	hqclient.Member
	Code string
}

// OpenProgramme puts rules (one point a whole euro), caps and a catalogue in force.
func (s *Stage) OpenProgramme(ctx context.Context, policy hqclient.Policy) (Programme, error) {
	var p Programme
	rules := hqclient.RuleSet{Currency: Currency, Earn: []hqclient.EarnRule{{Unit: Points, Points: 1, Per: 100}}}
	if err := s.Office.PutRuleSet(ctx, rules); err != nil {
		return p, err
	}
	if err := s.Office.PutPolicy(ctx, policy); err != nil {
		return p, err
	}
	for _, r := range []struct {
		into           *hqclient.Reward
		name           string
		cost, discount int64
	}{
		{&p.Coffee, "Coffee", 200, 300},
		{&p.Bag, "Canvas bag", 500, 1_000},
		{&p.Breakfast, "Breakfast on us", 0, 500},
	} {
		created, err := s.Office.CreateReward(ctx, hqclient.Reward{
			Name: r.name, Unit: Points, Cost: r.cost, Discount: r.discount, Currency: Currency, Active: true,
		})
		if err != nil {
			return p, err
		}
		*r.into = created
	}
	return p, nil
}

// Enrol makes one shopper with points to begin with.
func (s *Stage) Enrol(ctx context.Context, alias string, points int64) (Shopper, error) {
	all, err := s.EnrolMany(ctx, []string{alias}, points)
	if err != nil {
		return Shopper{}, err
	}
	return all[0], nil
}

// EnrolMany makes a shopper for each alias, each with the same points (0: none),
// and reads their codes.
func (s *Stage) EnrolMany(ctx context.Context, aliases []string, points int64) ([]Shopper, error) {
	in := make([]hqclient.MemberNew, len(aliases))
	for i, alias := range aliases {
		in[i].Alias = alias
	}
	members, err := s.Office.CreateMembers(ctx, in)
	if err != nil {
		return nil, err
	}
	if len(members) != len(aliases) {
		return nil, fmt.Errorf("enrol members: got %d, asked for %d", len(members), len(aliases))
	}
	out := make([]Shopper, len(members))
	for i, m := range members {
		out[i].Member = m
		if out[i].Code, err = s.Office.PassText(ctx, m.ID); err != nil {
			return nil, err
		}
		if points == 0 {
			continue
		}
		opening := hqclient.Adjustment{Unit: Points, Amount: points, Reason: "opening_balance"}
		if err := s.Office.Adjust(ctx, m.ID, opening); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// GiveVoucher issues one use of a reward.
func (s *Stage) GiveVoucher(ctx context.Context, to Shopper, reward hqclient.Reward) (uuid.UUID, error) {
	v, err := s.Office.CreateVoucher(ctx, hqclient.VoucherNew{Member: to.ID, Reward: reward.ID, Uses: 1})
	return v.ID, err
}
