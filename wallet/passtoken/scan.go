package passtoken

import (
	"errors"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/problem"
)

// MaxRaw is the most bytes a scan may have; longer input is refused unread. A
// rotating code is 159 characters, at most two bytes each when a layout has
// scrambled it, and the rest is room for white space and an AIM prefix.
const MaxRaw = 512

// Candidate is one reading of a scan that has the form of a code. Nothing about it
// is verified yet.
type Candidate struct {
	Token Token
	// Rotating says that Unix and TOTP are set.
	Rotating bool
	// Unix is the moment the code says it was made for, in seconds.
	Unix int64
	// TOTP is eight digits.
	TOTP string
	// Repair is what this reading undid.
	Repair Repair
}

// Scan returns every reading of raw that has the form of a code, the least
// repaired first and no reading twice. There are few: which is right only the
// signature says, so most callers want [Verifier.Verify]. With no reading the
// error is that of the reading that came nearest: CodeVersion, CodeTruncated or
// CodeUnreadable.
func Scan(raw string) ([]Candidate, error) {
	runes, err := clean(raw)
	if err != nil {
		return nil, err
	}
	var found []Candidate
	var refused nearest
	for c, err := range readings(runes) {
		if err != nil {
			refused.note(err)
			continue
		}
		found = append(found, c)
	}
	if len(found) == 0 {
		return nil, refused.error()
	}
	return found, nil
}

// clean bounds the input and drops the white space that scanners add around and,
// in some terminals, inside a code.
func clean(raw string) ([]rune, error) {
	if len(raw) > MaxRaw {
		return nil, problem.Newf(problem.CodeUnreadable, "longer than %d bytes", MaxRaw)
	}
	if !utf8.ValidString(raw) {
		return nil, problem.New(problem.CodeUnreadable, "not UTF-8")
	}
	runes := make([]rune, 0, len(raw))
	for _, r := range raw {
		switch r {
		case '\r', '\n', '\t', ' ':
		default:
			runes = append(runes, r)
		}
	}
	if len(runes) == 0 {
		return nil, problem.New(problem.CodeUnreadable, "empty")
	}
	return runes, nil
}

// readings yields, layout by layout, the candidate or why there is none. Layouts
// that read the same text count once, so a forged code costs few verifications.
func readings(runes []rune) iter.Seq2[Candidate, error] {
	return func(yield func(Candidate, error) bool) {
		seen := make([]string, 0, len(layouts))
		for _, l := range layouts {
			text, ok := l.undo(runes)
			if !ok || slices.Contains(seen, text) {
				continue
			}
			seen = append(seen, text)
			c, err := candidate(text)
			c.Repair = l.repair
			if l.repair == RepairNone && !strings.HasSuffix(string(runes), text) {
				c.Repair = RepairCase
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// candidate reads a normalised text.
func candidate(text string) (Candidate, error) {
	form := shape(text)
	switch form {
	case shapeNone:
		return Candidate{}, problem.New(problem.CodeUnreadable, "not the text of a pass token")
	case shapeTruncated:
		return Candidate{}, problem.Newf(problem.CodeTruncated,
			"%d characters, want %d or %d", len(text), TextLen, RotatingLen)
	case shapeOtherVersion:
		return Candidate{}, problem.Newf(problem.CodeVersion, "text version %c", text[len(prefix)-1])
	}
	t, err := decodeBody(text)
	if err != nil {
		return Candidate{}, err
	}
	c := Candidate{Token: t}
	if form == shapeRotating {
		unix, err := strconv.ParseInt(text[TextLen:TextLen+unixLen], 10, 64)
		if err != nil {
			return Candidate{}, problem.Wrap(problem.CodeUnreadable, err, "time is not a number")
		}
		c.Rotating, c.Unix, c.TOTP = true, unix, text[TextLen+unixLen:]
	}
	return c, nil
}

// nearest keeps the refusal of the reading that came nearest to a good code, and
// among equals the first, which is the least repaired.
type nearest struct{ err error }

func (n *nearest) note(err error) {
	if n.err == nil || nearness(err) > nearness(n.err) {
		n.err = err
	}
}

func (n *nearest) error() error {
	if n.err == nil {
		return problem.New(problem.CodeUnreadable, "characters that no known keyboard layout makes of a pass token")
	}
	return n.err
}

func nearness(err error) int {
	var e *problem.Error
	if !errors.As(err, &e) {
		return 0
	}
	switch e.Code {
	case problem.CodeUnreadable:
		return 0
	case problem.CodeTruncated:
		return 1
	case problem.CodeVersion:
		return 2
	}
	return 3
}
