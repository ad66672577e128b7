package print

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// CodePage is a table of characters of printers and the number by which ESC t selects it.
type CodePage struct {
	Name   string
	Number byte
	bytes  map[rune]byte // of characters above ASCII
}

// pages are the tables known by name, with Epson's numbers.
var pages = map[string]CodePage{
	"pc437":   ofCharmap("pc437", 0, charmap.CodePage437),
	"pc850":   ofCharmap("pc850", 2, charmap.CodePage850),
	"pc852":   ofCharmap("pc852", 18, charmap.CodePage852),
	"pc857":   {"pc857", 13, pc857()},
	"pc858":   ofCharmap("pc858", 19, charmap.CodePage858),
	"wpc1250": ofCharmap("wpc1250", 45, charmap.Windows1250),
	"wpc1252": ofCharmap("wpc1252", 16, charmap.Windows1252),
	"wpc1254": ofCharmap("wpc1254", 48, charmap.Windows1254),
}

// defaultPages are those that nearly every printer has.
var defaultPages = map[Language]string{English: "pc858", Turkish: "pc857", Polish: "pc852"}

// PageOf returns the table for a setting: the name of a table, with "=" and a number when
// the printer selects it by another one than Epson's. An empty setting is the usual table
// of the language.
func PageOf(setting string, language Language) (CodePage, error) {
	if setting == "" {
		return pages[defaultPages[language]], nil
	}
	name, number, given := strings.Cut(strings.ToLower(setting), "=")
	page, known := pages[name]
	if !known {
		return CodePage{}, fmt.Errorf("code page %q is not known; there are %s", name, strings.Join(slices.Sorted(maps.Keys(pages)), ", "))
	}
	if given {
		n, err := strconv.ParseUint(number, 10, 8)
		if err != nil {
			return CodePage{}, fmt.Errorf("code page %q: the number must be 0 to 255", setting)
		}
		page.Number = byte(n)
	}
	return page, nil
}

func ofCharmap(name string, number byte, m *charmap.Charmap) CodePage {
	p := CodePage{name, number, map[rune]byte{}}
	for b := 0x80; b <= 0xff; b++ {
		if r := m.DecodeByte(byte(b)); r >= 0xa0 && r != '\ufffd' { // no control characters
			p.bytes[r] = byte(b)
		}
	}
	return p
}

// pc857 is PC850 with what Turkish needs; the library does not have it.
func pc857() map[rune]byte {
	out := map[rune]byte{}
	for r, b := range ofCharmap("", 0, charmap.CodePage850).bytes {
		out[r] = b
	}
	for _, r := range []rune{'ì', 'ÿ', '×', 'ƒ', 'ª', 'º', 'ð', 'Ð', 'ı', 'þ', 'Þ', 'ý', 'Ý', '‗'} {
		delete(out, r)
	}
	for b, r := range map[byte]rune{
		0x8d: 'ı', 0x98: 'İ', 0x9e: 'Ş', 0x9f: 'ş', 0xa6: 'Ğ', 0xa7: 'ğ', 0xd0: 'º', 0xd1: 'ª', 0xe8: '×', 0xec: 'ì', 0xed: 'ÿ',
	} {
		out[r] = b
	}
	return out
}

// Encode writes text in the table. What the table lacks is written with characters that it
// has; what no rule is for becomes a question mark, and so does every control character.
func (p CodePage) Encode(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range p.Fold(text) {
		if r < 0x80 {
			out = append(out, byte(r))
		} else {
			out = append(out, p.bytes[r])
		}
	}
	return out
}

// Fold returns text with only characters that the table has.
func (p CodePage) Fold(text string) string {
	var out strings.Builder
	for _, r := range norm.NFC.String(text) {
		if p.has(r) {
			out.WriteRune(r)
			continue
		}
		out.WriteString(p.instead(r))
	}
	return out.String()
}

func (p CodePage) has(r rune) bool {
	if r < 0x80 {
		return r >= ' ' && r != 0x7f
	}
	_, ok := p.bytes[r]
	return ok
}

// spelled are characters that do not come apart into a letter and a mark.
var spelled = map[rune]string{
	'ı': "i", 'İ': "I", 'ł': "l", 'Ł': "L", 'ø': "o", 'Ø': "O", 'đ': "d", 'Đ': "D", 'ß': "ss", 'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE",
	'€': "EUR", '₺': "TL", '£': "GBP", '‘': "'", '’': "'", '‚': ",", '“': `"`, '”': `"`, '„': `"`, '«': `"`, '»': `"`, '–': "-", '—': "-",
	'−': "-", '‐': "-", '‑': "-", '…': "...", '\u00a0': " ", '\u202f': " ", '\u2009': " ", '×': "x", '·': ".", '•': "*", '°': "o", '№': "No",
}

// instead is what stands for a character that the table lacks.
func (p CodePage) instead(r rune) string {
	if s, ok := spelled[r]; ok {
		return s
	}
	var out strings.Builder
	for _, part := range norm.NFKD.String(string(r)) {
		switch {
		case part >= 0x300 && part < 0x370: // a mark
		case p.has(part):
			out.WriteRune(part)
		case spelled[part] != "":
			out.WriteString(spelled[part])
		default:
			return "?"
		}
	}
	if out.Len() == 0 {
		return "?"
	}
	return out.String()
}
