package sim

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// Start is when every world begins: a Monday morning.
var Start = time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)

// Options choose how worlds are run.
type Options struct {
	Empty  []byte // a migrated SQLite database without rows
	Dir    string // where worlds keep their databases; memory is best
	Broken Broken
	Events int // of one world; 0 is the default
	Crashy int // percent of calls in which the machine dies; 0 leaves it to the seed
	// Rights has HQ give rights, tills ask for them and lanes lend them, in most worlds.
	Rights bool
	// Only keeps the events of these kinds; nil keeps all.
	Only map[kind]bool
	// Blame has the end look at whom HQ puts losses down to.
	Blame bool
	// Scene plays a story that is fixed but for what is sold; empty plays by chance.
	Scene Scene
}

// world is everything there is.
type world struct {
	options Options
	seed    uint64
	plan    plan
	dice    *dice
	dir     string
	now     time.Time

	hq      *office
	shops   []uuid.UUID
	lanes   []*lane
	epochs  []*fork
	members []*member
	rewards []loyalty.Reward
	late    []parcel

	sold     []*sold
	receipts []*receipt // of sales to nobody, that may be claimed
	moves    []move     // of points between groups of accounts, and into them, by HQ
	saved    int        // how many moves the last backup has; -1: there is none
	same     map[uuid.UUID]uuid.UUID

	enrolledSinceBackup bool
	forgotten           bool // HQ was restored over an enrolment that the backup does not know
	restored            bool
	loans               int

	tally  *Tally
	lines  []string
	failed string
}

// plan is the size and shape of a world.
type plan struct {
	shops, lanes, members, replicas, shardsPerTx, pageItems int
	rights                                                  bool
	policy                                                  loyalty.Policy
}

type member struct {
	name     string
	born     *birth // nil: HQ made the member
	record   programme.Member
	code     string
	token    passtoken.Token
	ends     time.Time // of the pass
	vouchers []uuid.UUID
}

// move is what HQ itself gave an account or took from it.
type move struct {
	account uuid.UUID
	unit    string
	amount  int64
}

func newPlan(d *dice, o Options) plan {
	p := plan{
		shops: d.between(1, 3), members: d.between(2, 5), replicas: d.between(1, 2), shardsPerTx: d.IntN(2), pageItems: d.between(3, 60),
	}
	p.lanes = d.between(p.shops, 5)
	p.policy = loyalty.Policy{
		Unit: "points", PerSale: 400, PerMemberDay: 700, PerTerminal: 900, VouchersPerSale: 2, VouchersTerminal: 6,
		MaxCacheAgeSeconds: 3 * 24 * 3600, RestartCap: 500, Identities: 4, ClaimDays: 90,
	}
	if p.rights = d.chance(70) && o.Rights || o.Scene != ""; p.rights {
		p.policy.SpendEarned = d.chance(70)
		p.policy.Rights = loyalty.Rights{
			SharePercent: 60, Cap: 400, Min: 20, LifeSeconds: 2 * 24 * 3600, OneOffSeconds: 3600, ClockBoundSeconds: 120,
			GraceSeconds: 24 * 3600, Clones: 1,
		}
	}
	switch o.Scene {
	case OldWord:
		p.shops, p.lanes = 1, 2
	case WeekAlone:
		p.shops, p.lanes = 1, 1
		p.policy.PerSale, p.policy.PerMemberDay, p.policy.PerTerminal, p.policy.RestartCap = 500, 500, 5000, 5000
		p.policy.MaxCacheAgeSeconds = 8 * 24 * 3600
	}
	return p
}

// newWorld builds HQ, stores, lanes and members, all in order.
func newWorld(ctx context.Context, seed uint64, o Options) (*world, error) {
	dir, err := os.MkdirTemp(o.Dir, "world")
	if err != nil {
		return nil, err
	}
	w := &world{
		options: o, seed: seed, dice: newDice(seed, 1), dir: dir, now: Start, saved: -1,
		same: map[uuid.UUID]uuid.UUID{}, tally: NewTally(),
	}
	w.plan = newPlan(newDice(seed, 2), o)
	if w.hq, err = newOffice(ctx, w); err != nil {
		return w, err
	}
	if err := w.programme(ctx); err != nil {
		return w, err
	}
	for i := range w.plan.shops {
		if err := w.shop(ctx, i); err != nil {
			return w, err
		}
	}
	for i := range w.plan.lanes {
		if err := w.lane(ctx, i); err != nil {
			return w, err
		}
	}
	for i := range w.plan.members {
		if err := w.member(ctx, i); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *world) close() error {
	var first error
	for _, l := range w.lanes {
		if l.up {
			l.die(false)
		}
	}
	if w.hq != nil {
		first = w.hq.close()
	}
	if err := os.RemoveAll(w.dir); first == nil {
		first = err
	}
	return first
}

func (w *world) programme(ctx context.Context) error {
	p := w.hq.any().programme
	_, err := p.PutRuleSet(ctx, uuid.Nil, loyalty.RuleSet{Currency: "EUR", Earn: []loyalty.EarnRule{
		{Unit: "points", Points: 1, Per: 20},
		{Unit: "cups", Points: 1, Per: 1000, VestDays: 1, ExpireMonths: 0, RollDays: 3},
	}})
	if err != nil {
		return err
	}
	if _, err := p.PutPolicy(ctx, uuid.Nil, w.plan.policy); err != nil {
		return err
	}
	for _, cost := range []int64{50, 120, 300} {
		r, err := p.AddReward(ctx, uuid.Nil, loyalty.Reward{
			Name: fmt.Sprintf("%d off", cost), Unit: "points", Cost: cost, Discount: cost, Currency: "EUR", Active: true,
		})
		if err != nil {
			return err
		}
		w.rewards = append(w.rewards, r.Reward)
	}
	return nil
}

func (w *world) shop(ctx context.Context, i int) error {
	s, err := w.hq.any().fleet.OpenStore(ctx, uuid.Nil, fleet.Store{
		Code: fmt.Sprintf("S%d", i+1), Name: fmt.Sprintf("Store %d", i+1), TimeZone: "Europe/Berlin", Currency: "EUR",
	})
	w.shops = append(w.shops, s.ID)
	return err
}

func (w *world) lane(ctx context.Context, i int) error {
	shop := i % len(w.shops)
	l := &lane{w: w, name: fmt.Sprintf("%c%d", 'A'+shop, i/len(w.shops)+1), shop: shop, dice: newDice(w.dice.Uint64(), 3)}
	l.link.lane = l
	t, _, err := w.hq.any().fleet.AddTerminal(ctx, uuid.Nil, w.shops[shop], l.name)
	if err != nil {
		return err
	}
	if err := l.enrol(ctx, t.ID); err != nil {
		return err
	}
	w.lanes = append(w.lanes, l)
	return l.start(ctx)
}

func (w *world) member(ctx context.Context, i int) error {
	p := w.hq.any().programme
	name := fmt.Sprintf("M%d", i+1)
	made, err := p.AddMembers(ctx, uuid.Nil, "", []programme.NewMember{{Alias: name, Reference: name}})
	if err != nil {
		return err
	}
	m := &member{name: name, record: made[0]}
	last := Start.AddDate(1, 0, 0)
	if d := newDice(w.seed+uint64(i)<<32, 6); d.chance(20) && w.options.Scene == "" {
		last = Start.AddDate(0, 0, d.between(0, 3)) // the pass ends while the world lasts
	}
	day, err := passtoken.DayOf(last)
	if err != nil {
		return err
	}
	m.ends = day.End()
	m.token, err = passtoken.Issue(w.hq.pass, passtoken.Pass{Kind: passtoken.KindMember, Subject: m.record.ID, Issue: m.record.Issue, ExpiresOn: day})
	if err != nil {
		return err
	}
	m.code = m.token.Text()
	w.members = append(w.members, m)
	// A till that knows only the pass puts the member in the account's place.
	w.same[m.record.ID] = m.record.Account
	return w.adjust(ctx, m, int64(w.dice.between(0, 12))*100)
}

// fail keeps the first thing that went wrong.
func (w *world) fail(format string, args ...any) {
	if w.failed == "" {
		w.failed = fmt.Sprintf(format, args...)
	}
}

// say adds a line to the story.
func (w *world) say(format string, args ...any) {
	w.lines = append(w.lines, fmt.Sprintf("t=+%s ", w.now.Sub(Start).Round(time.Second))+fmt.Sprintf(format, args...))
}

func (w *world) count(fault string) { w.tally.Faults[fault]++ }
