package posbooks

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/server/posbooks/match"
	"github.com/tallystick/tallystick/sync/entry"
)

// Row is a receipt of the till software's books, or a total of a day in them. Times are
// Unix milliseconds, amounts minor units, never below zero.
type Row struct {
	Line     int64 // in the file, from one; of JSON and XML the receipt's place
	Receipt  string
	Lane     string // the terminal's name, as far as the mapping knows
	Day      entry.Date
	At       int64 // zero when only the day is known
	Kind     match.Kind
	Currency string
	Amount   int64
	Paid     bool
	Discount int64
	// HasDiscount: the books say what rewards took off.
	HasDiscount bool
	Expected    bool // a journal should have it
	Total       bool // it is a sum of its day
	Count       int64
	HasCount    bool
}

// Bad is a row that was left out, with its reason in words and what it began with.
type Bad struct {
	Line   int64
	Reason string
	Text   string
}

// maxBadText is how much of a bad row is kept, in characters.
const maxBadText = 200

// Unreadable means that a whole file cannot be read; nothing of it counts.
type Unreadable struct {
	Line   int64 // zero when it is none
	Reason string
}

// Error implements error.
func (u *Unreadable) Error() string {
	if u.Line > 0 {
		return fmt.Sprintf("line %d: %s", u.Line, u.Reason)
	}
	return u.Reason
}

// AsUnreadable returns what makes a file unreadable, or nil.
func AsUnreadable(err error) *Unreadable {
	var u *Unreadable
	errors.As(err, &u)
	return u
}

// Place is the store that a file is of.
type Place struct {
	Store    uuid.UUID
	Code     string
	Zone     *time.Location
	Currency string
	// Ends is by how much a business day ends after midnight, or before it.
	Ends time.Duration
}

// Reading is what reading a file rests on.
type Reading struct {
	Rules Rules
	Place Place
	Now   time.Time

	zone *time.Location // of times that do not say theirs; Read finds it
}

// Into takes what is read. An error ends the reading.
type Into struct {
	Row func(Row) error
	Bad func(Bad) error
}

// raw is a row as a file says it, before it is judged. An amount below zero of no kind is a
// return.
type raw struct {
	line                 int64
	store, receipt, lane string
	at                   time.Time
	timed                bool
	day                  entry.Date // as said; zero when not
	kind                 string
	currency             string
	amount, discount     int64
	hasDiscount, card    bool
	total, hasCount      bool
	count                int64
}

// Bounds of times and texts.
const (
	// ahead is how far a till's clock may run before ours.
	ahead      = time.Hour
	earliest   = 2000 // the first year
	maxReceipt = 64
)

// seen is what people see of a text: without spaces around, and without the characters that
// have no shape, such as the mark at the beginning of a file that was put behind another.
func seen(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, text))
}

// judge makes a row of what a file says, or an error in words.
func (r Reading) judge(in raw) (row Row, ignore bool, err error) {
	row = Row{
		Line: in.line, Receipt: seen(in.receipt), Currency: in.currency, Paid: r.Rules.Paid, Discount: abs(in.discount), HasDiscount: in.hasDiscount,
		Total: in.total, Count: in.count, HasCount: in.hasCount,
	}
	if in.store != "" && !sameCode(in.store, r.Place.Code) {
		return row, false, fmt.Errorf("is of store %q", clip(in.store))
	}
	if row.Kind, ignore, err = r.kind(in); ignore || err != nil {
		return row, ignore, err
	}
	if row.Amount = abs(in.amount); row.Kind == match.Sale && in.amount < 0 {
		return row, false, errors.New("is a sale of less than nothing")
	}
	if row.Lane = seen(in.lane); r.Rules.Lanes[row.Lane] != "" {
		row.Lane = r.Rules.Lanes[row.Lane]
	}
	for name, text := range map[string]string{"receipt number": row.Receipt, "lane": row.Lane} {
		if len(text) > maxReceipt || !plain(text) {
			return row, false, fmt.Errorf("its %s is longer than %d bytes or has characters that cannot be", name, maxReceipt)
		}
	}
	if !currency.IsCode(row.Currency) {
		return row, false, fmt.Errorf("%q is no currency", clip(row.Currency))
	}
	if err := r.date(in, &row); err != nil {
		return row, false, err
	}
	row.Expected = r.Rules.Expects == ExpectAll || in.card
	return row, false, nil
}

func (r Reading) kind(in raw) (k match.Kind, ignore bool, err error) {
	word := seen(in.kind)
	if word == "" {
		if in.amount < 0 {
			return match.Return, false, nil
		}
		return match.Sale, false, nil
	}
	if meant := r.Rules.Kinds[word]; meant != "" {
		word = meant
	}
	if word == Ignore {
		return 0, true, nil
	}
	if k = match.KindOf(strings.ToLower(word)); k == 0 {
		return 0, false, fmt.Errorf("%q is no kind that the mapping knows", clip(word))
	}
	return k, false, nil
}

// date finds out the business day, and refuses one that cannot be.
func (r Reading) date(in raw, row *Row) error {
	row.Day = in.day
	if in.timed {
		local := in.at.In(r.Place.Zone)
		if local.Year() < earliest {
			return fmt.Errorf("lies before the year %d", earliest)
		}
		if in.at.After(r.Now.Add(ahead)) {
			return errors.New("lies in the future")
		}
		row.At = in.at.UnixMilli()
		if !in.total || !row.Day.Valid() {
			row.Day = entry.BusinessDateOf(local, r.Place.Ends) // ours, whatever the till software calls it
		}
	}
	switch {
	case !row.Day.Valid():
		return errors.New("has no date")
	case row.Day.Time().Year() < earliest:
		return fmt.Errorf("lies before the year %d", earliest)
	case row.Day > entry.DateOf(r.Now.In(r.Place.Zone)).Next():
		return errors.New("lies in the future")
	}
	return nil
}

// zoneSaid is the zone of the rules, or that of the store.
func (r Reading) zoneSaid() *time.Location {
	if r.Rules.Zone != "" {
		if zone, err := time.LoadLocation(r.Rules.Zone); err == nil {
			return zone
		}
	}
	return r.Place.Zone
}

func sameCode(a, b string) bool {
	norm := func(s string) string { return strings.TrimLeft(strings.ToLower(strings.TrimSpace(s)), "0") }
	return norm(a) == norm(b)
}

func abs(n int64) int64 { return max(n, -n) }
