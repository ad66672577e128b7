package print

import (
	"math"
	"strconv"
	"strings"
)

// exponents are the digits behind the point of currencies that do not have two (ISO 4217).
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// number writes a whole number with the language's separator of thousands.
func (l Language) number(n int64) string { return l.decimal(n, 0) }

// money writes an amount in minor units, without its currency.
func (l Language) money(currency string, minor int64) string {
	digits, known := exponents[currency]
	if !known {
		digits = 2
	}
	return l.decimal(minor, digits)
}

// decimal writes n with so many digits behind the point.
func (l Language) decimal(n int64, behind int) string {
	size := uint64(n)
	sign := ""
	if n < 0 {
		sign = "-"
		if size = uint64(-n); n == math.MinInt64 {
			size = 1 << 63
		}
	}
	text := strconv.FormatUint(size, 10)
	if len(text) <= behind {
		text = strings.Repeat("0", behind+1-len(text)) + text
	}
	whole, part := text[:len(text)-behind], text[len(text)-behind:]
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
