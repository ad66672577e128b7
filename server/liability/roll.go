package liability

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/sync/entry"
)

// Row is what moved between two books on one day, as far as lots of the same months go.
type Row = ledger.Moved

// By says in which month a movement stands.
type By string

// The two answers to what was owed on a past day.
const (
	// Recorded: the month in which head office recorded it. This is what was known then;
	// a month that is over does not change.
	Recorded By = "recorded"
	// Effective: the month in which it took effect, by all that is known. A late fact
	// changes the month that it belongs to.
	Effective By = "effective"
)

// Question is what is asked of one unit. Months From through To are shown. Only what was
// recorded through the day Known counts, and only what stands, as By says, through Until.
type Question struct {
	Unit     string
	By       By
	From, To Month
	Until    Day
	Known    Day
}

// Line is how what is owed changed. Reversed is what voids and returns took back of
// earnings, Restored what they gave back of redemptions, Repaid what of new lots repaid
// an overdraft. What is corrected counts where what it corrects stands.
type Line struct {
	Opening  int64
	Issued   int64
	Redeemed int64
	Expired  int64
	Reversed int64
	Restored int64
	Moved    int64 // between members: more than zero came
	Adjusted int64 // by hand: more than zero was given
	Repaid   int64
	Closing  int64
}

// Sum is what the closing is, worked out from the other columns.
func (l Line) Sum() int64 {
	return l.Opening + l.Issued - l.Redeemed - l.Expired - l.Reversed + l.Restored + l.Moved + l.Adjusted - l.Repaid
}

func (l *Line) add(o Line) {
	l.Opening, l.Issued, l.Redeemed, l.Expired = l.Opening+o.Opening, l.Issued+o.Issued, l.Redeemed+o.Redeemed, l.Expired+o.Expired
	l.Reversed, l.Restored, l.Moved, l.Adjusted = l.Reversed+o.Reversed, l.Restored+o.Restored, l.Moved+o.Moved, l.Adjusted+o.Adjusted
	l.Repaid, l.Closing = l.Repaid+o.Repaid, l.Closing+o.Closing
}

// Bucket is the line of what expires in one month.
type Bucket struct {
	Expires Month
	Line
}

// Beside is what stands beside what is owed at the end of a month. Spendable, Reserved and
// Unvested add up to the closing. Lapsed has expired and may still come back, until no
// terminal can hold a fact from before. Broken became breakage in the month; Overdrawn was
// redeemed in it and was not there.
type Beside struct {
	Spendable int64
	Reserved  int64 // for terminals, see allowances
	Unvested  int64
	Overdraft int64
	Lapsed    int64
	Suspense  int64 // waits for a person
	Broken    int64
	Overdrawn int64
}

// MonthOf is one month of a roll-forward. Buckets are in the order of their expiry, those
// without one last; a bucket in which nothing stands or moved is left out.
type MonthOf struct {
	Month   Month
	Total   Line
	Buckets []Bucket
	Beside  Beside
}

// Roll adds up rows to a roll-forward. Rows come in any order.
type Roll struct {
	q      Question
	moved  map[Month]map[Month]*Line // by month, and by expiry
	beside map[Month]*Beside         // what changed in the month
}

// NewRoll begins a roll-forward.
func NewRoll(q Question) *Roll {
	return &Roll{q: q, moved: map[Month]map[Month]*Line{}, beside: map[Month]*Beside{}}
}

// day is the day on which a row stands.
func (q Question) day(row Row) Day {
	if q.By == Effective {
		return Day(row.Effective)
	}
	return Day(row.Recorded)
}

// counts says whether a row is part of the answer.
func (q Question) counts(row Row) bool {
	return row.Unit == q.Unit && Day(row.Recorded) <= q.Known && q.day(row) <= q.Until
}

// Add counts a row.
func (r *Roll) Add(row Row) {
	month := max(MonthAt(r.q.day(row)), r.q.From-1) // what was before is one opening
	if !r.q.counts(row) || month > r.q.To {
		return
	}
	if r.moved[month] == nil {
		r.moved[month], r.beside[month] = map[Month]*Line{}, &Beside{}
	}
	r.beside[month].count(row)
	change, ok := changeOf(row)
	if !ok {
		return
	}
	lines := r.moved[month]
	if lines[Month(row.Expires)] == nil {
		lines[Month(row.Expires)] = &Line{}
	}
	lines[Month(row.Expires)].add(change)
}

// changeOf says in which column a row stands; ok is false when nothing is owed more or
// less by it.
func changeOf(row Row) (l Line, ok bool) {
	in, out := lots(row.To), lots(row.From)
	if in == out {
		return Line{}, false
	}
	change, other := row.Amount, row.From
	if out {
		change, other = -row.Amount, row.To
	}
	l.Closing = change
	switch undone, made := undoes(row.Kind), makes(row.Kind); {
	case other == loyalty.BookOverdraft:
		l.Repaid = -change
	case other == loyalty.BookLapsed || other == loyalty.BookBreakage:
		l.Expired = -change
	case other == loyalty.BookClearing:
		l.Moved = change
	case other == loyalty.BookStore && undone:
		l.Restored = change
	case other == loyalty.BookStore && made:
		l.Redeemed = -change
	case other == loyalty.BookIssue && undone:
		l.Reversed = -change
	case other == loyalty.BookIssue && made:
		l.Issued = change
	default:
		l.Adjusted = change
	}
	return l, true
}

// lots says whether what stands in a book is borne by lots, which is what is owed.
func lots(b loyalty.Book) bool {
	return b == loyalty.BookFree || b == loyalty.BookAllowance || b == loyalty.BookPending
}

func undoes(k entry.Kind) bool { return k == entry.KindVoid || k == entry.KindReturn }

// makes are the kinds that issue and redeem: sales, claimed receipts and vouchers.
func makes(k entry.Kind) bool {
	return k == entry.KindSale || k == entry.KindHQClaimed || k == entry.KindHQVoucher
}

func (b *Beside) count(row Row) {
	b.enters(row.From, -row.Amount)
	b.enters(row.To, row.Amount)
	switch {
	case row.From == loyalty.BookOverdraft && row.To == loyalty.BookStore:
		b.Overdrawn += row.Amount
	case row.From == loyalty.BookStore && row.To == loyalty.BookOverdraft:
		b.Overdrawn -= row.Amount
	}
}

// enters counts what enters a book.
func (b *Beside) enters(book loyalty.Book, n int64) {
	switch book {
	case loyalty.BookFree:
		b.Spendable += n
	case loyalty.BookAllowance:
		b.Reserved += n
	case loyalty.BookPending:
		b.Unvested += n
	case loyalty.BookOverdraft:
		b.Overdraft -= n
	case loyalty.BookLapsed:
		b.Lapsed += n
	case loyalty.BookSuspense:
		b.Suspense += n
	case loyalty.BookBreakage:
		b.Broken += n
	}
}

// Months are the months asked for.
func (r *Roll) Months() []MonthOf {
	open := map[Month]int64{}
	for expires, l := range r.moved[r.q.From-1] {
		open[expires] = l.Closing
	}
	var stand Beside
	if b := r.beside[r.q.From-1]; b != nil {
		stand = *b
	}
	out := []MonthOf{}
	for m := r.q.From; m <= min(r.q.To, MonthAt(r.q.Until)); m++ {
		stand.Broken, stand.Overdrawn = 0, 0
		if b := r.beside[m]; b != nil {
			stand.add(*b)
		}
		of := MonthOf{Month: m, Beside: stand}
		for expires := range r.moved[m] {
			open[expires] += 0 // it has a line
		}
		for _, expires := range slices.SortedFunc(maps.Keys(open), byExpiry) {
			l := Line{Opening: open[expires], Closing: open[expires]}
			if moved := r.moved[m][expires]; moved != nil {
				l.add(*moved)
			}
			open[expires] = l.Closing
			if l != (Line{}) {
				of.Buckets = append(of.Buckets, Bucket{expires, l})
				of.Total.add(l)
			}
		}
		out = append(out, of)
	}
	return out
}

func (b *Beside) add(o Beside) {
	b.Spendable, b.Reserved, b.Unvested = b.Spendable+o.Spendable, b.Reserved+o.Reserved, b.Unvested+o.Unvested
	b.Overdraft, b.Lapsed, b.Suspense = b.Overdraft+o.Overdraft, b.Lapsed+o.Lapsed, b.Suspense+o.Suspense
	b.Broken, b.Overdrawn = b.Broken+o.Broken, b.Overdrawn+o.Overdrawn
}

// byExpiry is the order of buckets: by month, then those without one.
func byExpiry(a, b Month) int {
	if a.calendar() != b.calendar() {
		return cmp.Compare(b, a)
	}
	return cmp.Compare(a, b)
}
