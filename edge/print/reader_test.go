package print_test

import (
	"golang.org/x/text/encoding/charmap"

	"github.com/tallystick/tallystick/edge/print"
)

// paper is what a printer would have made of bytes.
type paper struct {
	page   byte
	lines  []printed
	codes  []string
	drawer bool
	cut    bool
	cuts   int
}

type printed struct {
	text         string
	wide         int
	bold, center bool
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// readPaper is a small printer: it knows the commands of Epson's reference that receipts
// need, and fails at any other byte that is no text.
func readPaper(t failer, raw []byte, table print.CodePage) paper {
	t.Helper()
	p := reader{rest: raw, t: t, wide: 1, decode: decoderOf(table)}
	for len(p.rest) > 0 {
		p.step()
	}
	return p.paper
}

type reader struct {
	paper
	t            failer
	rest         []byte
	line         []rune
	wide         int
	bold, center bool
	code         string
	decode       func(byte) rune
}

func (r *reader) take(n int) []byte {
	if len(r.rest) < n {
		r.t.Fatalf("a command is cut short: %x", r.rest)
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) step() {
	switch b := r.take(1)[0]; {
	case b == '\n':
		r.lines = append(r.lines, printed{string(r.line), r.wide, r.bold, r.center})
		r.line = nil
	case b == 0x1b:
		r.escape()
	case b == 0x1d:
		r.group()
	case b < ' ' || b == 0x7f:
		r.t.Fatalf("control character %#x", b)
	default:
		r.line = append(r.line, r.decode(b))
	}
}

func (r *reader) escape() {
	switch c := r.take(1)[0]; c {
	case '@':
		r.bold, r.center, r.wide = false, false, 1
	case 't':
		r.page = r.take(1)[0]
	case 'a':
		r.center = r.take(1)[0] == 1
	case 'E':
		r.bold = r.take(1)[0] == 1
	case 'p':
		r.take(3)
		r.drawer = true
	default:
		r.t.Fatalf("ESC %q", c)
	}
}

func (r *reader) group() {
	switch c := r.take(1)[0]; c {
	case '!':
		r.wide = int(r.take(1)[0]>>4) + 1
	case 'V':
		r.take(2)
		r.cut, r.cuts = true, r.cuts+1
	case '(':
		r.symbol()
	default:
		r.t.Fatalf("GS %q", c)
	}
}

// symbol reads GS ( k.
func (r *reader) symbol() {
	head := r.take(3)
	body := r.take(int(head[1]) + int(head[2])<<8)
	if head[0] != 'k' || body[0] != '1' {
		r.t.Fatalf("GS ( %q %q", head[0], body[0])
	}
	switch body[1] {
	case 65: // model
		if body[2] != '2' {
			r.t.Fatalf("QR model %q", body[2])
		}
	case 67: // size of a module
		if body[2] < 3 || body[2] > 16 {
			r.t.Fatalf("%d dots a module", body[2])
		}
	case 69: // level
		if body[2] != '1' {
			r.t.Fatalf("QR level %q", body[2])
		}
	case 80:
		r.code = string(body[3:])
	case 81:
		r.codes = append(r.codes, r.code)
	default:
		r.t.Fatalf("QR function %d", body[1])
	}
}

// turkish857 is the upper half of PC857 as IBM has it, to hold our own table against.
const turkish857 = "ÇüéâäàåçêëèïîıÄÅÉæÆôöòûùİÖÜø£ØŞşáíóúñÑĞğ¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ºªÊËÈ\x00ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµ\x00×ÚÛÙìÿ¯´\u00ad±\x00¾¶§÷¸°¨·¹³²■\u00a0"

// decoderOf reads bytes of a page by tables that are not ours.
func decoderOf(p print.CodePage) func(byte) rune {
	known := map[string]*charmap.Charmap{
		"pc437": charmap.CodePage437, "pc850": charmap.CodePage850, "pc852": charmap.CodePage852, "pc858": charmap.CodePage858,
		"wpc1250": charmap.Windows1250, "wpc1252": charmap.Windows1252, "wpc1254": charmap.Windows1254,
	}
	upper := []rune(turkish857)
	return func(b byte) rune {
		switch {
		case b < 0x80:
			return rune(b)
		case p.Name == "pc857":
			return upper[b-0x80]
		}
		return known[p.Name].DecodeByte(b)
	}
}
