package blank

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/server/store"
)

// SQLite returns the address of a database of the test's own.
func SQLite(t testing.TB) string {
	t.Helper()
	bytes, err := File()
	file := filepath.Join(t.TempDir(), "hq.db")
	if err == nil {
		err = os.WriteFile(file, bytes, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}

// File returns the bytes of a SQLite file; they are shared and must not be changed.
var File = sync.OnceValues(func() (bytes []byte, err error) {
	dir, err := os.MkdirTemp("", "blank")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the blank database: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, file := context.Background(), filepath.Join(dir, "hq.db")
	db, err := store.Open(ctx, "sqlite:"+file, store.Options{Readers: 1})
	if err != nil {
		return nil, fmt.Errorf("make the blank database: %w", err)
	}
	// A backup is one whole file, whatever the log still holds.
	if err := errors.Join(db.Migrate(ctx), db.Backup(ctx, file+".copy"), db.Close()); err != nil {
		return nil, fmt.Errorf("make the blank database: %w", err)
	}
	return os.ReadFile(file + ".copy")
})
