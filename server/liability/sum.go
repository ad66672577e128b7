package liability

import (
	"context"
	"fmt"
	"slices"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// NotBegun is the cursor of a shard whose postings have not been summed.
const NotBegun = -1

// Lag is a shard with sets that are not summed. Pos is the last one that is, or NotBegun.
type Lag struct {
	Shard int
	Pos   int64
}

// Set is what one set of the ledger moved: the CBOR of []Row, or ledger.MovesUnknown.
type Set struct {
	Pos   int64
	Moves []byte
}

// sums is the storage of what is summed. All of it stands in one shard, so that a sum and
// its cursor are written together.
type sums interface {
	// Lags lists the shards with sets that are not summed.
	Lags(ctx context.Context) ([]Lag, error)
	// SetsAfter returns sets of a shard behind a position, in order.
	SetsAfter(ctx context.Context, shard int, after int64, limit int) ([]Set, error)
	// Summed moves a cursor, or is problem.Conflict when it is not where it was.
	Summed(ctx context.Context, lag Lag, to int64) error
	// AddMoved adds rows to those with the same key, in their order: always the same one, so
	// that no two writers wait for each other in a circle.
	AddMoved(ctx context.Context, rows []Row) error
	// HoldSets returns the last set of a shard, and lets none be added until the
	// transaction ends.
	HoldSets(ctx context.Context, shard int) (int64, error)
	// EachPosted calls do for each posting of a shard, as a row of its own.
	EachPosted(ctx context.Context, shard int, do func(Row) error) error
	// ForgetSums drops all that is summed, with the cursors.
	ForgetSums(ctx context.Context) error
}

const (
	setsAtOnce   = 500
	shardsAtOnce = 32
)

// Sum adds what has been applied since to the figures. What another process adds at the
// same time counts once.
func (s *Service) Sum(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait for who sums: %w", ctx.Err())
	}
	for {
		lags, err := s.env.Store.Lags(ctx)
		if err != nil {
			return fmt.Errorf("find what is not summed: %w", err)
		}
		if len(lags) == 0 {
			return nil
		}
		for some := range slices.Chunk(lags, shardsAtOnce) {
			if err := s.sumShards(ctx, some); err != nil {
				if problem.CodeOf(err) == problem.Conflict {
					continue // another process was faster
				}
				return fmt.Errorf("sum what moved: %w", err)
			}
		}
	}
}

func (s *Service) sumShards(ctx context.Context, lags []Lag) error {
	moved := ledger.MovedSums{}
	var to []int64
	var from []Lag
	for _, lag := range lags {
		if lag.Pos == NotBegun {
			if err := s.begin(ctx, lag.Shard); err != nil {
				return err
			}
			continue
		}
		sets, err := s.env.Store.SetsAfter(ctx, lag.Shard, lag.Pos, setsAtOnce)
		if err != nil {
			return err
		}
		for _, set := range sets {
			if string(set.Moves) == ledger.MovesUnknown {
				return s.Again(ctx) // a program of an earlier release applied it
			}
			rows, err := wire.Unmarshal[[]Row](set.Moves)
			if err != nil {
				return fmt.Errorf("set %d of shard %d: %w", set.Pos, lag.Shard, err)
			}
			moved.Add(rows...)
		}
		if len(sets) > 0 {
			from, to = append(from, lag), append(to, sets[len(sets)-1].Pos)
		}
	}
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		for i, lag := range from {
			if err := s.env.Store.Summed(ctx, lag, to[i]); err != nil {
				return err
			}
		}
		return s.env.Store.AddMoved(ctx, moved.Rows())
	})
}

// begin sums all postings that a shard has. Nothing is applied in it meanwhile.
func (s *Service) begin(ctx context.Context, in int) error {
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		last, err := s.env.Store.HoldSets(ctx, in)
		if err != nil {
			return err
		}
		moved := ledger.MovedSums{}
		err = s.env.Store.EachPosted(ctx, in, func(r Row) error {
			moved.Add(r)
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.env.Store.Summed(ctx, Lag{in, NotBegun}, last); err != nil {
			return err
		}
		return s.env.Store.AddMoved(ctx, moved.Rows())
	})
}

// Again drops the figures; they are summed again from the postings.
func (s *Service) Again(ctx context.Context) error {
	if err := s.env.Store.ForgetSums(ctx); err != nil {
		return fmt.Errorf("forget what is summed: %w", err)
	}
	return nil
}

// Difference is a row of which the figures say something else than the postings.
type Difference struct {
	Row    Row   // Amount and N are those of the postings
	Summed int64 // the amount of the figures
	Of     int64 // postings, by the figures
}

// Checked is what Check compared, and what it found.
type Checked struct {
	Postings, Rows int64
	Differences    []Difference
}

// Check sums all postings once more and compares. Nothing may be applied meanwhile.
func (s *Service) Check(ctx context.Context) (out Checked, err error) {
	if err := s.Sum(ctx); err != nil {
		return Checked{}, err
	}
	posted, summed := ledger.MovedSums{}, ledger.MovedSums{}
	for in := range shard.Count {
		err := s.env.Store.EachPosted(ctx, in, func(r Row) error {
			posted.Add(r)
			out.Postings++
			return nil
		})
		if err != nil {
			return Checked{}, fmt.Errorf("read postings: %w", err)
		}
	}
	units, err := s.env.Store.MovedUnits(ctx)
	if err != nil {
		return Checked{}, fmt.Errorf("list units: %w", err)
	}
	for _, unit := range units {
		if err := s.each(ctx, unit, always, func(r Row) { summed.Add(r) }); err != nil {
			return Checked{}, err
		}
	}
	out.Rows, out.Differences = int64(len(summed)), differences(posted, summed)
	return out, nil
}

// always is behind every day.
const always Day = 1<<31 - 1

// differences names where the figures say something else than the postings.
func differences(posted, summed ledger.MovedSums) []Difference {
	var out []Difference
	for _, r := range posted.Rows() {
		if other := summed[r.Key()]; other.Amount != r.Amount || other.N != r.N {
			out = append(out, Difference{r, other.Amount, other.N})
		}
	}
	for _, r := range summed.Rows() {
		if _, there := posted[r.Key()]; !there {
			out = append(out, Difference{r.Key(), r.Amount, r.N})
		}
	}
	return out
}
