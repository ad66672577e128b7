package truth

import (
	"fmt"
	"slices"
)

// Done is one entry that a terminal wrote. Kind is its name; Date is of the business day,
// as YYYYMMDD. Of a void, what is said is that of its sale.
type Done struct {
	Kind            string
	Date            uint32
	Known           int64 // when head office had it, Unix milliseconds; zero: never
	Currency        string
	Total, Discount int64
	Earned          int64
	Redeemed, Uses  int64
	Basis           string // of what was redeemed
	Trades          bool   // it belongs to its date; all others to the day that covers them
}

// Journal is what one epoch of a terminal wrote, from entry 1.
type Journal struct {
	Lane    ID
	Epoch   uint32
	Name    string
	Entries []Done
	Heads   map[uint64]string // hashes, in hex, of entries where days end
	Closes  []Close
	// Ended: no close is waited for any more behind what is here, from Since on.
	Ended bool
	Since int64
	// Over is why, as head office says it.
	Over string
}

// Close is a day that a terminal closed.
type Close struct {
	Seq  uint64
	Date uint32
}

// Span is entries of a journal, First through Last; Last is First−1 where there are none.
type Span struct{ First, Last uint64 }

// Through is what a day covers of a journal behind an entry, and whether the day must
// still wait for this terminal. At is when head office looked.
func (j *Journal) Through(date uint32, covered uint64, at int64) (last uint64, waits bool) {
	last = covered
	later := false
	for _, c := range j.Closes {
		known := j.Entries[c.Seq-1].Known
		if c.Seq <= covered || known == 0 || known > at || j.Ended && known > j.Since {
			continue // what came of a terminal that was shut out closes nothing
		}
		if c.Date <= date {
			last = c.Seq
		}
		later = later || c.Date >= date
	}
	if later {
		return last, false
	}
	if !j.Ended || at < j.Since {
		return last, true
	}
	for seq := covered + 1; seq <= uint64(len(j.Entries)); seq++ {
		e := j.Entries[seq-1]
		if e.Known == 0 || e.Known > at || e.Trades && e.Date > date {
			break
		}
		last = max(last, seq)
	}
	return last, false
}

// Figures are sums by name, as "money/sale/EUR/total".
type Figures map[string]int64

// Add adds the entries of a span, each under its business date; what a terminal notes for
// itself is of the date that covers it.
func (j *Journal) Add(s Span, date uint32, into map[uint32]Figures) {
	for seq := s.First; seq <= s.Last; seq++ {
		e := j.Entries[seq-1]
		if e.Kind == "day_close" {
			continue
		}
		at := date
		if e.Trades {
			at = e.Date
		}
		if into[at] == nil {
			into[at] = Figures{}
		}
		into[at].count(e)
	}
}

func (f Figures) count(e Done) {
	f["entries"]++
	f["kind/"+e.Kind]++
	if e.Currency == "" {
		return
	}
	money := "money/" + e.Kind + "/" + e.Currency
	f[money+"/count"]++
	f[money+"/total"] += e.Total
	f[money+"/discount"] += e.Discount
	add := func(flow, unit, basis string, n int64) {
		if n > 0 {
			name := fmt.Sprintf("amount/%s/%s/%s/%s", e.Kind, flow, unit, basis)
			f[name+"/count"]++
			f[name+"/amount"] += n
		}
	}
	add("earned", "points", "", e.Earned)
	add("redeemed", "points", e.Basis, e.Redeemed)
	add("redeemed", "", e.Basis, e.Uses)
}

// Differs names the figures that are not alike, in a fixed order.
func (f Figures) Differs(other Figures) (out []string) {
	for name, n := range f {
		if other[name] != n {
			out = append(out, fmt.Sprintf("%s is %d, not %d", name, other[name], n))
		}
	}
	for name, n := range other {
		if _, known := f[name]; !known && n != 0 {
			out = append(out, fmt.Sprintf("%s is %d, not 0", name, n))
		}
	}
	slices.Sort(out)
	return out
}
