package passtoken

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

// CardNumber is the number printed on a member's card, to be typed where no code can be
// read: fifteen digits made of the member's id and a check digit. It is no secret and no
// proof: who types one has not shown the card.
type CardNumber uint64

const (
	numberDigits = 16
	leastNumber  = 100_000_000_000_000 // fifteen digits, the first not zero
	manyNumbers  = 9 * leastNumber
)

// CardNumberOf returns the number of a member: the first eight bytes of the SHA-256 of
// "tallystick card number v1\0" and the id, big endian, modulo 9·10¹⁴, plus 10¹⁴, and the
// check digit. Both ends make it, so nobody has to be told; nothing about the member can
// be read from it. Among ten million members two have the same one with a chance of 5 %.
func CardNumberOf(member uuid.UUID) CardNumber {
	sum := sha256.Sum256(append([]byte("tallystick card number v1\x00"), member[:]...))
	digits := binary.BigEndian.Uint64(sum[:])%manyNumbers + leastNumber
	return CardNumber(digits*10 + checkDigit(strconv.FormatUint(digits, 10)))
}

// String returns the number in groups of four digits.
func (n CardNumber) String() string {
	digits := strconv.FormatUint(uint64(n), 10)
	var groups []string
	for len(digits) > 4 {
		groups, digits = append(groups, digits[:4]), digits[4:]
	}
	return strings.Join(append(groups, digits), " ")
}

// ReadCardNumber reads a typed number; spaces and hyphens count for nothing. is tells
// whether the text looks like one at all: digits, one more or less than there should be.
func ReadCardNumber(text string) (n CardNumber, is bool, err error) {
	digits := make([]byte, 0, numberDigits+1)
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			if digits = append(digits, c); len(digits) > numberDigits+1 {
				return 0, false, nil
			}
		case c == ' ' || c == '-':
		default:
			return 0, false, nil
		}
	}
	if len(digits) < numberDigits-1 {
		return 0, false, nil
	}
	if len(digits) != numberDigits {
		return 0, true, problem.Newf(problem.CardNumberInvalid, "%d digits, a card number has %d", len(digits), numberDigits)
	}
	all, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil || all/10 < leastNumber || checkDigit(string(digits[:numberDigits-1])) != all%10 {
		return 0, true, problem.New(problem.CardNumberInvalid, "the check digit is wrong")
	}
	return CardNumber(all), true, nil
}

// checkDigit is that of ISO/IEC 7064, MOD 11,10. It finds every wrong digit, and nearly
// every two neighbours that were swapped.
func checkDigit(digits string) uint64 {
	p := uint64(10)
	for _, c := range []byte(digits) {
		s := (p + uint64(c-'0')) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return (11 - p) % 10
}
