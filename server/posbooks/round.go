package posbooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// abandoned is after how long an import that nobody goes on with is begun anew.
const abandoned = 30 * time.Second

// forget is after how long an upload that nobody went on with is forgotten.
const forget = 24 * time.Hour

// Round does what people wait for: it reads and takes in imports, and matches days. Of two
// processes that do so at once one takes an import; both may match a day. What fails for a
// store is put off (Trouble) and holds no other store up; it is in the error that comes
// behind the others' work.
func (s *Service) Round(ctx context.Context) error { return s.roundOf(ctx, uuid.Nil) }

// RoundOf does what Round does for one store.
func (s *Service) RoundOf(ctx context.Context, store uuid.UUID) error { return s.roundOf(ctx, store) }

func (s *Service) roundOf(ctx context.Context, only uuid.UUID) error {
	r, err := s.newRound(ctx, only)
	if err != nil {
		return err
	}
	if only == uuid.Nil {
		if err := s.forgetStale(ctx); err != nil {
			r.failed = append(r.failed, err)
		}
	}
	if err := r.imports(ctx); err != nil {
		return err
	}
	if err := r.matchDirty(ctx); err != nil {
		return err
	}
	return errors.Join(r.failed...)
}

// imports brings imports to their ends.
func (r *round) imports(ctx context.Context) error {
	for {
		i, err := r.env.Store.NextPosImport(ctx, r.which(WorkImport), r.now().Add(-abandoned))
		if problem.CodeOf(err) == problem.NotFound {
			return nil
		}
		if err != nil {
			return fmt.Errorf("find the next import: %w", err)
		}
		err = r.work(ctx, i)
		if problem.CodeOf(err) == problem.Conflict {
			continue // another process has it
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", i.Name, err)
		}
		if err := r.did(ctx, i.Store, WorkImport, err); err != nil {
			return err
		}
	}
}

func (s *Service) forgetStale(ctx context.Context) error {
	stale, err := s.env.Store.StalePosImports(ctx, Arriving, s.now().Add(-forget), 100)
	if err != nil {
		return fmt.Errorf("find uploads that nobody went on with: %w", err)
	}
	var failed []error
	for _, i := range stale {
		if _, err := s.Cancel(ctx, i.Store, i.ID); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// work brings an import to its end. When its days cannot be matched they are matched later:
// its rows count all the same.
func (r *round) work(ctx context.Context, i Import) error {
	if i.Stop && (i.State == Queued || i.State == BeingRead) {
		_, err := r.Cancel(ctx, i.Store, i.ID)
		return err
	}
	if i.State == Queued || i.State == BeingRead {
		if err := r.readImport(ctx, &i); err != nil || i.State != Taking {
			return err
		}
	}
	if i.State == Taking {
		if err := r.takeImport(ctx, &i); err != nil {
			return err
		}
	}
	if !r.waits(stint{i.Store, WorkMatch}) {
		if err := r.did(ctx, i.Store, WorkMatch, r.matchFor(ctx, &i)); err != nil {
			return err
		}
	}
	i.State = Finished
	return r.put(ctx, &i)
}

// matchFor matches the days that wait in the store of an import, and notes how far it is.
func (s *Service) matchFor(ctx context.Context, i *Import) error {
	_, days, err := s.env.Store.DirtyPosDays(ctx, Which{Only: i.Store}, MostDays)
	if err != nil {
		return fmt.Errorf("find days to match: %w", err)
	}
	i.Done, i.Goal = 0, int64(len(days))
	if err := s.put(ctx, i); err != nil {
		return err
	}
	return s.matchDays(ctx, i.Store, days, func(done int) error {
		i.Done = int64(done)
		_, err := s.env.Store.PosProgress(ctx, i.Store, i.ID, i.Done, s.now())
		return err
	})
}

// errStopped ends the reading of an import that somebody cancelled.
var errStopped = errors.New("the import was cancelled")

// readImport reads the rows of an import. It begins anew when it was interrupted.
func (s *Service) readImport(ctx context.Context, i *Import) error {
	i.State, i.Done, i.Goal = BeingRead, 0, i.Size
	if err := s.put(ctx, i); err != nil {
		return err // also when another process has taken it
	}
	place, err := s.place(ctx, i.Store)
	if err != nil {
		return err
	}
	if i.Digest, i.Bytes, err = s.digest(ctx, *i); err != nil {
		return err
	}
	same, err := s.env.Store.SamePosImport(ctx, i.Store, i.Digest)
	if err == nil {
		i.Same, i.State = same, Finished
		return s.end(ctx, i)
	}
	if problem.CodeOf(err) != problem.NotFound {
		return err
	}
	if err := s.env.Store.DropPosRows(ctx, i.Store, i.ID); err != nil {
		return err
	}
	k := keeper{ctx: ctx, s: s, of: *i, in: &parts{ctx: ctx, s: s, of: *i}, days: map[entry.Date]int{}}
	sum, err := Reading{Rules: i.Rules, Place: place, Now: s.now()}.Read(ctx, k.in, Into{Row: k.row, Bad: k.bad})
	if err == nil {
		err = k.flush()
	}
	i.Summary, i.Summary.Rows, i.Summary.Bad = sum, sum.Rows-k.over, sum.Bad+k.over
	switch {
	case errors.Is(err, errStopped):
		i.State = Cancelled
	case AsUnreadable(err) != nil:
		i.State, i.Reason, i.Code = Failed, AsUnreadable(err).Error(), problem.FileUnreadable
	case err != nil:
		return err
	default:
		if err := s.admit(ctx, i); err != nil {
			return err
		}
	}
	if i.State != Taking {
		if err := s.env.Store.DropPosRows(ctx, i.Store, i.ID); err != nil {
			return err
		}
	}
	return s.end(ctx, i)
}

// admit has an import go on to be taken in, unless a day would have more rows than can be
// matched: then nothing of it counts.
func (s *Service) admit(ctx context.Context, i *Import) error {
	day, rows, err := s.env.Store.FullPosDay(ctx, *i, s.standing())
	if err != nil {
		return fmt.Errorf("count rows of days: %w", err)
	}
	if i.State = Taking; day != 0 {
		i.State, i.Code = Failed, problem.DayTooFull
		i.Reason = fmt.Sprintf("with this file there would be %d rows of %s, and there can be %d of a day", rows, day, s.standing())
	}
	return nil
}

// end forgets the bytes of a file that was read.
func (s *Service) end(ctx context.Context, i *Import) error {
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		at := *i
		if err := s.env.Store.DropPosParts(ctx, i.Store, i.ID); err != nil {
			return err
		}
		if err := s.put(ctx, &at); err != nil {
			return err
		}
		*i = at
		return nil
	})
}

// digest is that of a file and the rules it is read by, and that of the file alone.
func (s *Service) digest(ctx context.Context, i Import) (both, alone string, err error) {
	rules, err := json.Marshal(i.Rules)
	if err != nil {
		return "", "", fmt.Errorf("write rules: %w", err)
	}
	all, file := sha256.New(), sha256.New()
	all.Write(rules)
	if _, err := io.Copy(io.MultiWriter(all, file), &parts{ctx: ctx, s: s, of: i}); err != nil {
		return "", "", fmt.Errorf("add up file: %w", err)
	}
	return hex.EncodeToString(all.Sum(nil)), hex.EncodeToString(file.Sum(nil)), nil
}

// keeper keeps what is read, some rows at a time.
type keeper struct {
	ctx  context.Context
	s    *Service
	of   Import
	in   *parts
	days map[entry.Date]int
	n    int64 // rows so far
	rows []Kept
	bads []Bad
	kept int64 // bad rows so far
	over int64 // rows that no day or file has room for
}

// atOnce is how many rows are kept in one transaction.
const atOnce = 2000

func (k *keeper) row(r Row) error {
	if k.days[r.Day]++; k.days[r.Day] > k.s.ofDay {
		k.over++
		return k.bad(Bad{r.Line, fmt.Sprintf("a day has more than %d rows", k.s.ofDay), r.Receipt})
	}
	if len(k.days) > MostDays {
		delete(k.days, r.Day)
		k.over++
		return k.bad(Bad{r.Line, fmt.Sprintf("the file goes over more than %d days", MostDays), r.Receipt})
	}
	k.n++
	k.rows = append(k.rows, Kept{Row: r, Import: k.of.ID, N: k.n})
	return k.full()
}

func (k *keeper) bad(b Bad) error {
	if k.kept+int64(len(k.bads)) < mostBad {
		k.bads = append(k.bads, b)
	}
	return k.full()
}

func (k *keeper) full() error {
	if len(k.rows)+len(k.bads) < atOnce {
		return nil
	}
	return k.flush()
}

func (k *keeper) flush() error {
	store := k.s.env.Store
	err := store.InTx(k.ctx, func(ctx context.Context) error {
		if err := store.AddPosRows(ctx, k.of.Store, k.rows); err != nil {
			return err
		}
		if err := store.AddPosBad(ctx, k.of.Store, k.of.ID, k.kept, k.bads); err != nil {
			return err
		}
		stop, err := store.PosProgress(ctx, k.of.Store, k.of.ID, k.in.read, k.s.now())
		if err == nil && stop {
			return errStopped
		}
		return err
	})
	k.kept += int64(len(k.bads))
	k.rows, k.bads = k.rows[:0], k.bads[:0]
	return err
}

// makeRoom forgets what the same file said by other rules: of which lane and day a row is may
// have changed, so it would stand there twice.
func (s *Service) makeRoom(ctx context.Context, i *Import) error {
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		days, gone, err := s.env.Store.DropSamePosRows(ctx, *i)
		if err != nil || gone == 0 {
			return err
		}
		for _, day := range days {
			if err := s.env.Store.MarkPosDays(ctx, i.Store, append(neighbours(day), day), true); err != nil {
				return err
			}
		}
		at := *i
		at.Replaced += gone
		if err := s.put(ctx, &at); err != nil {
			return err
		}
		*i = at
		return nil
	})
}

// takeImport has the rows of an import count, day by day, and what was matched with those
// days be matched again.
func (s *Service) takeImport(ctx context.Context, i *Import) error {
	days, err := s.env.Store.PosRowDays(ctx, i.Store, i.ID)
	if err != nil {
		return err
	}
	i.Done, i.Goal = 0, int64(len(days))
	if err := s.begunSeeing(ctx, i.Store); err != nil {
		return err
	}
	if err := s.makeRoom(ctx, i); err != nil {
		return fmt.Errorf("make room: %w", err)
	}
	for n, day := range days {
		err := s.env.Store.InTx(ctx, func(ctx context.Context) error {
			replaced, err := s.env.Store.TakePosRows(ctx, i.Store, i.ID, day)
			if err != nil {
				return err
			}
			if err := s.env.Store.MarkPosDays(ctx, i.Store, []entry.Date{day}, false); err != nil {
				return err
			}
			if err := s.env.Store.MarkPosDays(ctx, i.Store, neighbours(day), true); err != nil {
				return err
			}
			at := *i
			at.Replaced, at.Done = at.Replaced+replaced, int64(n+1)
			if err := s.put(ctx, &at); err != nil {
				return err
			}
			*i = at
			return nil
		})
		if err != nil {
			return fmt.Errorf("take day %s: %w", day, err)
		}
	}
	i.State, i.Done, i.Goal = Matching, 0, 0
	return s.put(ctx, i)
}
