package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrNewerSchema means that a newer release has migrated the database.
var ErrNewerSchema = errors.New("the database has a newer schema than this release knows")

// migration is one file: its number and its statements.
type migration struct {
	version int64
	name    string
	steps   []string
}

// place is how far a database has come: the version being made and how many of
// its statements have run. A finished version is (version, all its statements).
type place struct {
	Version int64 `bun:"version"`
	Step    int64 `bun:"step"`
}

// Migrate brings the schema up to this release, one statement a transaction.
// Starting it in several processes at once is safe: each step is taken under the
// lock of the one row of schema_version. It refuses a newer schema. A database that
// has been distributed stays so: new tables are spread too.
func (db *DB) Migrate(ctx context.Context) error {
	files, err := migrations(migrationFiles)
	if err != nil {
		return err
	}
	if err := db.migrate(ctx, files); err != nil {
		return err
	}
	if spread, err := db.Distributed(ctx); err != nil || !spread {
		return err
	}
	return db.Distribute(ctx)
}

func (db *DB) migrate(ctx context.Context, files []migration) error {
	if err := db.makeVersionTable(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	for {
		done, err := db.migrateStep(ctx, files)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if done {
			return nil
		}
	}
}

// existsAlready are what PostgreSQL calls it: a key, a table, a type.
var existsAlready = []string{"23505", "42P07", "42710"}

func (db *DB) makeVersionTable(ctx context.Context) error {
	for try := 1; ; try++ {
		err := db.InTx(ctx, func(ctx context.Context) error {
			_, err := db.write(ctx).ExecContext(ctx,
				"CREATE TABLE IF NOT EXISTS schema_version (id INTEGER NOT NULL PRIMARY KEY, version BIGINT NOT NULL, step BIGINT NOT NULL)")
			if err != nil {
				return err
			}
			_, err = db.write(ctx).ExecContext(ctx,
				"INSERT INTO schema_version (id, version, step) VALUES (1, 0, 0) ON CONFLICT DO NOTHING")
			return err
		})
		// Two that create a table at once: PostgreSQL lets one of them fail.
		var pg *pgconn.PgError
		if err == nil || !errors.As(err, &pg) || try == maxTries || !slices.Contains(existsAlready, pg.Code) {
			return err
		}
	}
}

// migrateStep runs the next statement, if there is one.
func (db *DB) migrateStep(ctx context.Context, files []migration) (done bool, err error) {
	err = db.InTx(ctx, func(ctx context.Context) error {
		// An update that changes nothing takes the row's lock on every engine.
		var at place
		err := db.write(ctx).NewRaw("UPDATE schema_version SET id = 1 WHERE id = 1 RETURNING version, step").Scan(ctx, &at)
		if err != nil {
			return err
		}
		next, statement, err := nextStep(files, at)
		if err != nil || statement == "" {
			done = true
			return err
		}
		done = false
		if _, err := db.write(ctx).NewRaw("?", bun.Safe(statement)).Exec(ctx); err != nil {
			return fmt.Errorf("version %d, step %d: %w", next.Version, next.Step, err)
		}
		_, err = db.write(ctx).ExecContext(ctx, "UPDATE schema_version SET version = ?, step = ? WHERE id = 1", next.Version, next.Step)
		return err
	})
	return done, err
}

// nextStep returns the statement to run after a place and the place it leads to,
// or no statement when all have run.
func nextStep(files []migration, at place) (place, string, error) {
	if at.Version > files[len(files)-1].version {
		return at, "", fmt.Errorf("version %d: %w", at.Version, ErrNewerSchema)
	}
	for _, m := range files {
		switch {
		case m.version == at.Version && at.Step < int64(len(m.steps)):
			return place{m.version, at.Step + 1}, m.steps[at.Step], nil
		case m.version == at.Version && at.Step > int64(len(m.steps)):
			return at, "", fmt.Errorf("version %d has %d steps: %w", at.Version, at.Step, ErrNewerSchema)
		case m.version > at.Version:
			return place{m.version, 1}, m.steps[0], nil
		}
	}
	return at, "", nil
}

// migrations reads the files in the order of their numbers (NNNN_name.sql).
func migrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	slices.Sort(names)
	var out []migration
	for _, name := range names {
		number, _, _ := strings.Cut(path.Base(name), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read migration %s: %w", name, err)
		}
		steps := statements(string(text))
		if len(steps) == 0 {
			return nil, fmt.Errorf("read migration %s: no statement in it", name)
		}
		out = append(out, migration{version: version, name: name, steps: steps})
	}
	return out, nil
}

// statements splits a file at the semicolons that end a line, without comments.
func statements(text string) []string {
	var out []string
	var current strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \r\n")
		if strings.HasPrefix(strings.TrimSpace(line), "--") || line == "" {
			continue
		}
		body, ends := strings.CutSuffix(line, ";")
		current.WriteString(body + "\n")
		if ends {
			out = append(out, strings.TrimSpace(current.String()))
			current.Reset()
		}
	}
	return out
}
