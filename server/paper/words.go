package paper

import (
	"strings"

	"github.com/tallystick/tallystick/internal/currency"
)

// Locale is the language of a paper, an ISO 639-1 code.
type Locale string

// The languages there are.
const (
	English Locale = "en"
	Turkish Locale = "tr"
	Polish  Locale = "pl"
)

// Known says whether there are words in a language.
func (l Locale) Known() bool { return l == English || l == Turkish || l == Polish }

// words are the phrases of one language. Every field has a text in each. {0}, {1} and so on
// stand for what is filled in.
type words struct {
	point, thousands, page string

	title, store, date, number, office, epoch, restored, cut, digest, previous, first string
	figures, late, ahead, entries, nothing, lateText, aheadText                       string
	kind, count, total, discount, flow, unit, amount, uses                            string
	journals, lane, journal, span, head, none                                         string
	gaps, gap, bound, forks, fork, rejected                                           string
	exceptions, open, settled, clean, differences                                     string
	check, proves, attached                                                           string
	good, bad, badText, ours, notOurs, signed, slow                                   string

	kinds, flows, bases, over, causes map[string]string
}

// words are those of a language; English when there are none in it.
func (l Locale) words() words {
	switch l {
	case Turkish:
		return turkish
	case Polish:
		return polish
	}
	return english
}

// put fills a phrase in.
func put(phrase string, values ...string) string {
	pairs := make([]string, 0, 2*len(values))
	for i, v := range values {
		pairs = append(pairs, "{"+string(rune('0'+i))+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(phrase)
}

// word is a name in the language, or the name itself when it is a new one.
func word(in map[string]string, name string) string {
	if said, ok := in[name]; ok {
		return said
	}
	return name
}

// whole writes a number with the language's separator of thousands.
func (w words) whole(n int64) string { return w.decimal(n, 0) }

// money writes an amount in minor units, with the code of its currency.
func (w words) money(code string, minor int64) string {
	return w.decimal(minor, currency.Digits(code)) + " " + code
}

func (w words) decimal(n int64, behind int) string {
	sign, whole, part := currency.Split(n, behind)
	var out strings.Builder
	out.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteString(w.thousands)
		}
		out.WriteRune(digit)
	}
	if part != "" {
		out.WriteString(w.point + part)
	}
	return out.String()
}
