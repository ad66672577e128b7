package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks"
)

type importBooksCommand struct {
	Store   string `required:"" help:"Code of the store whose books they are."`
	Mapping string `required:"" help:"Name of a saved mapping, or of a JSON file with the rules of one (docs/pos-books.md)."`
	Dry     bool   `name:"dry-run" help:"Say how the first rows are understood, and keep nothing."`
	File    string `arg:"" help:"CSV, JSON or POSLog XML of the till software." type:"existingfile"`
}

// Help says what is written, and when the command fails.
func (importBooksCommand) Help() string {
	return "Writes one line of JSON: the import, its state, how many rows were read, were bad and took the place of others, and why it failed (reason, code) or could not be " +
		"matched (unmatched). How far a long import is goes to the standard error. Ends with 0 when the file was taken in and matched, or had been before (same); else with 1. " +
		"Bad rows are no failure: the list pos_bad_rows of the API names them."
}

// Run takes a file in, and matches the days that it goes over. It works while serve runs.
func (i importBooksCommand) Run(ctx context.Context, s *surroundings) (err error) {
	o, err := openMigrated(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	stores, err := storesOf(ctx, o, []string{i.Store})
	if err != nil {
		return err
	}
	store := stores[0].ID
	rules, err := i.rules(ctx, o, store)
	if err != nil {
		return err
	}
	begun, err := i.upload(ctx, o, store, rules)
	if err != nil {
		return fmt.Errorf("import-books %s: %w", i.File, err)
	}
	if i.Dry {
		preview, err := o.books.Preview(ctx, store, begun.ID, rules)
		if _, cerr := o.books.Cancel(ctx, store, begun.ID); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("import-books %s: %w", i.File, err)
		}
		return json.NewEncoder(s.stdout).Encode(preview)
	}
	if _, err := o.books.Run(ctx, store, begun.ID, rules); err != nil {
		return fmt.Errorf("import-books %s: %w", i.File, err)
	}
	done, err := i.await(ctx, o, store, begun.ID, s.stderr)
	if err != nil {
		return fmt.Errorf("import-books %s: %w", i.File, err)
	}
	if err := deed(ctx, o.db, "RunPosImport", "import-books", fmt.Sprintf("import=%s state=%s rows=%d bad=%d", done.ID, done.State, done.Rows, done.Bad)); err != nil {
		return err
	}
	report := map[string]any{"import": done.ID, "state": done.State, "rows": done.Rows, "bad": done.Bad, "replaced": done.Replaced}
	if done.Same != uuid.Nil {
		report["same"] = done.Same
	}
	if done.Reason != "" {
		report["reason"], report["code"] = done.Reason, done.Code
	}
	unmatched, err := troubleOf(ctx, o, store, posbooks.WorkMatch)
	if err != nil {
		return err
	}
	if unmatched != "" {
		report["unmatched"] = unmatched
	}
	if err := json.NewEncoder(s.stdout).Encode(report); err != nil {
		return err
	}
	if done.State != posbooks.Finished || unmatched != "" {
		return errReported
	}
	return nil
}

// rules finds a mapping by its name, or reads one from a file.
func (i importBooksCommand) rules(ctx context.Context, o *office, store uuid.UUID) (posbooks.Rules, error) {
	saved, err := o.books.Mappings(ctx, store)
	if err != nil {
		return posbooks.Rules{}, err
	}
	for _, m := range saved {
		if m.Name == i.Mapping {
			return m.Rules, nil
		}
	}
	raw, err := os.ReadFile(i.Mapping)
	if errors.Is(err, os.ErrNotExist) {
		return posbooks.Rules{}, fmt.Errorf("--mapping: there is neither a mapping nor a file %q", i.Mapping)
	}
	if err != nil {
		return posbooks.Rules{}, fmt.Errorf("--mapping: %w", err)
	}
	var rules posbooks.Rules
	if err := json.Unmarshal(raw, &rules); err != nil {
		return rules, fmt.Errorf("--mapping: read %s: %w", i.Mapping, err)
	}
	var wrong *problem.Error
	if err := rules.Check(); errors.As(err, &wrong) {
		var fields []string
		for _, field := range slices.Sorted(maps.Keys(wrong.Fields)) {
			fields = append(fields, field+" "+wrong.Fields[field])
		}
		return rules, fmt.Errorf("--mapping: %s: %s", i.Mapping, strings.Join(fields, "; "))
	}
	return rules, nil
}

// upload hands the file over, part by part.
func (i importBooksCommand) upload(ctx context.Context, o *office, store uuid.UUID, rules posbooks.Rules) (posbooks.Import, error) {
	f, err := os.Open(i.File)
	if err != nil {
		return posbooks.Import{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return posbooks.Import{}, err
	}
	begun, err := o.books.Begin(ctx, posbooks.Person{Name: "command line"}, store, filepath.Base(i.File), info.Size(), rules)
	if err != nil {
		return begun, err
	}
	part := make([]byte, posbooks.PartSize)
	for begun.Arrived < begun.Size {
		n, err := io.ReadFull(f, part[:min(posbooks.PartSize, begun.Size-begun.Arrived)])
		if err != nil {
			return begun, fmt.Errorf("read file: %w", err)
		}
		if begun, err = o.books.AddPart(ctx, store, begun.ID, begun.Parts, part[:n]); err != nil {
			return begun, err
		}
	}
	return begun, nil
}

// tellEvery is how often it is told how far a long import is.
const tellEvery = 2 * time.Second

// await reads the file here, unless a serve that runs has taken it, and tells how far it is.
func (i importBooksCommand) await(ctx context.Context, o *office, store, id uuid.UUID, told io.Writer) (posbooks.Import, error) {
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	work := func() { ended <- o.books.RoundOf(ctx, store) }
	go work()
	worked := false
	defer func() {
		if stop(); !worked {
			<-ended
		}
	}()
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	for {
		var failed error
		select {
		case failed = <-ended:
			worked = true
		case <-tell.C:
			if worked { // a serve has it; should that end, it is for us to go on
				worked = false
				go work()
			}
		case <-ctx.Done():
			return posbooks.Import{}, ctx.Err()
		}
		done, err := o.books.Import(ctx, store, id)
		if err != nil {
			return done, errors.Join(failed, err)
		}
		switch done.State {
		case posbooks.Finished, posbooks.Failed, posbooks.Cancelled:
			return done, nil
		}
		if failed != nil {
			return done, fmt.Errorf("it is tried again by head office: %w", failed)
		}
		if worked {
			reason, err := troubleOf(ctx, o, store, posbooks.WorkImport)
			if err != nil || reason != "" {
				return done, errors.Join(err, fmt.Errorf("it is tried again by head office: %s", reason))
			}
		}
		fmt.Fprintln(told, howFar(done))
	}
}

// howFar says how far an import is, in words.
func howFar(i posbooks.Import) string {
	if i.Goal == 0 {
		return string(i.State)
	}
	if i.State == posbooks.BeingRead {
		return fmt.Sprintf("%s: %d %%", i.State, i.Done*100/i.Goal)
	}
	return fmt.Sprintf("%s: %d of %d days", i.State, i.Done, i.Goal)
}

// troubleOf is why work cannot be done for a store; empty when it can.
func troubleOf(ctx context.Context, o *office, store uuid.UUID, w posbooks.Work) (string, error) {
	all, err := o.books.Troubles(ctx, store)
	if err != nil {
		return "", err
	}
	for _, t := range all {
		if t.Work == w {
			return t.Reason, nil
		}
	}
	return "", nil
}
