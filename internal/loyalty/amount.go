package loyalty

import (
	"errors"
	"math/bits"
)

// MaxAmount bounds every amount that comes from outside: 2^53 − 1, which JSON
// readers everywhere can represent. Sums of 500 lines stay far inside an int64.
const MaxAmount = 1<<53 - 1

// ErrOverflow means that a result does not fit, or exceeds MaxAmount.
var ErrOverflow = errors.New("amount overflows")

// Add returns a + b, or ErrOverflow when the sum exceeds MaxAmount either way.
func Add(a, b int64) (int64, error) {
	sum := a + b
	if (b > 0 && sum < a) || (b < 0 && sum > a) || sum > MaxAmount || sum < -MaxAmount {
		return 0, ErrOverflow
	}
	return sum, nil
}

// Mul returns a × b for amounts that are not negative, or ErrOverflow.
func Mul(a, b int64) (int64, error) {
	if a < 0 || b < 0 {
		return 0, ErrOverflow
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi != 0 || lo > MaxAmount {
		return 0, ErrOverflow
	}
	return int64(lo), nil
}

// share returns part × of ÷ whole rounded down, for 0 ≤ part ≤ whole and of ≥ 0. The product
// is held in 128 bits, so it cannot overflow.
func share(part, of, whole int64) int64 {
	hi, lo := bits.Mul64(uint64(part), uint64(of))
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return int64(q)
}
