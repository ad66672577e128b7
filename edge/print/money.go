package print

import (
	"strings"

	"github.com/tallystick/tallystick/internal/currency"
)

// number writes a whole number with the language's separator of thousands.
func (l Language) number(n int64) string { return l.decimal(n, 0) }

// money writes an amount in minor units, without its currency.
func (l Language) money(code string, minor int64) string {
	return l.decimal(minor, currency.Digits(code))
}

// decimal writes n with so many digits behind the point.
func (l Language) decimal(n int64, behind int) string {
	sign, whole, part := currency.Split(n, behind)
	var out strings.Builder
	out.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteString(l.words().thousands)
		}
		out.WriteRune(digit)
	}
	if behind > 0 {
		out.WriteString(l.words().point + part)
	}
	return out.String()
}
