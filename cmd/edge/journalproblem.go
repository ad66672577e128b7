package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
)

// journalProblem gives an error of opening or running the journal its code.
func journalProblem(err error) error {
	var (
		corrupt *journal.CorruptError
		missing *journal.MissingError
		foreign *journal.ForeignError
		moved   *journal.MisplacedError
	)
	switch {
	case errors.As(err, &corrupt), errors.As(err, &missing), errors.As(err, &foreign), errors.As(err, &moved):
		return problem.Wrap(problem.JournalDamaged, err, "nothing was changed; save what is proven with: edge export")
	case errors.Is(err, fs.ErrNotExist):
		return problem.Wrap(problem.JournalDamaged, err, "the journal's directory is missing although the terminal is enrolled")
	case errors.Is(err, journal.ErrDiskFull):
		return problem.Wrap(problem.DiskFull, err, "the journal needs space for its next segment")
	case errors.Is(err, journal.ErrLocked):
		return problem.Wrap(problem.CacheLocked, err, "another agent runs on this data directory")
	case errors.Is(err, journal.ErrStopped):
		return problem.Wrap(problem.JournalStopped, err, "a write or sync failed; the agent must be started again")
	}
	return fmt.Errorf("open journal: %w", err)
}
