package store

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
)

// Exception returns one exception, or problem.NotFound.
func (db *DB) Exception(ctx context.Context, id uuid.UUID) (ledger.Exception, error) {
	return one(ctx, db, exceptionRow.exception, "exception", "SELECT "+exceptionColumns+" FROM exceptions WHERE id = ?", id[:])
}
