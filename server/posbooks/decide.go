package posbooks

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// MaxReason is how long the reason of a decision is at most, in characters, and mostIDs how
// many results one names.
const (
	MaxReason = 500
	mostIDs   = 1000
)

// lastDay is behind all days.
const lastDay = entry.Date(99991231)

// check notes what is wrong with a filter, and completes it.
func (f *Filter) check(wrong map[string]string) {
	if n := len(f.IDs); n > mostIDs || n == 0 && f.IDs != nil { // none of them is not all of them
		wrong["/ids"] = fmt.Sprintf("must be 1 to %d", mostIDs)
	}
	switch f.Outcome {
	case "", MissingHere, MissingThere, Different:
	default:
		wrong["/outcome"] = "must be missing_here, missing_there or different"
	}
	if f.To == 0 {
		f.To = lastDay
	}
}

// WouldDecide counts the results that Decide would change.
func (s *Service) WouldDecide(ctx context.Context, f Filter, settle bool) (int64, error) {
	wrong := map[string]string{}
	f.check(wrong)
	if err := refused(wrong); err != nil {
		return 0, err
	}
	if _, err := s.env.Fleet.Store(ctx, f.Store); err != nil {
		return 0, err
	}
	return s.env.Store.CountPosResults(ctx, f, settle)
}

// Decide settles the results that a filter finds, or opens them again, for a reason in
// words. What matches is never decided about. It returns the decision with how many
// results it changed.
func (s *Service) Decide(ctx context.Context, by Person, f Filter, settle bool, reason string) (Decision, error) {
	wrong := map[string]string{}
	reason = strings.TrimSpace(reason)
	control := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	if n := utf8.RuneCountInString(reason); n < 1 || n > MaxReason || !utf8.ValidString(reason) || strings.ContainsFunc(reason, control) {
		wrong["/reason"] = fmt.Sprintf("must have 1 to %d characters", MaxReason)
	}
	f.check(wrong)
	if err := refused(wrong); err != nil {
		return Decision{}, err
	}
	if _, err := s.env.Fleet.Store(ctx, f.Store); err != nil {
		return Decision{}, err
	}
	d := Decision{ID: s.env.NewID(), Store: f.Store, At: s.now(), By: by, Settled: settle, Reason: reason, Filter: f}
	err := s.env.Store.InTx(ctx, func(ctx context.Context) (err error) {
		d.Results, err = s.env.Store.DecidePosResults(ctx, d)
		return err
	})
	if err != nil {
		return Decision{}, fmt.Errorf("decide about results: %w", err)
	}
	return d, nil
}

// Days lists what matching the days of a store came to, by date.
func (s *Service) Days(ctx context.Context, store uuid.UUID, from, to entry.Date) ([]Day, error) {
	return s.env.Store.PosDays(ctx, store, from, to)
}

// Differing lists stores of which days of a span have results that nobody has settled.
func (s *Service) Differing(ctx context.Context, from, to entry.Date) ([]uuid.UUID, error) {
	return s.env.Store.DifferingStores(ctx, from, to)
}

// Again has days of a store that have books be matched again, soon, whatever failed before.
func (s *Service) Again(ctx context.Context, store uuid.UUID, from, to entry.Date) error {
	days, err := s.env.Store.PosDays(ctx, store, from, to)
	if err != nil {
		return fmt.Errorf("match again: %w", err)
	}
	dates := make([]entry.Date, len(days))
	for i, d := range days {
		dates[i] = d.Date
	}
	if err := s.env.Store.MarkPosDays(ctx, store, dates, true); err != nil {
		return fmt.Errorf("match again: %w", err)
	}
	return s.again(ctx, store, WorkMatch)
}
