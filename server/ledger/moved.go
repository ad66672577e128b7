package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Months of lots that are no month.
const (
	NoLot   int32 = 0  // what moved is of no lot
	Never   int32 = -1 // it does not expire
	Rolling int32 = -2 // it expires when the account has been still for long enough
)

// Moved is what the facts of one set moved between two books, as far as lots of the same
// months go. Recorded and Effective are days since 1970 in UTC. Issued and Expires are
// months, see [MonthOf]: of the lot's earning, and the last one in which it is good. Kind
// is that of the fact whose effect it is: of a correction, the one it corrects.
type Moved struct {
	_         struct{} `cbor:",toarray"`
	Recorded  int32
	Effective int32
	Unit      string
	Issued    int32
	Expires   int32
	Kind      entry.Kind
	From, To  loyalty.Book
	Amount    int64
	N         int64 // postings
}

// MovesUnknown stands with sets of a release that did not note what they moved.
const MovesUnknown = ""

// latest is the end of the year 9999; what entries say may lie behind it.
const latest = 253402300799999

// DayOf is the day of a time in Unix milliseconds.
func DayOf(at int64) int32 { return int32(min(max(at, 0), latest) / (24 * time.Hour).Milliseconds()) }

// MonthOf counts months from the beginning of our era: twelve times the year, and the
// months of it that have passed.
func MonthOf(at int64) int32 {
	t := time.UnixMilli(min(max(at, 0), latest)).UTC()
	return int32(t.Year())*12 + int32(t.Month()) - 1
}

// Term is the month in which a lot was earned, and the last in which it is good.
func Term(l loyalty.Lot) (issued, expires int32) {
	switch {
	case l.RollDays > 0:
		expires = Rolling
	case l.ExpiresAt == 0:
		expires = Never
	default:
		expires = MonthOf(l.ExpiresAt - 1)
	}
	return MonthOf(l.EarnedAt), expires
}

// CountedUnit is the unit under which an amount is summed: each voucher has a unit of its
// own, and all of them are one.
func CountedUnit(unit string) string {
	if !pointsUnit(unit) {
		return Uses
	}
	return unit
}

// Uses is the unit of all vouchers' uses together.
const Uses = "uses"

// Key is a row without what is counted: rows of one key make one.
func (m Moved) Key() Moved {
	m.Amount, m.N = 0, 0
	return m
}

// MovedSums adds up rows, by their keys.
type MovedSums map[Moved]Moved

// Add counts rows.
func (s MovedSums) Add(rows ...Moved) {
	for _, r := range rows {
		key := r.Key()
		sum := s[key]
		r.Amount, r.N = r.Amount+sum.Amount, r.N+sum.N
		s[key] = r
	}
}

// Rows are the sums, always in the same order.
func (s MovedSums) Rows() []Moved { return slices.SortedFunc(maps.Values(s), compareMoved) }

func compareMoved(a, b Moved) int {
	return cmp.Or(
		cmp.Compare(a.Recorded, b.Recorded), cmp.Compare(a.Effective, b.Effective), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Issued, b.Issued),
		cmp.Compare(a.Expires, b.Expires), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
	)
}

// moved sums the postings of the set by shard, as CBOR of []Moved in one order.
func (s *set) moved() (map[int][]byte, error) {
	terms := map[loyalty.ID][2]int32{}
	note := func(lot loyalty.Lot) {
		issued, expires := Term(lot)
		terms[lot.ID] = [2]int32{issued, expires}
	}
	for _, lot := range s.gone {
		note(lot)
	}
	for _, a := range s.accounts {
		for _, h := range a.holdings {
			for _, lot := range h.Lots {
				note(lot)
			}
		}
	}
	sums := map[int]MovedSums{}
	for _, p := range s.postings {
		if sums[p.Shard] == nil {
			sums[p.Shard] = MovedSums{}
		}
		term := terms[loyalty.ID(p.Lot)]
		sums[p.Shard].Add(Moved{
			Recorded: DayOf(p.RecordedAt), Effective: DayOf(p.EffectiveAt), Unit: CountedUnit(p.Unit), Issued: term[0], Expires: term[1],
			Kind: s.kinds[p.subject()], From: p.From, To: p.To, Amount: p.Amount, N: 1,
		})
	}
	out := make(map[int][]byte, len(sums))
	for in, of := range sums {
		raw, err := wire.Marshal(of.Rows())
		if err != nil {
			return nil, err
		}
		out[in] = raw
	}
	return out, nil
}

// nothingMoved is the CBOR of no movements.
var nothingMoved = []byte{0x80}
