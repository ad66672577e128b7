package programme

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ledger"
)

// Most is the largest amount a person may enter, in any unit or currency. It leaves
// room for a million such amounts in an int64.
const Most = 1_000_000_000_000

var unitShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// refusal collects what is wrong with a request: JSON pointer to reason.
type refusal map[string]string

func (r refusal) unless(ok bool, pointer, reason string) {
	if !ok {
		r[pointer] = reason
	}
}

func (r refusal) text(pointer, value string, least, most int) {
	n := utf8.RuneCountInString(value)
	printable := !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f })
	r.unless(utf8.ValidString(value) && n >= least && n <= most && printable, pointer, "is too short, too long or not printable")
}

func (r refusal) between(pointer string, value, least, most int64) {
	r.unless(value >= least && value <= most, pointer, "is out of range")
}

func (r refusal) unit(pointer, value string) {
	r.unless(unitShape.MatchString(value), pointer, "must be a lower-case word of at most 32 letters, digits and underscores")
}

// newUnit refuses the unit in which all uses of vouchers are counted, too.
func (r refusal) newUnit(pointer, value string) {
	r.unit(pointer, value)
	r.unless(value != ledger.Uses, pointer, "is what uses of vouchers are counted in")
}

func (r refusal) currency(pointer, value string) {
	r.unless(currency.IsCode(value), pointer, "must be an ISO 4217 code")
}

func (r refusal) period(pointer string, from, to time.Time) {
	r.unless(to.IsZero() || to.After(from), pointer, "must be after valid_from")
}

// err is nil when nothing was refused.
func (r refusal) err(detail string) error {
	if len(r) == 0 {
		return nil
	}
	return &problem.Error{Code: problem.InvalidField, Detail: detail, Fields: r}
}

// millis is Unix milliseconds, zero for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
