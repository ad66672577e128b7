package ledger

import (
	"cmp"
	"slices"
	"time"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
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

// movedKey is what makes movements one.
type movedKey struct {
	recorded, effective, issued, expires int32
	unit                                 string
	kind                                 entry.Kind
	from, to                             loyalty.Book
}

// moved sums the postings of the set by shard, as CBOR of []Moved in one order.
func (s *set) moved() (map[int][]byte, error) {
	terms := map[loyalty.ID][2]int32{}
	for _, a := range s.accounts {
		for _, h := range a.holdings {
			for i := range h.Lots {
				issued, expires := Term(h.Lots[i])
				terms[h.Lots[i].ID] = [2]int32{issued, expires}
			}
		}
	}
	for id, lot := range s.gone {
		if _, here := terms[id]; !here {
			issued, expires := Term(lot)
			terms[id] = [2]int32{issued, expires}
		}
	}
	sums := map[int]map[movedKey]*Moved{}
	for _, p := range s.postings {
		term := terms[loyalty.ID(p.Lot)]
		k := movedKey{DayOf(p.RecordedAt), DayOf(p.EffectiveAt), term[0], term[1], CountedUnit(p.Unit), s.kinds[p.subject()], p.From, p.To}
		if sums[p.Shard] == nil {
			sums[p.Shard] = map[movedKey]*Moved{}
		}
		m := sums[p.Shard][k]
		if m == nil {
			m = &Moved{Recorded: k.recorded, Effective: k.effective, Unit: k.unit, Issued: k.issued, Expires: k.expires, Kind: k.kind, From: k.from, To: k.to}
			sums[p.Shard][k] = m
		}
		m.Amount, m.N = m.Amount+p.Amount, m.N+1
	}
	out := map[int][]byte{}
	for in, of := range sums {
		list := make([]Moved, 0, len(of))
		for _, m := range of {
			list = append(list, *m)
		}
		slices.SortFunc(list, compareMoved)
		raw, err := wire.Marshal(list)
		if err != nil {
			return nil, err
		}
		out[in] = raw
	}
	return out, nil
}

func compareMoved(a, b Moved) int {
	return cmp.Or(
		cmp.Compare(a.Recorded, b.Recorded), cmp.Compare(a.Effective, b.Effective), cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.Issued, b.Issued),
		cmp.Compare(a.Expires, b.Expires), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To),
	)
}

// nothingMoved is the CBOR of no movements.
var nothingMoved = []byte{0x80}

// knows notes what kinds of facts have been folded.
func (s *set) knows(kinds map[journal.Hash]entry.Kind) {
	for source, kind := range kinds {
		s.kinds[source] = kind
	}
}
