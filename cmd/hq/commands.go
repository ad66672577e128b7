package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/store"
)

type migrateCommand struct {
	Distributed bool `help:"Also spread the tables over the nodes of a Citus cluster, whose coordinator --db names. Done once, it stays so."`
}

// Run migrates. Doing it again changes nothing. A PostgreSQL database may be made
// ready before there is an HQ.
func (m migrateCommand) Run(ctx context.Context, s *surroundings) (err error) {
	if strings.HasPrefix(s.cli.database(), "sqlite:") {
		if _, err := readSecrets(s.cli.Data); err != nil {
			return err
		}
	}
	db, err := store.Open(ctx, s.cli.database(), s.cli.options())
	if err != nil {
		return err
	}
	defer func() {
		if cerr := db.Close(); err == nil {
			err = cerr
		}
	}()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	if m.Distributed {
		if err := db.Distribute(ctx); err != nil {
			return err
		}
	}
	if err := deed(ctx, db, "Migrate", "migrate", fmt.Sprintf("distributed=%t", m.Distributed)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.stdout, "the database is up to date")
	return err
}

type importCommand struct {
	File string `arg:"" help:"What edge export wrote." type:"existingfile"`
}

// Run takes a journal in, exactly once however often, and applies it.
func (i importCommand) Run(ctx context.Context, s *surroundings) (err error) {
	f, err := os.Open(i.File)
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	defer f.Close()
	o, err := openMigrated(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	counted, err := o.ingest.Import(ctx, f, o.fleet, uuid.Nil, o.clock.Now())
	// What came before an error is in, and counts.
	err = errors.Join(err, deed(ctx, o.db, "Import", "import", fmt.Sprintf("batches=%d entries=%d new=%d", counted.Batches, counted.Entries, counted.New)))
	if aerr := o.applyAll(ctx); aerr != nil {
		return errors.Join(err, aerr)
	}
	report := map[string]any{"batches": counted.Batches, "entries": counted.Entries, "new": counted.New}
	if counted.Warning != "" {
		report["warning"] = counted.Warning
	}
	if perr := json.NewEncoder(s.stdout).Encode(report); perr != nil {
		return errors.Join(err, perr)
	}
	if err != nil {
		return fmt.Errorf("import %s: %w", i.File, err)
	}
	return nil
}

// openMigrated opens an HQ and brings its database up to this release.
func openMigrated(ctx context.Context, c *cli, t tuning) (*office, error) {
	o, err := openOffice(ctx, c, t)
	if err != nil {
		return nil, err
	}
	if err := o.db.Migrate(ctx); err != nil {
		return nil, o.close(err)
	}
	return o, nil
}
