package quarter

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/sync/entry"
)

// points is the one unit of the programme.
const points = "points"

// money is a currency with its rules: a point for each so much that is paid, and what a
// point takes off, in minor units. What is earned in the second currency expires within
// the quarter.
type money struct {
	code, zone string
	per, worth int64
	months     int    // after which points expire
	rules      uint64 // version
}

// shop is a store.
type shop struct {
	number   int
	id       uuid.UUID
	code     string
	zone     *time.Location
	money    *money
	lanes    []*lane
	journals []*truth.Journal
}

// member is a shopper.
type member struct {
	id, account uuid.UUID
	home        int     // number of a store
	heldOn      int     // the day on which a lane holds a right of theirs
	into        *member // whose account theirs has become
}

// sold is a sale that may come back.
type sold struct {
	id      uuid.UUID
	at      time.Time
	lane    *lane
	epoch   uint32
	seq     uint64
	buyer   *member // nil: without a card
	fact    *truth.Fact
	done    truth.Done
	body    entry.Sale
	returns int64 // price of what came back
	voided  bool
}

// world is everything there is.
type world struct {
	size      Size
	dice      *dice
	hq        *office
	truth     *truth.Book
	monies    []*money
	shops     []*shop
	byID      map[uuid.UUID]*shop
	franchise franchise
	lanes     []*lane
	members   []*member
	recent    []*sold // of the last days, for voids and returns
	today     int
	silent    [2]time.Time // of today, when head office answers nobody
	reward    uuid.UUID
	policy    uint64
	ann, bo   uuid.UUID // two people of head office

	plan     map[when][]step
	want     []expected
	refused  []refusal
	bounds   []bound
	counts   map[string]int
	sweptTo  int64
	known    []asKnown
	report   *Report
	told     int                // of what was wrong, in the progress
	disputes map[uuid.UUID]bool // exceptions that people have settled
}

// policyOfQuarter is what tills may do by themselves.
var policyOfQuarter = loyalty.Policy{
	Unit: points, PerSale: 500, PerMemberDay: 1000, PerTerminal: 5000, VouchersPerSale: 2, VouchersTerminal: 50,
	MaxCacheAgeSeconds: 30 * 24 * 3600, RestartCap: 5000, SpendEarned: true,
	Rights: loyalty.Rights{
		SharePercent: 50, Cap: 400, Min: 20, LifeSeconds: 2 * 24 * 3600, OneOffSeconds: 3600, ClockBoundSeconds: 120,
		GraceSeconds: 24 * 3600, Clones: 1,
	},
}

// newWorld opens stores, lanes and members at a head office on an empty database.
func newWorld(ctx context.Context, size Size, dsn string) (*world, error) {
	if err := size.Check(); err != nil {
		return nil, err
	}
	w := &world{
		size: size, dice: newDice(size.Seed, 1), truth: truth.NewBook(), plan: map[when][]step{}, counts: map[string]int{}, byID: map[uuid.UUID]*shop{},
		disputes: map[uuid.UUID]bool{},
	}
	var err error
	if w.hq, err = openOffice(ctx, dsn, size.Start, w.dice); err != nil {
		return nil, err
	}
	w.ann, w.bo = w.id(), w.id()
	for _, open := range []func(context.Context) error{w.openProgramme, w.openStores, w.openFranchise, w.openMembers} {
		if err := open(ctx); err != nil {
			return nil, fmt.Errorf("open the world: %w", err)
		}
	}
	return w, nil
}

func (w *world) id() uuid.UUID { return w.dice.id(w.hq.clock.Now()) }

func (w *world) openProgramme(ctx context.Context) error {
	w.monies = []*money{
		{code: "EUR", zone: "Europe/Berlin", per: 100, worth: 1, months: 3},
		{code: "TRY", zone: "Europe/Istanbul", per: 2500, worth: 25, months: 1},
	}
	for _, m := range w.monies {
		rules, err := w.hq.programme.PutRuleSet(ctx, w.ann, loyalty.RuleSet{
			Currency: m.code, Earn: []loyalty.EarnRule{{Unit: points, Points: 1, Per: m.per, ExpireMonths: int32(m.months)}},
		})
		if err != nil {
			return err
		}
		m.rules = rules.Version
	}
	policy, err := w.hq.programme.PutPolicy(ctx, w.ann, policyOfQuarter)
	if err != nil {
		return err
	}
	w.policy = policy.Version
	reward, err := w.hq.programme.AddReward(ctx, w.ann, loyalty.Reward{
		Name: "Coffee", Unit: points, Cost: 100, Discount: 100, Currency: "EUR", Active: true,
	})
	w.reward = uuid.UUID(reward.ID)
	return err
}

// openStores opens a fifth of the stores in the second currency and time zone.
func (w *world) openStores(ctx context.Context) error {
	for n := range w.size.Stores {
		s := &shop{number: n, code: fmt.Sprintf("S%03d", n+1), money: w.monies[0]}
		if n%5 == 4 {
			s.money = w.monies[1]
		}
		var err error
		if s.zone, err = time.LoadLocation(s.money.zone); err != nil {
			return err
		}
		made, err := w.hq.fleet.OpenStore(ctx, w.ann, fleet.Store{
			Code: s.code, Name: "Store " + s.code, TimeZone: s.money.zone, Currency: s.money.code,
		})
		if err != nil {
			return err
		}
		s.id = made.ID
		w.byID[s.id] = s
		for i := range w.size.Lanes {
			l := &lane{shop: s, number: i + 1, at: w.size.day(0).Add(3 * time.Hour), date: entry.DateOf(w.size.day(0))}
			t, _, err := w.hq.fleet.AddTerminal(ctx, w.ann, s.id, l.name())
			if err != nil {
				return err
			}
			l.terminal = t.ID
			if err := l.enrol(ctx, w); err != nil {
				return err
			}
			s.lanes, w.lanes = append(s.lanes, l), append(w.lanes, l)
		}
		w.shops = append(w.shops, s)
	}
	return nil
}

// openMembers enrols the shoppers; one in ten begins with a gift that ends in the quarter.
func (w *world) openMembers(ctx context.Context) error {
	for len(w.members) < w.size.Members {
		made, err := w.enrolMembers(ctx, min(programme.MaxBatch, w.size.Members-len(w.members)))
		if err != nil {
			return err
		}
		w.members = append(w.members, made...)
	}
	for _, m := range w.members {
		if !w.dice.chance(100) {
			continue
		}
		if err := w.gift(ctx, m, int64(w.dice.between(2, 8))*50, w.size.day(w.dice.between(3, w.size.Days+20))); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) enrolMembers(ctx context.Context, n int) (out []*member, err error) {
	wanted := make([]programme.NewMember, n)
	made, err := w.hq.programme.AddMembers(ctx, w.ann, "", wanted)
	if err != nil {
		return nil, err
	}
	for _, m := range made {
		out = append(out, &member{id: m.ID, account: m.Account, home: w.dice.below(w.size.Stores), heldOn: -1})
	}
	return out, nil
}

// gift gives points of head office to a member.
func (w *world) gift(ctx context.Context, m *member, amount int64, expires time.Time) error {
	w.hq.clock.Advance(time.Millisecond) // no two things of an account at one moment
	a := programme.Adjustment{Member: m.id, Unit: points, Amount: amount, Reason: 1, ExpiresAt: expires}
	if _, err := w.hq.programme.Adjust(ctx, w.ann, a); err != nil {
		return fmt.Errorf("give points: %w", err)
	}
	now := w.hq.ms()
	w.truth.Add(m.account, &truth.Fact{
		At: now, Known: now, Kind: truth.Gift, Store: truth.Programme, Earned: amount, Expires: expires.UnixMilli(),
	})
	w.counts["gifts"]++
	return nil
}

// counts is the account in which what is done with a card counts.
func (m *member) counts() uuid.UUID {
	if m.into != nil {
		return m.into.account
	}
	return m.account
}

// loner enrols a member for a planted story, who shops nowhere else.
func (w *world) loner(ctx context.Context, gift int64) (*member, error) {
	made, err := w.enrolMembers(ctx, 1)
	if err != nil {
		return nil, err
	}
	if gift > 0 {
		err = w.gift(ctx, made[0], gift, w.size.day(w.size.Days+30))
	}
	return made[0], err
}

// balance is what a member has at a moment, as the member would reckon.
func (w *world) balance(m *member, at time.Time) int64 {
	return w.truth.Fold(m.counts(), at.UnixMilli(), truth.Ever).Free()
}
