package posbooks

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks/match"
)

// Format is that of a file.
type Format string

// Formats.
const (
	CSV    Format = "csv"
	JSON   Format = "json"
	POSLog Format = "poslog" // OMG/ARTS POSLog XML
)

// Field is something that a column of a CSV file says.
type Field string

// Fields of CSV. A mapping names for each the column's head, or its number from one with
// a number sign before it (#3).
const (
	FieldReceipt  Field = "receipt"
	FieldLane     Field = "lane"
	FieldTime     Field = "time"     // date and time, or the date alone
	FieldClock    Field = "clock"    // the time of day, when it has a column of its own
	FieldDate     Field = "date"     // the business date, when it has a column of its own
	FieldAmount   Field = "amount"   // of the basket
	FieldCurrency Field = "currency" // without it, that of the store
	FieldDiscount Field = "discount" // what rewards took off
	FieldKind     Field = "kind"     // sale, return or void, by Kinds
	FieldCard     Field = "card"     // not empty when a loyalty card was shown
	FieldCount    Field = "count"    // of totals: how many receipts
	FieldStore    Field = "store"    // the store's code; rows of another store are refused
)

var fields = []Field{FieldReceipt, FieldLane, FieldTime, FieldClock, FieldDate, FieldAmount, FieldCurrency, FieldDiscount, FieldKind, FieldCard, FieldCount, FieldStore}

// Expects says which sales of the till software stand in a journal.
type Expects string

// What is expected.
const (
	// ExpectAll: the till software tells the terminal of every sale.
	ExpectAll Expects = "all"
	// ExpectCard: it tells of sales at which a card was shown.
	ExpectCard Expects = "card"
)

// Mapping says how to read the files of a till software. It is kept as JSON; names there
// are those of the API, which has lists for the maps.
type Mapping struct {
	ID      uuid.UUID `json:"id"`
	Store   uuid.UUID `json:"store"` // zero is for all stores
	Name    string    `json:"name"`
	Version uint64    `json:"version"`
	Rules
}

// Rules are what a mapping says about a file.
type Rules struct {
	Format Format `json:"format"`
	// Totals: a row is a sum of a day, not a receipt.
	Totals  bool    `json:"totals"`
	Expects Expects `json:"expects"`
	// Paid: amounts are what was paid, so what rewards took off is not in them.
	Paid bool `json:"paid"`
	// Zone is that of times which do not say theirs; empty is the store's.
	Zone string `json:"zone,omitempty"`
	// Minutes and Minor are the tolerance of matching: time between rows that are paired
	// by amount, and minor units between amounts.
	Minutes int   `json:"minutes"`
	Minor   int64 `json:"minor"`
	// Lanes names, for what the till software calls a lane, a terminal of the store. What is
	// not here is a terminal's name itself.
	Lanes map[string]string `json:"lanes,omitempty"`

	// What follows is of CSV alone.

	// Encoding is utf-8, utf-16, windows-1250, windows-1252 or windows-1254; empty looks at
	// the file's beginning.
	Encoding  string `json:"encoding,omitempty"`
	Delimiter string `json:"delimiter,omitempty"` // one character; empty looks at the head
	Decimal   string `json:"decimal,omitempty"`   // "." or ","; empty is "."
	Thousands string `json:"thousands,omitempty"` // one character, or none
	Skip      int    `json:"skip"`                // lines before the head
	Headless  bool   `json:"headless"`            // there is no head; columns have numbers only
	// TimeFormat has yyyy yy MM M dd d HH H hh h mm ss SSS a and other characters as they are;
	// or it is iso, unix or unix_ms. Empty is iso.
	TimeFormat  string           `json:"time_format,omitempty"`
	ClockFormat string           `json:"clock_format,omitempty"` // of a clock column; empty is HH:mm:ss
	DateFormat  string           `json:"date_format,omitempty"`  // of a date column; empty is yyyy-MM-dd
	Columns     map[Field]string `json:"columns,omitempty"`
	// Kinds says what the words of the kind column mean: sale, return, void, or ignore. What is
	// not here and is no such word itself is refused.
	Kinds map[string]string `json:"kinds,omitempty"`
	// Total is the word with which a row of sums begins, in any column. It is checked against
	// the rows above it and no receipt.
	Total string `json:"total,omitempty"`
}

// Ignore is the kind of rows that are left out.
const Ignore = "ignore"

// Limits of a mapping.
const (
	maxName    = 100
	maxWords   = 200 // lanes or kinds
	maxWord    = 64  // characters
	maxSkip    = 1000
	maxMinutes = 120
	maxMinor   = 1_000_000
)

// Check says what is wrong with a mapping, as problem.InvalidField.
func (m Mapping) Check() error {
	wrong := m.Rules.wrong()
	if name := strings.TrimSpace(m.Name); name == "" || utf8.RuneCountInString(m.Name) > maxName || !plain(m.Name) {
		wrong["/name"] = fmt.Sprintf("must have 1 to %d characters", maxName)
	}
	return refused(wrong)
}

// Check says what is wrong with rules, as problem.InvalidField.
func (r Rules) Check() error { return refused(r.wrong()) }

func refused(wrong map[string]string) error {
	if len(wrong) == 0 {
		return nil
	}
	return &problem.Error{Code: problem.InvalidField, Detail: "files cannot be read so", Fields: wrong}
}

func (r Rules) wrong() map[string]string {
	wrong := map[string]string{}
	note := func(bad bool, field, why string) {
		if bad {
			wrong[field] = why
		}
	}
	note(!slices.Contains([]Format{CSV, JSON, POSLog}, r.Format), "/format", "must be csv, json or poslog")
	note(r.Expects != ExpectAll && r.Expects != ExpectCard, "/expects", "must be all or card")
	note(r.Minutes < 0 || r.Minutes > maxMinutes, "/minutes", fmt.Sprintf("must be 0 to %d", maxMinutes))
	note(r.Minor < 0 || r.Minor > maxMinor, "/minor", fmt.Sprintf("must be 0 to %d", maxMinor))
	note(!zoneKnown(r.Zone), "/zone", "is no IANA time zone")
	note(!wordsKnown(r.Lanes), "/lanes", fmt.Sprintf("must have at most %d words of 1 to %d characters", maxWords, maxWord))
	if r.Format == CSV {
		r.wrongCSV(note)
	}
	return wrong
}

func (r Rules) wrongCSV(note func(bad bool, field, why string)) {
	note(r.Encoding != "" && encodingOf(r.Encoding) == nil, "/encoding", "must be utf-8, utf-16, windows-1250, windows-1252 or windows-1254")
	note(r.Delimiter != "" && !oneOf(r.Delimiter, `"`), "/delimiter", "must be one character, and no quote")
	note(r.Decimal != "" && r.Decimal != "." && r.Decimal != ",", "/decimal", "must be a point or a comma")
	note(r.Thousands != "" && (!oneOf(r.Thousands, "0123456789-+") || r.Thousands == r.decimal()), "/thousands", "must be one character other than the decimal one")
	note(r.Skip < 0 || r.Skip > maxSkip, "/skip", fmt.Sprintf("must be 0 to %d", maxSkip))
	for field, format := range map[string]string{"/time_format": r.TimeFormat, "/clock_format": r.ClockFormat, "/date_format": r.DateFormat} {
		_, err := layoutOf(format)
		note(err != nil, field, "must have yyyy, MM, dd, HH, mm, ss and the like")
	}
	for f, column := range r.Columns {
		known := slices.Contains(fields, f)
		note(!known, "/columns/"+string(f), "is nothing that a column can be")
		note(known && !columnShape(column, r.Headless), "/columns/"+string(f), "must be the head of a column, or # and its number")
	}
	note(r.Columns[FieldAmount] == "", "/columns/amount", "is missing")
	note(r.Columns[FieldTime] == "" && r.Columns[FieldDate] == "", "/columns/time", "is missing")
	note(!wordsKnown(r.Kinds), "/kinds", fmt.Sprintf("must have at most %d words of 1 to %d characters", maxWords, maxWord))
	for _, k := range r.Kinds {
		note(k != Ignore && match.KindOf(k) == 0, "/kinds", "must mean sale, return, void or ignore")
	}
	note(utf8.RuneCountInString(r.Total) > maxWord || !plain(r.Total), "/total", fmt.Sprintf("must have at most %d characters", maxWord))
}

func (r Rules) decimal() string {
	if r.Decimal == "" {
		return "."
	}
	return r.Decimal
}

// Tolerance is that of the mapping.
func (r Rules) Tolerance() match.Tolerance {
	return match.Tolerance{Time: time.Duration(r.Minutes) * time.Minute, Minor: r.Minor}
}

func oneOf(text, but string) bool {
	return utf8.RuneCountInString(text) == 1 && utf8.ValidString(text) && !strings.ContainsAny(text, but+"\r\n\x00")
}

func zoneKnown(zone string) bool {
	if zone == "" {
		return true
	}
	_, err := time.LoadLocation(zone)
	return err == nil && zone != "Local" && len(zone) <= maxWord
}

func wordsKnown(words map[string]string) bool {
	for k, v := range words {
		for _, w := range []string{k, v} {
			if n := utf8.RuneCountInString(w); n == 0 || n > maxWord || !plain(w) {
				return false
			}
		}
	}
	return len(words) <= maxWords
}

// maxColumns is how many columns a file has at most.
const maxColumns = 500

func columnShape(column string, headless bool) bool {
	if number, ok := strings.CutPrefix(column, "#"); ok {
		n, err := strconv.Atoi(number)
		return err == nil && n >= 1 && n <= maxColumns
	}
	return !headless && column != "" && utf8.RuneCountInString(column) <= maxWord && plain(column)
}

// plain says that a text has no control characters and can be stored everywhere.
func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f })
}
