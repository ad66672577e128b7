package console

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
)

// Figures that are counted of a business date. The unit of money is its currency, that of
// vouchers "voucher".
const (
	FigureSale       = "sale"        // baskets and what they cost
	FigureMemberSale = "member_sale" // those of them with a member
	FigureVoid       = "void"
	FigureReturn     = "return" // returns and what was given back
	FigureEarned     = "earned"
	FigureRedeemed   = "redeemed"
	FigureDiscount   = "discount" // what redemptions took off
)

// Uses is the unit in which uses of vouchers are counted.
const Uses = "voucher"

// Figure is one number of a business date.
type Figure struct {
	Date   entry.Date
	Figure string
	Unit   string
	N      int64
	Amount int64
}

// Journal is one that has entries which are not counted: those after Seq.
type Journal struct {
	Shard    int
	Terminal uuid.UUID
	Epoch    uint32
	Branch   int
	Store    uuid.UUID
	Seq      uint64
}

// Counting is the storage of the figures. Methods join the transaction in ctx.
type Counting interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// Uncounted returns journals that have entries which are not counted.
	Uncounted(ctx context.Context, limit int) ([]Journal, error)
	// EntriesAfter returns the next entries of a journal, and through which one it
	// looked: entries of kinds that count for nothing are left out.
	EntriesAfter(ctx context.Context, j Journal, limit int) (raw [][]byte, through uint64, err error)
	// AddFigures adds to the figures of a journal's terminal and moves the journal to an
	// entry; it is problem.Conflict when somebody else moved it meanwhile.
	AddFigures(ctx context.Context, j Journal, figures []Figure, through uint64) error
}

// How much one round counts.
const (
	journalsARound = 64
	entriesAStep   = 500
)

// Count counts entries that are not counted, as many as one transaction should, and
// returns whether there may be more.
func Count(ctx context.Context, store Counting) (more bool, err error) {
	err = store.InTx(ctx, func(ctx context.Context) error {
		journals, err := store.Uncounted(ctx, journalsARound)
		if err != nil {
			return fmt.Errorf("find what is not counted: %w", err)
		}
		more = len(journals) == journalsARound
		for _, j := range journals {
			raw, through, err := store.EntriesAfter(ctx, j, entriesAStep)
			if err != nil {
				return fmt.Errorf("read entries: %w", err)
			}
			if through == j.Seq {
				continue // none of them is there yet
			}
			more = more || through-j.Seq >= entriesAStep
			if err := store.AddFigures(ctx, j, figuresOf(raw), through); err != nil {
				return fmt.Errorf("add figures: %w", err)
			}
		}
		return nil
	})
	return more, err
}

// mostCounted bounds what one entry adds, so that none of a broken till can make a sum
// too large for its column.
const mostCounted = 1_000_000_000_000

// dates that are counted; a broken clock may say any.
const (
	firstDate entry.Date = 2000_01_01
	lastDate  entry.Date = 2199_12_31
)

// tally adds up figures.
type tally struct {
	at   map[Figure]int
	sums []Figure
}

func (t *tally) add(date entry.Date, figure, unit string, amount int64) {
	const longest = 64
	if len(unit) > longest {
		return
	}
	key := Figure{Date: date, Figure: figure, Unit: unit}
	i, known := t.at[key]
	if !known {
		i = len(t.sums)
		t.at[key] = i
		t.sums = append(t.sums, key)
	}
	t.sums[i].N++
	t.sums[i].Amount += max(-mostCounted, min(mostCounted, amount))
}

// figuresOf adds entries up. One that cannot be read counts for nothing here; ingest has
// quarantined it.
func figuresOf(raw [][]byte) []Figure {
	t := tally{at: map[Figure]int{}}
	for _, bytes := range raw {
		env, err := entry.Decode(bytes)
		if err != nil || env.BusinessDate < firstDate || env.BusinessDate > lastDate {
			continue
		}
		switch env.Kind {
		case entry.KindSale:
			if sale, err := entry.DecodeBody[entry.Sale](env); err == nil {
				t.sale(env.BusinessDate, sale)
			}
		case entry.KindVoid:
			t.add(env.BusinessDate, FigureVoid, "", 0)
		case entry.KindReturn:
			if back, err := entry.DecodeBody[entry.Return](env); err == nil {
				t.add(env.BusinessDate, FigureReturn, back.Refund.Currency, back.Refund.Minor)
			}
		}
	}
	return t.sums
}

// SumsOf adds entries up over all business dates.
func SumsOf(raw [][]byte) []Sum {
	var out []Sum
	for _, f := range figuresOf(raw) {
		i := slices.IndexFunc(out, func(s Sum) bool { return s.Figure == f.Figure && s.Unit == f.Unit })
		if i < 0 {
			i = len(out)
			out = append(out, Sum{Figure: f.Figure, Unit: f.Unit})
		}
		out[i].N, out[i].Amount = out[i].N+f.N, out[i].Amount+f.Amount
	}
	return out
}

func (t *tally) sale(date entry.Date, s entry.Sale) {
	t.add(date, FigureSale, s.Total.Currency, s.Total.Minor)
	if s.Member != uuid.Nil {
		t.add(date, FigureMemberSale, s.Total.Currency, s.Total.Minor)
	}
	for _, e := range s.Earned {
		t.add(date, FigureEarned, e.Unit, e.Amount)
	}
	for _, r := range s.Redeemed {
		unit := r.Unit
		if r.Voucher != uuid.Nil {
			unit = Uses
		}
		t.add(date, FigureRedeemed, unit, r.Amount)
		if r.Discount != 0 {
			t.add(date, FigureDiscount, s.Total.Currency, r.Discount)
		}
	}
}
