package match

import (
	"strings"
	"time"
)

// Kind is what a row of either side is.
type Kind uint8

// Kinds.
const (
	Sale   Kind = 1
	Return Kind = 2
	Void   Kind = 3
)

var kinds = []string{"", "sale", "return", "void"}

// String returns the word for a kind; empty for none.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k]
	}
	return ""
}

// KindOf reads a word; zero is none.
func KindOf(word string) Kind {
	for k, w := range kinds {
		if w == word {
			return Kind(k)
		}
	}
	return 0
}

// Theirs is a row of the till software's books. Times are Unix milliseconds, amounts minor
// units of the currency, never below zero: the kind says which way the money went.
type Theirs struct {
	Receipt  string // as Number writes it; empty when the books have none
	Lane     string // the name of a lane of ours, folded; empty is any of the store
	At       int64
	Timed    bool // At is known, not only the date
	Kind     Kind
	Currency string
	Amount   int64
	// Paid: the amount is what was paid, so what rewards took off is not in it.
	Paid bool
	// Discount is what rewards took off, when the books say so.
	Discount    int64
	HasDiscount bool
	// Expected: the sale should stand in a journal, too.
	Expected bool
}

// Ours is a fact of a journal. Amount is before what rewards took off.
type Ours struct {
	Receipt  string
	Lane     string
	At       int64
	Kind     Kind
	Currency string
	Amount   int64
	Discount int64
	// Undoes is where the sale stands that a void undoes, counted from one; zero is nowhere
	// among these rows.
	Undoes int
}

// amount is what of ours is to be the amount of a row of theirs.
func (o Ours) amount(paid bool) int64 {
	if paid {
		return o.Amount - o.Discount
	}
	return o.Amount
}

// Number is how a receipt number is compared: without spaces, whatever the case, and
// without zeros before it.
func Number(text string) string {
	text = strings.ToUpper(strings.Join(strings.Fields(text), ""))
	if short := strings.TrimLeft(text, "0"); short != "" || text == "" {
		return short
	}
	return "0"
}

// Tolerance is how far two rows may be apart and still be the same sale.
type Tolerance struct {
	// Time bounds the time between rows that are paired by their amount. It is below Reach.
	Time time.Duration
	// Minor is by how much amounts may differ, in minor units.
	Minor int64
}

// Reach is how far apart in time two rows with one receipt number may be: tills begin anew
// with their numbers, mostly at midnight.
const Reach = 6 * time.Hour

// By is what made a pair.
type By string

// What pairs are made by.
const (
	ByReceipt By = "receipt"
	ByAmount  By = "amount"
)

// Field is something in which the two rows of a pair differ.
type Field uint8

// Fields, as bits of a set.
const (
	FieldAmount Field = 1 << iota
	FieldDiscount
	FieldCurrency
	FieldKind
	FieldReceipt
	FieldCount // of totals
)

var fields = []string{"amount", "discount", "currency", "kind", "receipt", "count"}

// String lists the names of a set of fields, with commas between.
func (f Field) String() string {
	var names []string
	for i, name := range fields {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// Pair is a row of theirs and one of ours, by their places. Amount, Discount and Time are
// theirs less ours; Differs is empty for a match within the tolerance. Time is none of the
// fields: clocks of tills are off, and a number says which sale it is.
type Pair struct {
	Theirs, Ours int
	By           By
	Differs      Field
	Amount       int64
	Discount     int64
	Time         time.Duration
}

// compare says in what the rows of a pair differ.
func (t Tolerance) compare(p Pair, a Theirs, b Ours) Pair {
	if a.Currency != b.Currency {
		p.Differs |= FieldCurrency
	}
	if p.Amount = a.Amount - b.amount(a.Paid); p.Amount > t.Minor || p.Amount < -t.Minor {
		p.Differs |= FieldAmount
	}
	if a.HasDiscount {
		if p.Discount = a.Discount - b.Discount; p.Discount > t.Minor || p.Discount < -t.Minor {
			p.Differs |= FieldDiscount
		}
	}
	if a.Kind != b.Kind {
		p.Differs |= FieldKind
	}
	if a.Receipt != "" && b.Receipt != "" && a.Receipt != b.Receipt {
		p.Differs |= FieldReceipt
	}
	if a.Timed {
		p.Time = time.Duration(a.At-b.At) * time.Millisecond
	}
	return p
}
