package cashier

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// mostOver is more than any basket.
const mostOver = 1 << 53

// TillRules returns how the tills of a store work now. Before anybody has said so the
// version is zero and nothing is asked of them.
func (c *Cashiers) TillRules(ctx context.Context, store uuid.UUID) (loyalty.TillRules, error) {
	if err := c.env.Stores(ctx, store); err != nil {
		return loyalty.TillRules{}, err
	}
	_, rules, err := c.latest(ctx, store)
	return rules, err
}

// PutTillRules sets how the tills of a store work. The version of the argument is ignored:
// each is higher than the one before, also when HQ was restored from a backup in between.
func (c *Cashiers) PutTillRules(ctx context.Context, by, store uuid.UUID, rules loyalty.TillRules) (loyalty.TillRules, error) {
	if err := checkRules(rules); err != nil {
		return loyalty.TillRules{}, err
	}
	if err := c.env.Stores(ctx, store); err != nil {
		return loyalty.TillRules{}, fmt.Errorf("set till rules: %w", err)
	}
	err := c.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		last, _, err := c.latest(ctx, store)
		if err != nil {
			return err
		}
		now := c.now()
		rules.Version = max(last+1, uint64(max(1, now.UnixMilli())))
		body, err := wire.Marshal(rules)
		if err != nil {
			return err
		}
		if err := c.env.Keeper.AddTillRules(ctx, store, rules.Version, body, by, now); err != nil {
			return err
		}
		in := shard.Of(store)
		return c.env.Journal.Append(ctx, hqjournal.Fact{
			Shard: in, Kind: entry.KindHQTillRules,
			Body:    entry.HQRecord{ID: store, Version: rules.Version, Record: body, By: by},
			Publish: []feed.Change{{Shard: in, Scope: store, Item: wire.Item{Kind: wire.ItemTillRules, ID: store, Version: rules.Version, Body: body}}},
		})
	})
	if err != nil {
		return loyalty.TillRules{}, fmt.Errorf("set till rules: %w", err)
	}
	return rules, nil
}

func (c *Cashiers) latest(ctx context.Context, store uuid.UUID) (version uint64, rules loyalty.TillRules, err error) {
	version, body, err := c.env.Keeper.LatestTillRules(ctx, store)
	if problem.CodeOf(err) == problem.NotFound {
		return 0, loyalty.TillRules{}, nil
	}
	if err == nil {
		rules, err = wire.Unmarshal[loyalty.TillRules](body)
	}
	return version, rules, err
}

func checkRules(r loyalty.TillRules) error {
	fields := map[string]string{}
	if r.IdleSeconds != 0 && (r.IdleSeconds < 10 || r.IdleSeconds > loyalty.MostIdleSeconds) {
		fields["/idle_seconds"] = fmt.Sprintf("must be 10 to %d", loyalty.MostIdleSeconds)
	}
	for pointer, over := range map[string]*int64{"/void_over": r.VoidOver, "/return_over": r.ReturnOver} {
		if over != nil && (*over < 0 || *over > mostOver) {
			fields[pointer] = fmt.Sprintf("must be 0 to %d", int64(mostOver))
		}
	}
	if r.DayEnds < -loyalty.MostDayEnds || r.DayEnds > loyalty.MostDayEnds {
		fields["/day_ends_at"] = "must be at most 12 hours from midnight"
	}
	if len(fields) > 0 {
		return &problem.Error{Code: problem.InvalidField, Detail: "the rules cannot be set", Fields: fields}
	}
	return nil
}
