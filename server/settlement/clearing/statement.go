package clearing

import (
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
)

// Month is a calendar month, YYYYMM.
type Month uint32

// MonthOf is the month of a date.
func MonthOf(d entry.Date) Month { return Month(d / 100) }

// Valid reports whether it is a month of years 1 to 9999.
func (m Month) Valid() bool { return m%100 >= 1 && m%100 <= 12 && m/100 >= 1 && m/100 <= 9999 }

// String returns YYYY-MM.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m/100, m%100) }

// Year is the year of the month.
func (m Month) Year() int { return int(m / 100) }

// First is its first date.
func (m Month) First() entry.Date { return entry.Date(m*100 + 1) }

// Next is the month after it.
func (m Month) Next() Month {
	if m%100 == 12 {
		return m + 89
	}
	return m + 1
}

// Last is its last date.
func (m Month) Last() entry.Date { return entry.DateOf(m.Next().First().Time().AddDate(0, 0, -1)) }

// UnitUses is the unit of the uses of all vouchers together.
const UnitUses = "uses"

// UnitOf is the unit under which something is priced.
func UnitOf(unit string) string {
	if strings.HasPrefix(unit, loyalty.UseUnit("")) {
		return UnitUses
	}
	return unit
}

// Kind says what a line is for.
type Kind string

// Kinds of lines.
const (
	KindRedeemed Kind = "redeemed" // redeemed at one store, issued by another
	KindRepaid   Kind = "repaid"   // points of an issuer paid a debt that the programme bore
	KindFee      Kind = "fee"
	KindTax      Kind = "tax"
)

// Amount is money on one side of a line. Exact is in thousandths of a minor unit; Minor
// is what is paid. The Minor of all lines that are rounded together sum to their Exact,
// rounded half to even.
type Amount struct {
	Currency string
	Exact    int64
	Minor    int64
}

// Line is what one party owes another for one unit, two stores and a business date. What
// comes back has negative points and amounts. Debit is what From owes, in the currency of
// its store; Credit what To is owed in the currency of its own. The programme stands
// between: it takes Debit and gives Credit.
type Line struct {
	Month Month // of the statement
	No    int64 // counts the lines of the month from 1
	Kind  Kind
	Fee   string // the code of the fee, of fees and of tax on them

	From, To           uuid.UUID // parties
	FromStore, ToStore uuid.UUID // zero: the programme

	Unit   string
	Day    entry.Date
	Points int64
	Debit  Amount
	Credit Amount

	// PerThousand is the price of 1,000 units, in minor units of the price's currency;
	// Rate, of the source and date RateSource and RateFrom, brought Credit to Debit.
	// Of lines that correct a locked month they are those of now.
	PerThousand int64
	Rate        int64 // billionths; zero: one currency
	RateSource  string
	RateFrom    entry.Date

	// Of is the locked month the line corrects, zero for a line of the month itself.
	Of Month
}

// Side is what one party has of a line with another: what it is owed, or owes, in minor
// units.
type Side struct {
	Party, Other uuid.UUID
	Currency     string
	Owed, Owes   int64
}

// Sides are those of both parties of the line, and those of the programme, which stands
// between them.
func (l Line) Sides() []Side {
	out := make([]Side, 0, 4)
	if l.From != Programme {
		out = append(out, Side{l.From, l.To, l.Debit.Currency, 0, l.Debit.Minor}, Side{Programme, l.From, l.Debit.Currency, l.Debit.Minor, 0})
	}
	if l.To != Programme {
		out = append(out, Side{l.To, l.From, l.Credit.Currency, l.Credit.Minor, 0}, Side{Programme, l.To, l.Credit.Currency, 0, l.Credit.Minor})
	}
	return out
}

// Total is what a party is owed and owes in one currency, minor units. Net is Owed − Owes.
type Total struct {
	Currency string
	Owed     int64
	Owes     int64
	Net      int64
}

// Group is the lines of a statement with one counterparty, kind, unit and currency, and
// of one corrected month. Owed and Owes are of the statement's party.
type Group struct {
	Counterparty Party
	Kind         Kind
	Fee          string
	Unit         string
	Currency     string
	Of           Month
	Points       int64 // given back are negative
	Owed         int64
	Owes         int64
	Lines        int64
}

// Note is a credit or debit note: what a statement says about a month that was locked
// before. It is a document of its own with a number from the same series.
type Note struct {
	Number   string // empty before the month is locked
	Of       Month
	OfNumber string // the party's statement of that month; empty: it had none
	Totals   []Total
}

// Credit reports whether the note, in a currency, is in favour of the party.
func (t Total) Credit() bool { return t.Net >= 0 }

// Remark is something that was not done when the month was drafted, named so that nobody
// is surprised by a note: how many and, where there is one, of which store and day.
type Remark struct {
	What  string // open_exceptions, uncertified_days, waiting_entries
	Store string // code
	Count int64
}

// Missing is what must be known before a month can be locked.
type Missing struct {
	What     string // price, rate, overflow
	Unit     string
	Currency string // of a rate, the base
	Quote    string
	Day      entry.Date // the first on which it is missing
}

// String says it in words.
func (m Missing) String() string {
	switch m.What {
	case "price":
		return fmt.Sprintf("no price of %s in %s on %s", m.Unit, m.Currency, m.Day)
	case "rate":
		return fmt.Sprintf("no rate from %s to %s on %s", m.Currency, m.Quote, m.Day)
	}
	return fmt.Sprintf("an amount of %s in %s on %s does not fit", m.Unit, m.Currency, m.Day)
}

// State says how far a month is.
type State string

// States of a month.
const (
	Open     State = "open"
	Drafting State = "drafting" // somebody asked for the draft
	Drafted  State = "drafted"
	Locked   State = "locked"
	Preview  State = "preview" // of a statement: what an open month comes to so far
)

// Statement is what one party owes and is owed for a month. It has lines apart, by their
// numbers; Groups sum them up. Number is given when the month is locked.
type Statement struct {
	Party     Party
	Programme Party
	Month     Month
	State     State
	Number    string
	CutAt     int64 // Unix milliseconds: what HQ had applied then
	LockedAt  int64
	Totals    []Total // by currency, of all lines, notes too
	Groups    []Group // those of the month first, then those of notes
	Notes     []Note
	Remarks   []Remark
}
