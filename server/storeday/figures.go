package storeday

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// counted is one entry of a span, in the order of the journal. Sale is that of a void, nil
// when HQ does not hold it.
type counted struct {
	Seq  uint64
	Hash journal.Hash
	Deed deed
	Sale *entry.Sale
	// Nothing: a person let it count for nothing.
	Nothing bool
}

// tally adds up the entries of a day's lanes by business date, and what each close should
// have said of its range.
type tally struct {
	date    entry.Date // of the day
	byDate  map[entry.Date]*daybook.Figures
	counts  map[entry.Date]uint64
	closes  []checked
	nothing daybook.Figures // of entries that count for nothing

	lane  journal.Writer
	since *daybook.Figures // the entries of the lane behind its last close
	first uint64           // where they begin
	last  journal.Hash     // of the entry before the one being added
	whole bool             // whether they are all of the range that the next close speaks of
}

// checked is a close and what HQ finds in its range.
type checked struct {
	lane journal.Writer
	seq  uint64
	hash journal.Hash
	said entry.DayClose
	ours entry.DayClose
}

// newTally begins a day, which has figures even when nothing was done.
func newTally(date entry.Date) *tally {
	return &tally{date: date, byDate: map[entry.Date]*daybook.Figures{date: {}}, counts: map[entry.Date]uint64{}}
}

// begin goes on with a lane from an entry on. whole says that a close stands before it, or
// nothing.
func (t *tally) begin(lane journal.Writer, first uint64, whole bool) {
	t.lane, t.since, t.first, t.whole, t.last = lane, &daybook.Figures{}, first, whole, journal.Hash{}
}

// add counts one entry of the lane. One that cannot be read is an exception of its own and
// counts for nothing here.
func (t *tally) add(r counted) {
	defer func() { t.last = r.Hash }()
	e := r.Deed
	if !e.ok {
		return
	}
	if e.Kind == entry.KindDayClose {
		t.close(r, e.Entry)
		return
	}
	at := e.BusinessDate
	if !daybook.Trades(e.Kind) || !at.Valid() {
		at = t.date // what a terminal notes for itself opens no day
	}
	count(t.since, e, r.Sale)
	if r.Nothing {
		count(&t.nothing, e, r.Sale)
		return
	}
	if t.byDate[at] == nil {
		t.byDate[at] = &daybook.Figures{}
	}
	t.counts[at]++
	count(t.byDate[at], e, r.Sale)
}

// close ends the range that a close speaks of.
func (t *tally) close(r counted, e entry.Entry) {
	said, err := entry.DecodeBody[entry.DayClose](e)
	if err != nil || said.Check() != nil {
		return // an exception of its own; the next close speaks of a longer range
	}
	if t.whole {
		ours := entry.DayClose{Date: said.Date, First: t.first, Last: r.Seq - 1}
		if ours.Last >= ours.First {
			ours.Head = slices.Clone(t.last[:])
		}
		t.since.Fill(&ours)
		t.closes = append(t.closes, checked{t.lane, r.Seq, r.Hash, said, ours})
	}
	t.since, t.first, t.whole = &daybook.Figures{}, r.Seq+1, true
}

// figures are what all lanes add up to, by date.
func (t *tally) figures() (out []Figures) {
	for _, date := range slices.Sorted(maps.Keys(t.byDate)) {
		out = append(out, figuresOf(date, t.counts[date], filled(t.byDate[date])))
	}
	return out
}

func filled(f *daybook.Figures) (c entry.DayClose) {
	f.Fill(&c)
	return c
}

func count(f *daybook.Figures, e deed, sale *entry.Sale) {
	f.Count(e.Kind)
	switch {
	case e.sale != nil:
		f.Sale(*e.sale)
	case e.void != nil && sale != nil:
		f.Void(*e.void, *sale)
	case e.back != nil:
		f.Return(*e.back)
	}
}

// Difference is a figure that a terminal said otherwise than HQ finds it.
type Difference struct {
	Writer journal.Writer
	Seq    uint64 // of the close
	Close  journal.Hash
	Date   entry.Date
	Figure string // range, head, kinds, money, amounts, cashiers or claims
	Said   string
	Found  string
}

// figure is one that a close says, as it can be compared and as it is told.
type figure struct {
	name string
	of   func(c entry.DayClose) (value any, told string)
}

var compared = []figure{
	{"range", func(c entry.DayClose) (any, string) { return [2]uint64{c.First, c.Last}, toldRange(c) }},
	{"head", func(c entry.DayClose) (any, string) { return c.Head, toldHead(c) }},
	{"kinds", func(c entry.DayClose) (any, string) { return c.Kinds, told(c.Kinds, toldKind) }},
	{"money", func(c entry.DayClose) (any, string) { return c.Money, told(c.Money, toldMoney) }},
	{"amounts", func(c entry.DayClose) (any, string) { return c.Amounts, told(c.Amounts, toldAmount) }},
	{"cashiers", func(c entry.DayClose) (any, string) { return c.Cashiers, told(c.Cashiers, toldCashier) }},
	{"claims", func(c entry.DayClose) (any, string) { return c.Claims, fmt.Sprint(c.Claims) }},
}

// differences compares what closes said with what HQ found.
func (t *tally) differences() (out []Difference) {
	for _, c := range t.closes {
		for _, f := range compared {
			said, saidText := f.of(c.said)
			found, foundText := f.of(c.ours)
			if empty(said) && empty(found) || reflect.DeepEqual(said, found) {
				continue
			}
			out = append(out, Difference{c.lane, c.seq, c.hash, c.said.Date, f.name, saidText, foundText})
		}
	}
	return out
}

func empty(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Slice && r.Len() == 0
}
