package ledger

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

// Pass lets time pass for an account, if anything is due in it.
func (l *Ledger) Pass(ctx context.Context, account uuid.UUID, until int64) error {
	_, err := l.passTogether(ctx, []AccountKey{{shard.Of(account), account}}, Swept{Until: until})
	return err
}

// Together is how a sweep splits accounts into transactions.
func (l *Ledger) Together(due []AccountKey) [][]AccountKey { return l.together(due) }

// AllLots returns all lots of an account, empty ones too.
func (l *Ledger) AllLots(ctx context.Context, account uuid.UUID) ([]LotRow, error) {
	return l.o.Store.AccountLots(ctx, []AccountKey{{shard.Of(account), account}})
}

// BreakBetween makes every Apply fail with fn's error after a set has been posted
// and before its cursors move.
func (l *Ledger) BreakBetween(fn func() error) { l.betweenSteps = fn }

// Forget breaks exactly-once: every source is taken for new.
func (l *Ledger) Forget(on bool) { l.forgetful = on }

// SnapshotEvery takes a snapshot about every n facts; none for zero.
func (l *Ledger) SnapshotEvery(n int) { l.snapshotEvery = n }

// Snapshots returns how many snapshots of an account are stored.
func (l *Ledger) Snapshots(ctx context.Context, account uuid.UUID) (int, error) {
	rows, err := l.o.Store.Snapshots(ctx, []AccountKey{{shard.Of(account), account}})
	return len(rows), err
}

// DropSnapshots drops the snapshots of an account.
func (l *Ledger) DropSnapshots(ctx context.Context, account uuid.UUID) error {
	rows, err := l.o.Store.Snapshots(ctx, []AccountKey{{shard.Of(account), account}})
	if err != nil {
		return err
	}
	var drop []SnapshotKey
	for _, row := range rows {
		drop = append(drop, row.SnapshotKey)
	}
	return l.o.Store.SaveSnapshots(ctx, nil, drop)
}

// Unfoldable makes folding an account with a fact fail with fn's error.
func (l *Ledger) Unfoldable(fn func(account uuid.UUID, source journal.Hash) error) { l.unfoldable = fn }

// Straight breaks the order of folding: a late fact is folded as if it came last.
func (l *Ledger) Straight(on bool) { l.straight = on }
