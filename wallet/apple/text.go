package apple

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of texts, in characters as people count them. Longer ones end with an ellipsis.
const (
	maxShort = 64     // on the front: names, numbers, labels
	maxLine  = 240    // descriptions, one voucher on the back
	maxBack  = 12_000 // terms
	maxBytes = 64     // bytes a character has at most on average; more is not looked at
	maxMarks = 8      // accents on one letter; more are drawn over other lines
)

const ellipsis = "…"

// cut returns clean text of at most limit characters. It never cuts inside what is shown
// as one character: a letter with its accents, an emoji of several parts, a flag.
func cut(text string, limit int) string {
	text = clean(text, limit*maxBytes)
	if len(text) <= limit {
		return text // a character has a byte at least
	}
	count, last, end := 0, 0, 0
	for end < len(text) {
		size := clusterLen(text[end:])
		if count++; count > limit {
			return text[:last] + ellipsis
		}
		if count < limit {
			last = end + size
		}
		end += size
	}
	return text
}

// clean drops what has no place in a pass: control characters other than line ends,
// characters that turn the direction of all text behind them, heaps of accents, and bytes
// that are not UTF-8.
func clean(text string, limit int) string {
	text = atMost(text, limit) // before the next line, as a limit on work; behind it, since it makes texts longer
	text = atMost(strings.ToValidUTF8(text, "\uFFFD"), limit)
	text = strings.ReplaceAll(text, "\r\n", "\n")
	marks := 0
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
		case r == '\r', r == '\u2028', r == '\u2029':
			r = '\n'
		case r == '\t':
			r = ' '
		case unicode.IsControl(r), r >= '\u202A' && r <= '\u202E', r >= '\u2066' && r <= '\u2069', r == '\uFEFF':
			return -1
		}
		if !isMark(r) {
			marks = 0
			return r
		}
		if marks++; marks > maxMarks {
			return -1
		}
		return r
	}, text))
}

// atMost cuts a text behind so many bytes, between two characters.
func atMost(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + ellipsis
}

// isMark tells accents and the like. There are none below U+0300, where most text is.
func isMark(r rune) bool { return r >= '\u0300' && unicode.Is(unicode.M, r) }

// oneLine is cut for what stands on the front.
func oneLine(text string, limit int) string {
	return cut(strings.Join(strings.Fields(text), " "), limit)
}

const (
	joiner    = '\u200D'
	firstFlag = '\U0001F1E6'
	lastFlag  = '\U0001F1FF'
)

// clusterLen returns the bytes of the first character as a reader sees it. It follows
// UAX #29 for what names hold: marks and modifiers stay with their letter, what a joiner
// joins stays together, regional letters go in pairs, Hangul parts form a syllable.
func clusterLen(text string) int {
	first, end := utf8.DecodeRuneInString(text)
	flags, previous := 0, first
	if isFlag(first) {
		flags = 1
	}
	for end < len(text) {
		next, size := utf8.DecodeRuneInString(text[end:])
		switch {
		case extends(next):
		case previous == joiner && first != joiner:
		case isFlag(next) && flags == 1:
			flags = 2
		case hangulJoins(previous, next):
		default:
			return end
		}
		previous = next
		end += size
	}
	return end
}

func isFlag(r rune) bool { return r >= firstFlag && r <= lastFlag }

// extends tells whether a rune belongs to the one before it: marks, joiners, variation
// selectors, skin tones, the tags of some flags.
func extends(r rune) bool {
	return isMark(r) || r == joiner || r == '\u200C' ||
		r >= '\U0001F3FB' && r <= '\U0001F3FF' || r >= '\U000E0020' && r <= '\U000E007F'
}

// hangulJoins tells whether two parts of Korean writing form one syllable (UAX #29, GB6-8).
func hangulJoins(a, b rune) bool {
	leading := func(r rune) bool { return r >= 0x1100 && r <= 0x115F || r >= 0xA960 && r <= 0xA97C }
	vowel := func(r rune) bool { return r >= 0x1160 && r <= 0x11A7 || r >= 0xD7B0 && r <= 0xD7C6 }
	trailing := func(r rune) bool { return r >= 0x11A8 && r <= 0x11FF || r >= 0xD7CB && r <= 0xD7FB }
	whole := func(r rune) bool { return r >= 0xAC00 && r <= 0xD7A3 }
	open := func(r rune) bool { return whole(r) && (r-0xAC00)%28 == 0 }
	switch {
	case leading(a):
		return leading(b) || vowel(b) || whole(b)
	case vowel(a) || open(a):
		return vowel(b) || trailing(b)
	case trailing(a) || whole(a):
		return trailing(b)
	}
	return false
}
