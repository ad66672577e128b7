package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNotSQLite means that the database is backed up by PostgreSQL's own tools.
var ErrNotSQLite = errors.New("the database is PostgreSQL; use pg_dump or pg_basebackup")

// Backup copies the database into a new file, as it is at one moment, while it is
// being written. The file has its name only once it is whole and on disk, and is
// readable by its owner only. A file that exists is not touched.
func (db *DB) Backup(ctx context.Context, file string) (err error) {
	if !db.sqlite {
		return ErrNotSQLite
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := db.reader.ExecContext(ctx, "VACUUM INTO ?", f.Name()); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	// VACUUM INTO writes into the file through the name, so f is the same file.
	if err := f.Sync(); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	if err := os.Link(f.Name(), file); err != nil { // unlike a rename it refuses a name that is there
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// CheckWhole reads a SQLite database through and returns what is damaged.
func (db *DB) CheckWhole(ctx context.Context) error {
	if !db.sqlite {
		return ErrNotSQLite
	}
	var found string
	if err := db.reader.NewRaw("PRAGMA integrity_check(1)").Scan(ctx, &found); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("check database: it is damaged: %s", found)
	}
	return nil
}

// Forget ends what must not come back from a backup: sessions, which may have been
// signed out since, and enrolment codes, which may have been used since.
func (db *DB) Forget(ctx context.Context) error {
	for _, statement := range []string{"DELETE FROM sessions", "DELETE FROM enrolment_codes WHERE used_at = 0"} {
		if _, err := db.exec(ctx, statement); err != nil {
			return fmt.Errorf("forget: %w", err)
		}
	}
	return nil
}
