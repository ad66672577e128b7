package apple

import (
	"strings"
	"unicode/utf16"
)

// languages are those that a pass speaks, English first: a phone set to another one
// shows that.
var languages = []string{"en", "tr", "pl"}

// phrase is one text in the languages of a pass. Its English form is the key in the
// strings files, so that a phone which finds no translation still shows words.
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
	var text strings.Builder
	for _, p := range s.phrases {
		text.WriteString(`"` + escape(p.en) + `" = "` + escape(p.in(language)) + "\";\n")
	}
	units := utf16.Encode([]rune(text.String()))
	out := make([]byte, 0, 2*len(units)+2)
	out = append(out, 0xFF, 0xFE)
	for _, u := range units {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// escape writes a text as it stands between quotes in a strings file.
func escape(text string) string {
	return escapes.Replace(text)
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
