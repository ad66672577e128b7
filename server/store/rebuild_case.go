package store

import (
	"context"
	"fmt"

	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/shard"
)

var _ casework.Rebuilder = (*DB)(nil)

// ForgetDecisions implements casework.Rebuilder.
func (db *DB) ForgetDecisions(ctx context.Context) error {
	_, err := db.exec(ctx, "UPDATE exception_cases SET resolution = '', liable = ''")
	return err
}

// PutTold implements casework.Rebuilder. A case that is there keeps what the journal does
// not tell.
func (db *DB) PutTold(ctx context.Context, t casework.Told) error {
	_, err := db.exec(ctx, "INSERT INTO exception_cases (shard, exception, owner, owner_name, resolution, version, changed_at, liable, due_at, due_by, proposal, by_hand) "+
		"VALUES (?, ?, ?, COALESCE((SELECT name FROM people WHERE id = ?), ''), ?, 1, ?, ?, 0, '', ?, 1) "+
		"ON CONFLICT (shard, exception) DO UPDATE SET resolution = EXCLUDED.resolution, liable = EXCLUDED.liable",
		t.Shard, t.Exception[:], t.By[:], t.By[:], string(t.Resolution), toMillis(t.At), t.Liable, []byte{})
	return err
}

// CompareCases holds how exceptions stand in a rebuilt HQ, by its journal, against how they
// stand here. It returns how many are the same.
func (db *DB) CompareCases(ctx context.Context, rebuilt *DB, tell func(Difference) error) (int64, error) {
	var same int64
	for in := range shard.Count {
		n, err := db.compareShard(ctx, rebuilt, "exception_cases",
			"SELECT exception, resolution, liable FROM exception_cases WHERE shard = ? AND (resolution <> '' OR liable <> '')", in, tell)
		if err != nil {
			return same, fmt.Errorf("compare the work on exceptions of shard %d: %w", in, err)
		}
		same += n
	}
	return same, nil
}
