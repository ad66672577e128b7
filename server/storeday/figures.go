package storeday

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Read is one entry of a span, in the order of the journal. Sale is that of a void, nil
// when HQ does not hold it.
type Read struct {
	Seq  uint64
	Hash journal.Hash
	Raw  []byte
	Sale *entry.Sale
	// Nothing: a person let it count for nothing.
	Nothing bool
}

// tally adds up the entries of one lane by business date, and what each close should have
// said of its range.
type tally struct {
	byDate map[entry.Date]*daybook.Figures
	counts map[entry.Date]uint64
	closes []checked

	since *daybook.Figures // the entries behind the last close
	first uint64           // where they begin
	last  Read             // the entry before the one being added
	whole bool             // whether they are all of the range that the next close speaks of
}

// checked is a close and what HQ finds in its range.
type checked struct {
	seq  uint64
	said entry.DayClose
	ours entry.DayClose
}

// newTally adds up a lane from an entry on. whole says that a close stands before it, or
// nothing.
func newTally(first uint64, whole bool) *tally {
	return &tally{byDate: map[entry.Date]*daybook.Figures{}, counts: map[entry.Date]uint64{}, since: &daybook.Figures{}, first: first, whole: whole}
}

// add counts one entry for the day of date. One that cannot be read is an exception of
// its own and counts for nothing here.
func (t *tally) add(r Read, date entry.Date) {
	defer func() { t.last = r }()
	e, err := entry.Decode(r.Raw)
	if err != nil {
		return
	}
	if e.Kind == entry.KindDayClose {
		t.close(r.Seq, e)
		return
	}
	at := e.BusinessDate
	if !daybook.Trades(e.Kind) || !at.Valid() {
		at = date // what a terminal notes for itself opens no day
	}
	if t.byDate[at] == nil {
		t.byDate[at] = &daybook.Figures{}
	}
	count(t.since, e, r.Sale)
	if r.Nothing {
		return
	}
	t.counts[at]++
	count(t.byDate[at], e, r.Sale)
}

// close ends the range that a close speaks of.
func (t *tally) close(seq uint64, e entry.Entry) {
	said, err := entry.DecodeBody[entry.DayClose](e)
	if err != nil || said.Check() != nil {
		return // an exception of its own; the next close speaks of a longer range
	}
	if t.whole {
		ours := entry.DayClose{Date: said.Date, First: t.first, Last: seq - 1}
		if ours.Last >= ours.First {
			ours.Head = slices.Clone(t.last.Hash[:])
		}
		t.since.Fill(&ours)
		t.closes = append(t.closes, checked{seq, said, ours})
	}
	t.since, t.first, t.whole = &daybook.Figures{}, seq+1, true
}

func count(f *daybook.Figures, e entry.Entry, sale *entry.Sale) {
	f.Count(e.Kind)
	switch e.Kind {
	case entry.KindSale:
		if b, err := entry.DecodeBody[entry.Sale](e); err == nil {
			f.Sale(b)
		}
	case entry.KindVoid:
		if b, err := entry.DecodeBody[entry.Void](e); err == nil && sale != nil {
			f.Void(b, *sale)
		}
	case entry.KindReturn:
		if b, err := entry.DecodeBody[entry.Return](e); err == nil {
			f.Return(b)
		}
	}
}

// Difference is a figure that a terminal said otherwise than HQ finds it.
type Difference struct {
	Seq    uint64 // of the close
	Date   entry.Date
	Figure string // range, head, kinds, money, amounts, cashiers or claims
	Said   string
	Found  string
}

// differences compares what closes said with what HQ found.
func (t *tally) differences() (out []Difference) {
	for _, c := range t.closes {
		for _, f := range []struct {
			name        string
			said, found any
		}{
			{"range", [2]uint64{c.said.First, c.said.Last}, [2]uint64{c.ours.First, c.ours.Last}},
			{"head", c.said.Head, c.ours.Head},
			{"kinds", c.said.Kinds, c.ours.Kinds},
			{"money", c.said.Money, c.ours.Money},
			{"amounts", c.said.Amounts, c.ours.Amounts},
			{"cashiers", c.said.Cashiers, c.ours.Cashiers},
			{"claims", c.said.Claims, c.ours.Claims},
		} {
			if empty(f.said) && empty(f.found) || reflect.DeepEqual(f.said, f.found) {
				continue
			}
			out = append(out, Difference{c.seq, c.said.Date, f.name, fmt.Sprintf("%+v", f.said), fmt.Sprintf("%+v", f.found)})
		}
	}
	return out
}

func empty(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Slice && r.Len() == 0
}
