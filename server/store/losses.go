package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// LostSince implements ledger.Store.
func (db *DB) LostSince(ctx context.Context, lanes []ledger.LaneKey) (map[ledger.LaneKey]int64, error) {
	var rows []struct {
		Terminal  []byte `bun:"terminal"`
		Epoch     uint32 `bun:"epoch"`
		DecidedAt int64  `bun:"decided_at"`
	}
	ids := convert(lanes, func(l ledger.LaneKey) []byte { return idOf(l.Terminal) })
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, decided_at FROM lost_declarations WHERE terminal IN (?) AND state IN (?, ?)",
		bun.List(ids), uint8(entry.LostConfirmed), uint8(entry.LostFound)).Scan(ctx, &rows)
	out := make(map[ledger.LaneKey]int64, len(rows))
	for _, r := range rows {
		out[ledger.LaneKey{Terminal: toID(r.Terminal), Epoch: r.Epoch}] = r.DecidedAt
	}
	return out, err
}

// PutPassIssues implements ledger.Store.
func (db *DB) PutPassIssues(ctx context.Context, rows []ledger.PassIssue) error {
	return db.insert(ctx, "INSERT INTO pass_issues (shard, member, issue, since, updated)", convert(rows, func(r ledger.PassIssue) row {
		return row{r.Shard, idBytes(r.Member), int64(r.Issue), r.Since, bit(r.Updated)}
	}), "ON CONFLICT DO NOTHING")
}

type passIssueRow struct {
	Shard   int    `bun:"shard"`
	Member  []byte `bun:"member"`
	Issue   uint16 `bun:"issue"`
	Since   int64  `bun:"since"`
	Updated int64  `bun:"updated"`
}

// PassIssues implements ledger.Store.
func (db *DB) PassIssues(ctx context.Context, keys []ledger.PassKey) ([]ledger.PassIssue, error) {
	rows, err := selectKeys[passIssueRow](ctx, db, db.read(ctx), "SELECT shard, member, issue, since, updated FROM pass_issues WHERE ?", "shard, member",
		convert(keys, func(k ledger.PassKey) row { return row{k.Shard, idBytes(k.Member)} }))
	return convert(rows, func(r passIssueRow) ledger.PassIssue {
		return ledger.PassIssue{PassKey: ledger.PassKey{Shard: r.Shard, Member: toID(r.Member)}, Issued: loyalty.Issued{Issue: r.Issue, Since: r.Since, Updated: r.Updated != 0}}
	}), err
}
