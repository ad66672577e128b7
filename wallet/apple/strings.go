package apple

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// phrase is one text in the languages of a pass ([brand.Languages]). Its English form is the
// key in the strings files, so that a phone which finds no translation still shows words.
type phrase struct{ en, tr, pl string }

func (p phrase) in(language string) string {
	switch {
	case language == "tr" && p.tr != "":
		return p.tr
	case language == "pl" && p.pl != "":
		return p.pl
	}
	return p.en
}

// said are the phrases that one pass uses, in the order of their first use.
type said struct {
	phrases []phrase
	known   map[string]bool
}

// say takes a phrase up and returns its key.
func (s *said) say(p phrase) string {
	if s.known == nil {
		s.known = make(map[string]bool)
	}
	if p.en != "" && !s.known[p.en] {
		s.known[p.en] = true
		s.phrases = append(s.phrases, p)
	}
	return p.en
}

// strings returns the strings file of one language: "key" = "value"; in UTF-16, little
// endian with a byte order mark, as Apple's String Programming Guide asks.
func (s *said) strings(language string) []byte {
	size := 2
	for _, p := range s.phrases {
		size += 2*(len(p.en)+len(p.in(language))) + 32
	}
	out := append(make([]byte, 0, size), 0xFF, 0xFE)
	for _, p := range s.phrases {
		out = appendUTF16(appendQuoted(out, p.en), " = ")
		out = appendUTF16(appendQuoted(out, p.in(language)), ";\n")
	}
	return out
}

// appendQuoted appends a text as it stands between quotes in a strings file.
func appendQuoted(out []byte, text string) []byte {
	out = append(out, '"', 0)
	return append(appendUTF16(out, escapes.Replace(text)), '"', 0)
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func appendUTF16(out []byte, text string) []byte {
	for _, r := range text {
		if first, second := utf16.EncodeRune(r); first != unicode.ReplacementChar {
			out = append(out, byte(first), byte(first>>8), byte(second), byte(second>>8))
			continue
		}
		out = append(out, byte(r), byte(r>>8))
	}
	return out
}
