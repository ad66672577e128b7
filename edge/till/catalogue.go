package till

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// catalogue is the small part of what HQ said, kept in memory: all but members,
// vouchers and grants. It is replaced as a whole, never changed.
type catalogue struct {
	store   *wire.Store
	zone    *time.Location
	rules   *loyalty.RuleSet
	policy  loyalty.Policy
	rewards map[loyalty.ID]loyalty.Reward
	lanes   map[uuid.UUID]wire.Terminal // the store's roster
	share   *wire.Share                 // this terminal's part of the store's cap; nil: none given
	keys    keys.Set
	groups  []keys.GroupKey
	// cashiers are all that ever worked here; tillRules are the zero value until HQ
	// makes some.
	cashiers  map[uuid.UUID]wire.Cashier
	tillRules loyalty.TillRules
	public    wire.Public
}

func newCatalogue(set keys.Set) *catalogue {
	return &catalogue{
		zone: time.UTC, rewards: map[loyalty.ID]loyalty.Reward{}, lanes: map[uuid.UUID]wire.Terminal{}, keys: set,
		cashiers: map[uuid.UUID]wire.Cashier{},
	}
}

// inCatalogue says whether items of the kind belong there.
func inCatalogue(kind wire.ItemKind) bool {
	return kind != wire.ItemMember && kind != wire.ItemVoucher && kind != wire.ItemAllowance && kind != wire.ItemIdentity
}

// loadCatalogue reads the catalogue anew from the state store.
func (t *Till) loadCatalogue(ctx context.Context) error {
	c := newCatalogue(t.cfg.Keys)
	err := t.cfg.State.View(ctx, func(v View) error {
		for kind := wire.ItemStore; kind <= wire.ItemPublic; kind++ {
			if !inCatalogue(kind) {
				continue
			}
			err := v.Scan(TableItem, []byte{byte(kind)}, nil, func(key, value []byte) error {
				it, err := decode[item](TableItem, value)
				if err != nil || it.Body == nil {
					return err
				}
				return c.add(kind, uuid.UUID(key[1:]), it.Body, t.cfg)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("load catalogue: %w", err)
	}
	if before := t.catalogue.Swap(c); before != nil {
		t.endSessions(before, c)
	}
	return nil
}

// add takes in one item. Where there can be only one, the latest version counts.
func (c *catalogue) add(kind wire.ItemKind, id uuid.UUID, body []byte, own Config) error {
	switch kind {
	case wire.ItemStore:
		if id == own.Store {
			return c.addStore(body)
		}
	case wire.ItemTerminal:
		return with(body, func(lane wire.Terminal) { c.lanes[lane.ID] = lane })
	case wire.ItemShare:
		return with(body, func(s wire.Share) {
			if s.Terminal == own.Writer.ID && s.Epoch == own.Writer.Epoch {
				c.share = &s
			}
		})
	case wire.ItemReward:
		return with(body, func(r loyalty.Reward) { c.rewards[r.ID] = r })
	case wire.ItemRuleSet:
		return with(body, func(r loyalty.RuleSet) {
			if c.rules == nil || r.Version >= c.rules.Version {
				c.rules = &r
			}
		})
	case wire.ItemPolicy:
		return with(body, func(p loyalty.Policy) {
			if p.Version >= c.policy.Version {
				c.policy = p
			}
		})
	case wire.ItemKeys:
		return with(body, func(s keys.Set) {
			if s.Version >= c.keys.Version {
				c.keys = s
			}
		})
	case wire.ItemCashier:
		return with(body, func(w wire.Cashier) {
			if w.Store == own.Store {
				c.cashiers[w.ID] = w
			}
		})
	case wire.ItemTillRules:
		return with(body, func(r loyalty.TillRules) {
			if id == own.Store && r.Version >= c.tillRules.Version {
				c.tillRules = r
			}
		})
	case wire.ItemPublic:
		return with(body, func(p wire.Public) { c.public = p })
	case wire.ItemGroups:
		return with(body, func(g wire.Groups) { c.groups = append(c.groups, g.Keys...) })
	}
	return nil
}

func (c *catalogue) addStore(body []byte) error {
	store, err := wire.Unmarshal[wire.Store](body)
	if err != nil {
		return fmt.Errorf("read store: %w", err)
	}
	if c.zone, err = time.LoadLocation(store.TimeZone); err != nil || store.TimeZone == "" {
		return problem.Wrap(problem.InvalidField, err, "the store's time zone is not known")
	}
	c.store = &store
	return nil
}

func with[T any](body []byte, use func(T)) error {
	value, err := wire.Unmarshal[T](body)
	if err != nil {
		return fmt.Errorf("read feed item: %w", err)
	}
	use(value)
	return nil
}

// ready refuses sales until HQ has said the least that a sale needs.
func (c *catalogue) ready() error {
	if c.store == nil || c.rules == nil {
		return problem.New(problem.Unavailable, "head office has not sent store and rules yet")
	}
	return nil
}

// shareGiven is this terminal's share in the policy's unit, as decisions want it. One
// that HQ gave in another unit is worth nothing.
func (c *catalogue) shareGiven() *loyalty.Share {
	switch {
	case c.share == nil:
		return nil
	case c.share.Unit != c.policy.Unit:
		return &loyalty.Share{Uses: c.share.Uses}
	}
	return &loyalty.Share{Points: c.share.Points, Uses: c.share.Uses}
}

// offers returns the rewards that points buy, by name.
func (c *catalogue) offers() []loyalty.Reward {
	var out []loyalty.Reward
	for _, r := range c.rewards {
		if r.Cost > 0 && r.Active {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b loyalty.Reward) int {
		if by := strings.Compare(a.Name, b.Name); by != 0 {
			return by
		}
		return slices.Compare(a.ID[:], b.ID[:])
	})
	return out
}
