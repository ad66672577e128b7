package blank

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/store"
)

// template is the database of the shared server from which others are copied.
var template struct {
	sync.Mutex
	dsn string
}

// PostgreSQL returns the address of a database of the test's own, on the server that the
// tests of this package share (see [pg.Shared]). It goes when the test ends.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	cluster := pg.Shared(t)
	template.Lock()
	defer template.Unlock()
	if template.dsn == "" {
		dsn, ctx := cluster.Database(t), context.Background()
		db, err := store.Open(ctx, dsn, store.Options{Readers: 1})
		if err == nil {
			err = errors.Join(db.Migrate(ctx), db.Close())
		}
		if err != nil {
			t.Fatalf("make the blank database: %v", err)
		}
		template.dsn = dsn
	}
	return cluster.Copy(t, template.dsn)
}
