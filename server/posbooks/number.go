package posbooks

import (
	"fmt"
	"math"
	"strings"

	"github.com/tallystick/tallystick/internal/currency"
)

// maxAmount is the largest amount of a row in minor units, as everywhere.
const maxAmount = 1<<53 - 1

// readAmount reads a decimal number of whole units of a currency as minor ones. A sign may
// stand before or behind it, or brackets around it; spaces and the thousands character are
// passed over. More digits than the currency has are refused unless they are zeros:
// nothing is rounded.
func readAmount(text, code, decimal, thousands string) (int64, error) {
	bad := fmt.Errorf("%q is no amount", clip(text))
	s, negative := unsign(strings.TrimSpace(text))
	digits, behind, seen := 0, 0, false
	var n int64
	for _, r := range s {
		switch c := string(r); {
		case r >= '0' && r <= '9':
			digits++
			if seen {
				behind++
			}
			if behind > currency.Digits(code) {
				if r != '0' {
					return 0, fmt.Errorf("%q has more digits behind the point than %s has", clip(text), clip(code))
				}
				continue
			}
			if n = n*10 + int64(r-'0'); n > maxAmount {
				return 0, fmt.Errorf("%q is too large", clip(text))
			}
		case c == decimal && !seen:
			seen = true
		case !seen && (c == thousands || r == ' ' || r == '\u00a0' || r == '\u202f' || r == '\''):
		default:
			return 0, bad
		}
	}
	if digits == 0 {
		return 0, bad
	}
	for ; behind < currency.Digits(code); behind++ {
		if n *= 10; n > maxAmount {
			return 0, fmt.Errorf("%q is too large", clip(text))
		}
	}
	if negative {
		n = -n
	}
	return n, nil
}

// unsign takes the sign from a number.
func unsign(s string) (rest string, negative bool) {
	if inner, ok := strings.CutPrefix(s, "("); ok && strings.HasSuffix(inner, ")") {
		return strings.TrimSuffix(inner, ")"), true
	}
	for _, minus := range []string{"-", "\u2212"} {
		if rest, ok := strings.CutPrefix(s, minus); ok {
			return strings.TrimSpace(rest), true
		}
		if rest, ok := strings.CutSuffix(s, minus); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return strings.TrimPrefix(s, "+"), false
}

// plus adds, and stays at the ends of the range.
func plus(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}
