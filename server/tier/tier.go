package tier

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/shard"
)

// Earning is what one sale earned on an account, net of what was taken back. At is when
// it took effect, in Unix milliseconds.
type Earning struct {
	Account uuid.UUID
	At      int64
	Amount  int64
}

// Lead says that an account leads to another: what it has earned counts there.
type Lead struct{ Account, Target uuid.UUID }

// Store is what is read of the ledger.
type Store interface {
	// Leading returns which accounts lead to these by a link that nobody has ended.
	Leading(ctx context.Context, accounts []uuid.UUID) ([]Lead, error)
	// AccountEarnings returns what sales earned on accounts in a unit since a time.
	AccountEarnings(ctx context.Context, accounts []uuid.UUID, unit string, since int64) ([]Earning, error)

	// ShardLeads, ShardEarnings and ShardMembers are the same for a whole shard, and how
	// many members that are not blocked each account has.
	ShardLeads(ctx context.Context, in int) ([]Lead, error)
	ShardEarnings(ctx context.Context, in int, unit string, since int64) ([]Earning, error)
	ShardMembers(ctx context.Context, in int) (map[uuid.UUID]int64, error)
}

// Programme says which tiers there are.
type Programme interface {
	CurrentTiers(ctx context.Context) (loyalty.Tiers, error)
}

// Service works tiers out. It is safe for concurrent use.
type Service struct {
	store     Store
	programme Programme
	clock     clock.Clock
}

// New returns the service.
func New(store Store, programme Programme, clock clock.Clock) *Service {
	return &Service{store: store, programme: programme, clock: clock}
}

// Ladder are tiers on a day of their zone.
type Ladder struct {
	loyalty.Tiers
	Today loyalty.Day
	zone  *time.Location
}

// maxLeads bounds how many links in a row are followed, as in the ledger's routing.
const maxLeads = 16

// Ladder returns the tiers in force, today.
func (s *Service) Ladder(ctx context.Context) (Ladder, error) {
	tiers, err := s.programme.CurrentTiers(ctx)
	if err != nil {
		return Ladder{}, fmt.Errorf("read tiers: %w", err)
	}
	return s.today(tiers)
}

func (s *Service) today(tiers loyalty.Tiers) (Ladder, error) {
	zone, err := time.LoadLocation(tiers.Zone)
	if err != nil {
		return Ladder{}, fmt.Errorf("read time zone of tiers: %w", err)
	}
	return Ladder{Tiers: tiers, Today: loyalty.DayOf(s.clock.Now().UnixMilli(), zone), zone: zone}, nil
}

// since is a moment before which nothing counts.
func (l Ladder) since() int64 {
	return l.From(l.Today).Date().AddDate(0, 0, -1).UnixMilli() // no zone is a day off
}

func (l Ladder) earned(e Earning) loyalty.EarnedOn {
	return loyalty.EarnedOn{Day: loyalty.DayOf(e.At, l.zone), Amount: e.Amount}
}

// Standings returns where accounts stand on a ladder; none of them when it has no levels.
func (s *Service) Standings(ctx context.Context, l Ladder, accounts []uuid.UUID) (map[uuid.UUID]loyalty.Standing, error) {
	if len(l.Levels) == 0 || len(accounts) == 0 {
		return nil, nil
	}
	owners := make(map[uuid.UUID]uuid.UUID, len(accounts))
	for _, id := range accounts {
		owners[id] = id
	}
	all := accounts
	for at := accounts; len(at) > 0 && len(all) <= len(accounts)*maxLeads; {
		leads, err := s.store.Leading(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("read links of accounts: %w", err)
		}
		at = nil
		for _, lead := range leads {
			if _, known := owners[lead.Account]; !known {
				owners[lead.Account] = owners[lead.Target]
				at = append(at, lead.Account)
			}
		}
		all = append(all[:len(all):len(all)], at...)
	}
	rows, err := s.store.AccountEarnings(ctx, all, l.Unit, l.since())
	if err != nil {
		return nil, fmt.Errorf("read earnings: %w", err)
	}
	earned := make(map[uuid.UUID][]loyalty.EarnedOn, len(accounts))
	for _, e := range rows {
		to := owners[e.Account]
		earned[to] = append(earned[to], l.earned(e))
	}
	out := make(map[uuid.UUID]loyalty.Standing, len(accounts))
	for _, id := range accounts {
		out[id] = l.Standing(earned[id], l.Today)
	}
	return out, nil
}

// Of returns the tiers in force and where an account stands.
func (s *Service) Of(ctx context.Context, account uuid.UUID) (Ladder, loyalty.Standing, error) {
	l, err := s.Ladder(ctx)
	if err != nil {
		return Ladder{}, loyalty.Standing{}, err
	}
	all, err := s.Standings(ctx, l, []uuid.UUID{account})
	if err != nil {
		return Ladder{}, loyalty.Standing{}, err
	}
	standing, known := all[account]
	if !known {
		standing = loyalty.Standing{Level: -1, Next: -1}
	}
	return l, standing, nil
}

// Count is how many members would be in each of some levels today, and how many in none.
type Count struct {
	Levels []int64
	None   int64
}

// Preview counts. It reads what all members earned in two periods, shard by shard.
func (s *Service) Preview(ctx context.Context, tiers loyalty.Tiers) (Count, error) {
	l, err := s.today(tiers)
	if err != nil {
		return Count{}, err
	}
	c := counting{ladder: l, ends: map[uuid.UUID]uuid.UUID{}, shared: map[uuid.UUID]*shared{}, Count: Count{Levels: make([]int64, len(tiers.Levels))}}
	for in := range shard.Count {
		leads, err := s.store.ShardLeads(ctx, in)
		if err != nil {
			return Count{}, fmt.Errorf("read links of accounts: %w", err)
		}
		for _, lead := range leads {
			c.ends[lead.Account] = lead.Target
		}
	}
	for from := range c.ends {
		c.shared[c.end(from)] = &shared{}
	}
	for in := range shard.Count {
		members, err := s.store.ShardMembers(ctx, in)
		if err != nil {
			return Count{}, fmt.Errorf("count members: %w", err)
		}
		rows, err := s.store.ShardEarnings(ctx, in, l.Unit, l.since())
		if err != nil {
			return Count{}, fmt.Errorf("read earnings: %w", err)
		}
		c.shard(members, rows)
	}
	for _, a := range c.shared {
		c.add(a.members, a.earned)
	}
	return c.Count, nil
}

// counting is a preview under way. Shared are the accounts that others lead to: what
// they earned lies in more than one shard.
type counting struct {
	Count
	ladder Ladder
	ends   map[uuid.UUID]uuid.UUID
	shared map[uuid.UUID]*shared
}

type shared struct {
	members int64
	earned  []loyalty.EarnedOn
}

// end is where an account leads.
func (c *counting) end(account uuid.UUID) uuid.UUID {
	for range maxLeads {
		to, leads := c.ends[account]
		if !leads {
			break
		}
		account = to
	}
	return account
}

func (c *counting) shard(members map[uuid.UUID]int64, rows []Earning) {
	earned := map[uuid.UUID][]loyalty.EarnedOn{}
	for _, e := range rows {
		if a := c.shared[c.end(e.Account)]; a != nil {
			a.earned = append(a.earned, c.ladder.earned(e))
			continue
		}
		earned[e.Account] = append(earned[e.Account], c.ladder.earned(e))
	}
	for account, n := range members {
		if a := c.shared[c.end(account)]; a != nil {
			a.members += n
			continue
		}
		c.add(n, earned[account])
	}
}

func (c *counting) add(members int64, earned []loyalty.EarnedOn) {
	level := c.ladder.Standing(earned, c.ladder.Today).Level
	if level < 0 {
		c.None += members
		return
	}
	c.Levels[level] += members
}
