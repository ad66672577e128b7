package store

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"
)

// AccountsOfMembers implements ledger.Store.
func (db *DB) AccountsOfMembers(ctx context.Context, members []uuid.UUID) (map[uuid.UUID]uuid.UUID, error) {
	out := make(map[uuid.UUID]uuid.UUID, len(members))
	type memberRow struct {
		Member  []byte `bun:"member"`
		Account []byte `bun:"account"`
	}
	for part := range slices.Chunk(members, bulk) {
		ids := convert(part, func(id uuid.UUID) []byte { return idBytes(id) })
		rows, err := page(ctx, db, asIs[memberRow], "SELECT member, account FROM account_members WHERE member IN (?)", bun.In(ids))
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[toID(r.Member)] = toID(r.Account)
		}
	}
	return out, nil
}
