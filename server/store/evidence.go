package store

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/evidence"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

var _ evidence.Store = (*DB)(nil)

// EntryRecorded implements evidence.Store.
func (db *DB) EntryRecorded(ctx context.Context, at int64, hash journal.Hash) (ledger.Entry, error) {
	return one(ctx, db, entryRow.entry, "entry", "SELECT "+entryColumns+" FROM entries WHERE recorded_at = ? AND hash = ? LIMIT 1", at, hashBytes(hash))
}

// PostingsAround implements evidence.Store.
func (db *DB) PostingsAround(ctx context.Context, account uuid.UUID, unit string, at int64, each int) ([]ledger.Posting, error) {
	const of = " FROM postings WHERE shard = ? AND account = ? AND unit = ? AND recorded_at "
	in, id := shard.Of(account), idBytes(account)
	before, err := page(ctx, db, postingRow.posting, "SELECT "+postingColumns+of+"<= ? ORDER BY recorded_at DESC, id DESC LIMIT ?", in, id, unit, at, each)
	if err != nil {
		return nil, err
	}
	slices.Reverse(before)
	after, err := page(ctx, db, postingRow.posting, "SELECT "+postingColumns+of+"> ? ORDER BY recorded_at, id LIMIT ?", in, id, unit, at, each)
	return append(before, after...), err
}
