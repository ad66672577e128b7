package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/pg"
)

func TestMigrateRefusesANewerSchema(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { refusesNewer(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db")) })
	t.Run("postgres", func(t *testing.T) { refusesNewer(t, pg.Shared(t).Database(t)) })
}

func opened(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Interrupted after any of its statements, a migration goes on where it stopped.
func TestMigrateGoesOnAfterEveryStatement(t *testing.T) {
	files, err := migrations(migrationFiles)
	if err != nil {
		t.Fatal(err)
	}
	db := opened(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	last := place{}
	for i, m := range files {
		for n := range m.steps {
			cut := append(slices.Clone(files[:i]), migration{m.version, m.name, m.steps[:n+1]})
			if err := db.migrate(t.Context(), cut); err != nil {
				t.Fatalf("%s, statement %d: %v", m.name, n+1, err)
			}
			var at place
			if err := db.reader.NewRaw("SELECT version, step FROM schema_version").Scan(t.Context(), &at); err != nil || at != (place{m.version, int64(n + 1)}) {
				t.Fatalf("%s: interrupted at %+v, %v", m.name, at, err)
			}
			last = at
		}
	}
	if err := db.Migrate(t.Context()); err != nil || last.Version != files[len(files)-1].version {
		t.Errorf("%+v, %v", last, err)
	}
}

func refusesNewer(t *testing.T, dsn string) {
	t.Helper()
	ctx := context.Background()
	db := opened(t, dsn)
	files := []migration{{1, "one", []string{"CREATE TABLE a (x BIGINT)", "CREATE TABLE b (x BIGINT)"}}}
	// Interrupted after the first statement, then gone on with.
	half := []migration{{1, "one", files[0].steps[:1]}}
	for _, step := range []struct {
		files []migration
		want  error
	}{
		{half, nil},
		{files, nil},
		{files, nil},
		{half, ErrNewerSchema},
		{append(files, migration{2, "two", []string{"CREATE TABLE c (x BIGINT)"}}), nil},
		{files, ErrNewerSchema},
	} {
		if err := db.migrate(ctx, step.files); !errors.Is(err, step.want) {
			t.Errorf("got %v, want %v", err, step.want)
		}
	}
}

func TestStatementsAreSplitAtLineEnds(t *testing.T) {
	got := statements("-- a comment\nCREATE TABLE a (\n  x TEXT DEFAULT ';'\n);\n\nCREATE TABLE b (y TEXT);\n")
	if len(got) != 2 || got[1] != "CREATE TABLE b (y TEXT)" {
		t.Errorf("got %q", got)
	}
}
