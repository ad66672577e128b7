package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/store"
)

type rebuildCommand struct {
	Into string `help:"Empty database to rebuild the ledger in (sqlite:PATH or postgres://…), kept afterwards. Default: one in a temporary folder, removed." env:"TALLYSTICK_HQ_REBUILD_INTO"`
}

// shownDifferences is how many differences are printed.
const shownDifferences = 100

// Run replays the journals of terminals and HQ in the recorded order into an empty
// ledger and compares the two row for row. A difference is exit code 1. Run it while nothing is being
// applied.
func (r rebuildCommand) Run(ctx context.Context, s *surroundings) (err error) {
	live, err := openOffice(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = live.close(err) }()
	into := r.Into
	if into == "" {
		dir, err := os.MkdirTemp("", "tallystick-rebuild-")
		if err != nil {
			return fmt.Errorf("rebuild: %w", err)
		}
		defer os.RemoveAll(dir)
		into = "sqlite:" + filepath.Join(dir, "hq.db")
	}
	other, err := store.Open(ctx, into, s.cli.options())
	if err != nil {
		return err
	}
	liable, err := s.cli.liable()
	if err != nil {
		return errors.Join(err, other.Close())
	}
	rebuilt, err := assemble(other, live.secrets, tuning{liable: liable})
	if err != nil {
		return errors.Join(err, other.Close())
	}
	defer func() { err = rebuilt.close(err) }()
	return rebuild(ctx, live, rebuilt, s.stdout)
}

// rebuild fills an empty HQ from the journals of another and prints what differs.
func rebuild(ctx context.Context, live, rebuilt *office, out io.Writer) error {
	status, err := live.ledger.Status(ctx)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if status.Accepted > 0 {
		return fmt.Errorf("rebuild: %d entries are not applied yet; run it when they are", status.Accepted)
	}
	if err := rebuilt.db.Migrate(ctx); err != nil {
		return err
	}
	if n, err := rebuilt.db.CountPeople(ctx); err != nil || n > 0 {
		return errors.Join(err, errors.New("rebuild: the database to rebuild in is not empty"))
	}
	if err := live.db.CopyLog(ctx, rebuilt.db); err != nil {
		return err
	}
	done, err := rebuilt.ledger.Replay(ctx, live.db)
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	if done.Unordered > 0 {
		_, err := fmt.Fprintf(out, "NOTE  an earlier release applied %d facts without noting their order: postings are compared by what they add up to, exceptions not\n", done.Unordered)
		if err != nil {
			return err
		}
	}
	if _, err := rebuilt.settlement.Follow(ctx); err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	differences := 0
	tell := func(d store.Difference) error {
		if differences++; differences > shownDifferences {
			return nil
		}
		only := "only before"
		if d.Extra {
			only = "only rebuilt"
		}
		_, err := fmt.Fprintf(out, "DIFFERS  %s, shard %d, %s: %s\n", d.Table, d.Shard, only, d.Row)
		return err
	}
	same, err := live.db.Compare(ctx, rebuilt.db, done.Unordered == 0, tell)
	if err == nil && done.Unordered == 0 {
		var moves int64
		moves, err = live.db.CompareSettlement(ctx, rebuilt.db, tell)
		same += moves
	}
	if err == nil {
		var cases int64
		cases, err = rebuildCases(ctx, live, rebuilt, tell)
		same += cases
	}
	if err != nil {
		return fmt.Errorf("rebuild: %w", err)
	}
	_, err = fmt.Fprintf(out, "replayed %d facts in their recorded order: %d rows are the same, %d differ\n", done.Facts, same, differences)
	if err == nil && differences > 0 {
		return errReported
	}
	return err
}

// rebuildCases does the work on exceptions again from HQ's journal, as far as it tells it,
// and compares.
func rebuildCases(ctx context.Context, live, rebuilt *office, tell func(store.Difference) error) (int64, error) {
	_, unworded, err := casework.Rebuild(ctx, rebuilt.db)
	if err != nil {
		return 0, err
	}
	for _, id := range unworded {
		row := "exception=" + id.String() + ": its notes do not have the words that HQ's journal commits to"
		if err := tell(store.Difference{Table: "exception_notes", Row: row}); err != nil {
			return 0, err
		}
	}
	return live.db.CompareCases(ctx, rebuilt.db, tell)
}
