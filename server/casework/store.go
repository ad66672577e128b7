package casework

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
)

// Store is the storage the service needs. Methods join the transaction in ctx.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// Exception returns one exception, or problem.NotFound.
	Exception(ctx context.Context, id uuid.UUID) (ledger.Exception, error)
	// AccountExceptions returns all exceptions of accounts.
	AccountExceptions(ctx context.Context, accounts []ledger.AccountKey) ([]ledger.Exception, error)
	// Case returns the work on an exception, the zero one with its shard and exception
	// when there was none.
	Case(ctx context.Context, shard int, exception uuid.UUID) (Case, error)
	// PutCase writes a case and keeps how it was; problem.Conflict unless the stored
	// version is one below.
	PutCase(ctx context.Context, c Case) error
	AddNote(ctx context.Context, n Note) error
	// Notes returns the newest notes, the oldest of them first.
	Notes(ctx context.Context, shard int, exception uuid.UUID, limit int) ([]Note, error)

	AddProposal(ctx context.Context, p Proposal) error
	// SetProposal writes how an open proposal ended; problem.Conflict when it is not open.
	SetProposal(ctx context.Context, p Proposal) error
	// Proposals returns all about an exception, the oldest first.
	Proposals(ctx context.Context, shard int, exception uuid.UUID) ([]Proposal, error)
	// Moot returns open proposals whose exception the ledger has done with, or whose maker
	// was shut out.
	Moot(ctx context.Context, limit int) ([]Proposal, error)

	// Matching returns unsettled exceptions that a filter matches at a time, with the work
	// on them, behind a place; in the order of when they came.
	Matching(ctx context.Context, f Filter, now time.Time, after *ledger.Place, limit int) ([]Found, error)
	// Fresh returns exceptions that Opened was not called for, the oldest first.
	Fresh(ctx context.Context, limit int) ([]Found, error)
	Opened(ctx context.Context, exceptions []Found) error

	settingStore

	// Standing sums what was unsettled at a time, by all that an Aged names.
	Standing(ctx context.Context, at time.Time) ([]Aged, error)
	// Overdue counts unsettled exceptions that should have been settled by a time.
	Overdue(ctx context.Context, at time.Time) (int64, error)
	// Before counts exceptions that came since a time, for a suggestion.
	Before(ctx context.Context, e ledger.Exception, since time.Time) (History, error)
}

// settingStore keeps the policy and the rules.
type settingStore interface {
	// AddSetting adds a version; one that is there is problem.Conflict.
	AddSetting(ctx context.Context, s Setting) error
	// SetSetting writes how a version ended; problem.Conflict unless it was in a state.
	SetSetting(ctx context.Context, s Setting, from SettingState) error
	// Settings returns the versions of a kind that are in one of some states, or all, by
	// number and version.
	Settings(ctx context.Context, kind string, states ...SettingState) ([]Setting, error)
	// RuleDay returns what a rule settled on a day, YYYYMMDD.
	RuleDay(ctx context.Context, number uint64, day int64) (RuleDay, error)
	// PutRuleDay writes it; problem.Conflict unless the stored count is one below.
	PutRuleDay(ctx context.Context, d RuleDay) error
	// StopRuleDay notes that the cap stopped a rule on a day.
	StopRuleDay(ctx context.Context, number uint64, day int64) error
	// RuleDays returns what rules settled since a day, the newest first.
	RuleDays(ctx context.Context, since int64) ([]RuleDay, error)
}

// Found is an exception with the work on it.
type Found struct {
	Exception ledger.Exception
	Case      Case
}
