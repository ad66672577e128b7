package liability

import (
	"cmp"
	"context"
	"fmt"
	"maps"
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
	// AddMoved adds rows to those with the same key.
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
	s.turn.Lock()
	defer s.turn.Unlock()
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
	moved := newTotal()
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
			moved.add(rows...)
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
		return s.env.Store.AddMoved(ctx, moved.rows())
	})
}

// begin sums all postings that a shard has. Nothing is applied in it meanwhile.
func (s *Service) begin(ctx context.Context, in int) error {
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		last, err := s.env.Store.HoldSets(ctx, in)
		if err != nil {
			return err
		}
		moved := newTotal()
		err = s.env.Store.EachPosted(ctx, in, func(r Row) error {
			moved.add(r)
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.env.Store.Summed(ctx, Lag{in, NotBegun}, last); err != nil {
			return err
		}
		return s.env.Store.AddMoved(ctx, moved.rows())
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
	Row    Row // Amount and N are those of the postings
	Summed int64
}

// Check sums all postings once more and compares. Nothing may be applied meanwhile.
func (s *Service) Check(ctx context.Context) ([]Difference, error) {
	if err := s.Sum(ctx); err != nil {
		return nil, err
	}
	posted, summed := newTotal(), newTotal()
	for in := range shard.Count {
		err := s.env.Store.EachPosted(ctx, in, func(r Row) error {
			posted.add(r)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read postings: %w", err)
		}
	}
	units, err := s.env.Store.MovedUnits(ctx)
	if err != nil {
		return nil, fmt.Errorf("list units: %w", err)
	}
	for _, unit := range units {
		if err := s.each(ctx, unit, always, func(r Row) { summed.add(r) }); err != nil {
			return nil, err
		}
	}
	return posted.against(summed), nil
}

// always is behind every day.
const always Day = 1<<31 - 1

// total sums rows with the same key.
type total struct{ by map[Row]*Row }

func newTotal() *total { return &total{map[Row]*Row{}} }

func (t *total) add(rows ...Row) {
	for _, r := range rows {
		key := r
		key.Amount, key.N = 0, 0
		if t.by[key] == nil {
			t.by[key] = &Row{Recorded: r.Recorded, Effective: r.Effective, Unit: r.Unit, Issued: r.Issued, Expires: r.Expires, Kind: r.Kind, From: r.From, To: r.To}
		}
		t.by[key].Amount += r.Amount
		t.by[key].N += r.N
	}
}

// rows are the sums in one order, so that two writers never wait in a circle.
func (t *total) rows() []Row {
	out := make([]Row, 0, len(t.by))
	for _, key := range slices.SortedFunc(maps.Keys(t.by), compareRows) {
		out = append(out, *t.by[key])
	}
	return out
}

func compareRows(a, b Row) int {
	return cmp.Or(
		cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Recorded, b.Recorded), cmp.Compare(a.Effective, b.Effective), cmp.Compare(a.Issued, b.Issued),
		cmp.Compare(a.Expires, b.Expires), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
	)
}

// against names where another total says something else.
func (t *total) against(o *total) []Difference {
	var out []Difference
	for _, r := range t.rows() {
		key := r
		key.Amount, key.N = 0, 0
		other := Row{}
		if o.by[key] != nil {
			other = *o.by[key]
		}
		if other.Amount != r.Amount || other.N != r.N {
			out = append(out, Difference{r, other.Amount})
		}
	}
	for _, r := range o.rows() {
		key := r
		key.Amount, key.N = 0, 0
		if t.by[key] == nil {
			none := key
			out = append(out, Difference{none, r.Amount})
		}
	}
	return out
}
