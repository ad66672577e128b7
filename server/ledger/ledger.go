package ledger

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

// Journal is HQ's own journal, as the ledger needs it.
type Journal interface {
	Write(ctx context.Context, facts ...hqjournal.Fact) ([]hqjournal.Written, error)
}

// Publisher writes feed changes in the transaction in ctx.
type Publisher interface {
	Publish(ctx context.Context, changes ...feed.Change) error
}

// RuleSets gives the rule set of a version, for the re-check of earnings, and the policy of
// one, for why more was redeemed than there was. ok is false when HQ never published that
// version. A version never changes.
type RuleSets interface {
	RuleSet(ctx context.Context, version uint64) (rules loyalty.RuleSet, ok bool, err error)
	Policy(ctx context.Context, version uint64) (policy loyalty.Policy, ok bool, err error)
}

// Options are what a ledger stands on.
type Options struct {
	Store   Store
	Journal Journal
	Feed    Publisher
	Rules   RuleSets
	Clock   clock.Clock
	HQ      uuid.UUID
	// Ties says that stores are told only of members with ties to them, which applying
	// then makes.
	Ties bool
	// ShardsPerTx is how many shards one applying transaction may touch: all of
	// them (zero) on one database, one where databases are spread by shard.
	ShardsPerTx int
	// Liable says who has to answer for a loss of a cause (programme, store, terminal);
	// what it does not say is as in [DefaultLiable].
	Liable map[loyalty.LossCause]string
	// Grace is how long expiry waits for a terminal that is not heard of, and a
	// return for its sale. Zero is seven days, the time a till may be offline.
	Grace time.Duration
}

// Ledger applies facts and answers what the books say. It is safe for concurrent
// use, also by several processes on one database.
type Ledger struct {
	o Options

	mu    sync.Mutex
	rules map[uint64]loyalty.RuleSet
	// searched is when sales were last looked for by their receipt, for which return.
	searched map[journal.Hash]time.Time
	left     atomic.Uint64 // see Left
	beside   []Beside
	watch    Watch // nil: nobody

	// snapshotEvery is [snapshotEvery], or what a test says.
	snapshotEvery int
	// betweenSteps is nil, or a test's: called after a set has been posted and
	// before the cursors of its journals move.
	betweenSteps func() error
	// forgetful is a test's switch that breaks exactly-once on purpose: it takes
	// every source for new and every sale for unknown.
	forgetful bool
	// straight is a test's switch that breaks the order of folding on purpose: a late
	// fact is folded as if it came last.
	straight bool
	// unfoldable is nil, or a test's: folding an account with a fact fails with its error.
	unfoldable func(account uuid.UUID, source journal.Hash) error
}

// New returns a ledger.
func New(o Options) *Ledger {
	if o.ShardsPerTx <= 0 {
		o.ShardsPerTx = shard.Count
	}
	if o.Grace <= 0 {
		o.Grace = 7 * 24 * time.Hour
	}
	return &Ledger{o: o, rules: map[uint64]loyalty.RuleSet{}, searched: map[journal.Hash]time.Time{}, snapshotEvery: snapshotEvery}
}

// ruleSet returns a rule set, from memory when it has been asked for before.
func (l *Ledger) ruleSet(ctx context.Context, version uint64) (loyalty.RuleSet, bool, error) {
	l.mu.Lock()
	rules, ok := l.rules[version]
	l.mu.Unlock()
	if ok {
		return rules, true, nil
	}
	rules, ok, err := l.o.Rules.RuleSet(ctx, version)
	if err != nil || !ok {
		return loyalty.RuleSet{}, false, err
	}
	l.mu.Lock()
	l.rules[version] = rules
	l.mu.Unlock()
	return rules, true, nil
}
