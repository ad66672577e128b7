package posbooks

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/sync/entry"
)

// table makes rows of the cells of a CSV file.
type table struct {
	Reading
	sheet             *sheet
	time, clock, date layout
	all, since        int64 // sums of the amount column as written, and behind the last total
}

func newTable(r Reading, s *sheet) (*table, error) {
	t := &table{Reading: r, sheet: s}
	clock := r.Rules.ClockFormat
	if clock == "" {
		clock = "HH:mm:ss"
	}
	for _, l := range []struct {
		pattern string
		into    *layout
	}{{r.Rules.TimeFormat, &t.time}, {clock, &t.clock}, {r.Rules.DateFormat, &t.date}} {
		var err error
		if *l.into, err = layoutOf(l.pattern); err != nil {
			return nil, &Unreadable{Reason: fmt.Sprintf("%q is no format of a time", clip(l.pattern))}
		}
	}
	return t, nil
}

// take judges a row and gives it on, or says what is bad about it.
func (t *table) take(no int64, cells []string, sum *Summary, into Into) (bad string, err error) {
	in, err := t.read(no, cells)
	if err != nil {
		return err.Error(), nil
	}
	row, ignore, err := t.judge(in)
	if err != nil {
		return err.Error(), nil
	}
	if ignore {
		sum.Ignored++
		return "", nil
	}
	return "", sum.row(into, row)
}

// read reads the cells of a row.
func (t *table) read(no int64, cells []string) (raw, error) {
	in := raw{line: no, total: t.Rules.Totals, currency: t.Place.Currency}
	text := map[Field]string{}
	for f := range t.sheet.columns {
		var err error
		if text[f], err = t.sheet.cell(cells, f); err != nil {
			return in, err
		}
	}
	if c := strings.ToUpper(text[FieldCurrency]); c != "" {
		in.currency = c
	}
	if !currency.IsCode(in.currency) {
		return in, fmt.Errorf("%q is no currency", clip(in.currency))
	}
	var err error
	if in.amount, err = t.amount(text[FieldAmount], in.currency); err != nil {
		return in, err
	}
	t.all, t.since = plus(t.all, in.amount), plus(t.since, in.amount)
	if d := text[FieldDiscount]; d != "" {
		in.hasDiscount = true
		if in.discount, err = t.amount(d, in.currency); err != nil {
			return in, fmt.Errorf("discount: %w", err)
		}
	} else if _, known := t.sheet.columns[FieldDiscount]; known {
		in.hasDiscount = true // none
	}
	if n := text[FieldCount]; n != "" {
		in.hasCount = true
		if in.count, err = strconv.ParseInt(n, 10, 64); err != nil || in.count < 0 {
			return in, fmt.Errorf("%q is no count", clip(n))
		}
	}
	in.store, in.receipt, in.lane, in.kind = text[FieldStore], text[FieldReceipt], text[FieldLane], text[FieldKind]
	in.card = text[FieldCard] != "" && text[FieldCard] != "0" && !strings.EqualFold(text[FieldCard], "false")
	return in, t.moment(text, &in)
}

func (t *table) amount(text, code string) (int64, error) {
	return readAmount(text, code, t.Rules.decimal(), t.Rules.Thousands)
}

// moment reads when a row was.
func (t *table) moment(text map[Field]string, in *raw) error {
	if d := text[FieldDate]; d != "" {
		day, _, err := t.date.read(d, time.UTC)
		if err != nil {
			return err
		}
		in.day = entry.DateOf(day)
	}
	when := text[FieldTime]
	if when == "" {
		return nil
	}
	at, dateOnly, err := t.time.read(when, t.zone)
	if err != nil {
		return err
	}
	switch clock := text[FieldClock]; {
	case clock != "":
		c, _, err := t.clock.read(clock, time.UTC)
		if err != nil {
			return err
		}
		at, in.timed = time.Date(at.Year(), at.Month(), at.Day(), c.Hour(), c.Minute(), c.Second(), c.Nanosecond(), t.zone), true
	case dateOnly:
		if in.day == 0 {
			in.day = entry.DateOf(at)
		}
	default:
		in.timed = true
	}
	in.at = at
	return nil
}

// isTotal says whether a row is a line of sums.
func (t *table) isTotal(cells []string) bool {
	if t.Rules.Total == "" {
		return false
	}
	for _, c := range cells {
		c = strings.TrimSpace(c)
		if len(c) >= len(t.Rules.Total) && strings.EqualFold(c[:len(t.Rules.Total)], t.Rules.Total) {
			return true
		}
	}
	return false
}

// checkTotal holds a line of sums against the rows above it: all of them, or those behind
// the last such line.
func (t *table) checkTotal(cells []string) (bad string) {
	defer func() { t.since = 0 }()
	text, err := t.sheet.cell(cells, FieldAmount)
	if err != nil {
		return "is a total, and " + err.Error()
	}
	n, err := t.amount(text, t.Place.Currency)
	if err != nil {
		return "is a total, and " + err.Error()
	}
	if n != t.all && n != t.since {
		return fmt.Sprintf("is a total of %s, and the rows above it come to %s", currency.Decimal(t.Place.Currency, n), currency.Decimal(t.Place.Currency, t.all))
	}
	return ""
}
