package print

import "bytes"

// Printer is what a printer can do.
type Printer struct {
	Columns int
	Page    CodePage
	Drawer  bool // open the cash drawer with each receipt that is no copy
}

// Commands of ESC/POS (Epson's reference of the TM series).
var (
	escInit      = []byte{0x1b, '@'}
	escLeft      = []byte{0x1b, 'a', 0}
	escCenter    = []byte{0x1b, 'a', 1}
	escBold      = []byte{0x1b, 'E', 1}
	escThin      = []byte{0x1b, 'E', 0}
	gsLarge      = []byte{0x1d, '!', 0x11}
	gsNormal     = []byte{0x1d, '!', 0}
	gsCut        = []byte{0x1d, 'V', 'B', 0} // feed to the knife, cut nearly through
	escDrawer    = []byte{0x1b, 'p', 0, 25, 250}
	feedForKnife = 3
)

// Modules of a QR code in dots: 41 modules of a pass token are 205 dots of 384, the width of
// 32 columns, and 246 of 512 or more.
const (
	moduleWide   = 6
	moduleNarrow = 5
	narrow       = 36 // columns
)

// ESCPOS writes a document for a printer.
func ESCPOS(d Document, p Printer) []byte {
	var out bytes.Buffer
	out.Write(escInit)
	out.Write([]byte{0x1b, 't', p.Page.Number})
	if p.Drawer {
		out.Write(escDrawer)
	}
	for _, row := range d.Rows {
		p.row(&out, row)
	}
	for range feedForKnife {
		out.WriteByte('\n')
	}
	out.Write(gsCut)
	return out.Bytes()
}

func (p Printer) row(out *bytes.Buffer, row Row) {
	if row.Kind == RowQR {
		out.Write(escCenter)
		p.qr(out, row.Text)
		out.Write(escLeft)
		return
	}
	columns := p.Columns
	row.Text, row.Right = p.Page.Fold(row.Text), p.Page.Fold(row.Right)
	if row.Large {
		columns /= 2
		out.Write(gsLarge)
	}
	if row.Bold {
		out.Write(escBold)
	}
	centered := row.Center
	if row.Center = false; centered {
		out.Write(escCenter)
	}
	for _, line := range linesOf(row, columns) {
		out.Write(p.Page.Encode(line))
		out.WriteByte('\n')
	}
	if centered {
		out.Write(escLeft)
	}
	if row.Bold {
		out.Write(escThin)
	}
	if row.Large {
		out.Write(gsNormal)
	}
}

// qr writes a QR code of model 2, level M, by GS ( k: size, level, data, print.
func (p Printer) qr(out *bytes.Buffer, text string) {
	module := byte(moduleWide)
	if p.Columns < narrow {
		module = moduleNarrow
	}
	function := func(fn byte, parameters ...byte) {
		n := len(parameters) + 2
		out.Write([]byte{0x1d, '(', 'k', byte(n), byte(n >> 8), '1', fn})
		out.Write(parameters)
	}
	function(65, '2', 0)
	function(67, module)
	function(69, '1')
	function(80, append([]byte{'0'}, p.Page.Encode(text)...)...)
	function(81, '0')
	out.WriteByte('\n')
}
