package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/tier"
	"github.com/tallystick/tallystick/sync/entry"
)

var _ tier.Store = (*DB)(nil)

type leadRow struct {
	Account []byte `bun:"account"`
	Target  []byte `bun:"target"`
}

func (r leadRow) lead() tier.Lead { return tier.Lead{Account: toID(r.Account), Target: toID(r.Target)} }

// Leading implements tier.Store.
func (db *DB) Leading(ctx context.Context, accounts []uuid.UUID) ([]tier.Lead, error) {
	return byIDs(ctx, db, leadRow.lead, "SELECT account, target FROM account_links WHERE until_at = 0 AND target IN (?)", accounts)
}

// ShardLeads implements tier.Store.
func (db *DB) ShardLeads(ctx context.Context, in int) ([]tier.Lead, error) {
	return page(ctx, db, leadRow.lead, "SELECT account, target FROM account_links WHERE until_at = 0 AND shard = ?", in)
}

type earningRow struct {
	Account  []byte `bun:"account"`
	EarnedAt int64  `bun:"earned_at"`
	Amount   int64  `bun:"amount"`
}

func (r earningRow) earning() tier.Earning {
	return tier.Earning{Account: toID(r.Account), At: r.EarnedAt, Amount: r.Amount}
}

// earnings are lots that sales made, less what was taken back of them. Points that people
// gave, moved or imported are lots of other facts.
var earnings = fmt.Sprintf("SELECT l.account, l.earned_at, l.amount - l.back AS amount FROM lots AS l "+
	"JOIN sources AS s ON s.shard = l.shard AND s.account = l.account AND s.source = l.source "+
	"WHERE l.amount > l.back AND s.kind IN (%d, %d) AND ", entry.KindSale, entry.KindHQClaimed)

// AccountEarnings implements tier.Store.
func (db *DB) AccountEarnings(ctx context.Context, accounts []uuid.UUID, unit string, since int64) ([]tier.Earning, error) {
	rows, err := selectKeys[earningRow](ctx, db, db.read(ctx), earnings+"? AND l.earned_at >= "+strconv.FormatInt(since, 10), "l.shard, l.account, l.unit",
		convert(accounts, func(id uuid.UUID) row { return row{shard.Of(id), idBytes(id), unit} }))
	return convert(rows, earningRow.earning), err
}

// ShardEarnings implements tier.Store.
func (db *DB) ShardEarnings(ctx context.Context, in int, unit string, since int64) ([]tier.Earning, error) {
	return page(ctx, db, earningRow.earning, earnings+"l.shard = ? AND l.unit = ? AND l.earned_at >= ?", in, unit, since)
}

// ShardMembers implements tier.Store.
func (db *DB) ShardMembers(ctx context.Context, in int) (map[uuid.UUID]int64, error) {
	type countRow struct {
		Account []byte `bun:"account"`
		N       int64  `bun:"n"`
	}
	rows, err := page(ctx, db, asIs[countRow], "SELECT account, COUNT(*) AS n FROM members WHERE shard = ? AND blocked = 0 GROUP BY account", in)
	out := make(map[uuid.UUID]int64, len(rows))
	for _, r := range rows {
		out[toID(r.Account)] = r.N
	}
	return out, err
}
