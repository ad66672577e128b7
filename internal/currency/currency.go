package currency

import (
	"math"
	"strconv"
	"strings"
)

// digits are those of currencies that do not have two (ISO 4217).
var digits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0,
	"XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

// Digits returns how many digits stand behind the point of a currency's amounts.
func Digits(currency string) int {
	if n, known := digits[currency]; known {
		return n
	}
	return 2
}

// IsCode reports whether a text has the shape of a currency's code (ISO 4217): three
// capital letters.
func IsCode(text string) bool {
	return len(text) == 3 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Split returns the sign ("-" or nothing), the digits before and those behind the point
// of n units of which 10^behind make a whole one.
func Split(n int64, behind int) (sign, whole, part string) {
	size := uint64(n)
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
	return sign, text[:len(text)-behind], text[len(text)-behind:]
}

// Decimal writes an amount in minor units as a decimal number of whole ones: 12.50.
func Decimal(currency string, minor int64) string {
	sign, whole, part := Split(minor, Digits(currency))
	if part != "" {
		part = "." + part
	}
	return sign + whole + part
}
