package print

// RowKind says what a row is.
type RowKind string

// Kinds of rows.
const (
	RowText RowKind = "text" // Text, wrapped
	RowPair RowKind = "pair" // Text at the left, Right at the right end
	RowRule RowKind = "rule" // a line across
	RowQR   RowKind = "qr"   // Text as a QR code, in the middle
	RowFeed RowKind = "feed" // an empty line
)

// Row is one row of a receipt before it is given a width.
type Row struct {
	Kind   RowKind `json:"kind"`
	Text   string  `json:"text,omitempty"`
	Right  string  `json:"right,omitempty"`
	Center bool    `json:"center,omitempty"`
	Bold   bool    `json:"bold,omitempty"`
	Large  bool    `json:"large,omitempty"` // twice as wide and high
}

// Document is a laid-out receipt.
type Document struct {
	Language Language
	Rows     []Row
}

func (d *Document) text(text string) { d.Rows = append(d.Rows, Row{Kind: RowText, Text: text}) }

func (d *Document) center(text string) {
	d.Rows = append(d.Rows, Row{Kind: RowText, Text: text, Center: true})
}

func (d *Document) pair(left, right string) {
	d.Rows = append(d.Rows, Row{Kind: RowPair, Text: left, Right: right})
}
func (d *Document) rule()          { d.Rows = append(d.Rows, Row{Kind: RowRule}) }
func (d *Document) feed()          { d.Rows = append(d.Rows, Row{Kind: RowFeed}) }
func (d *Document) qr(text string) { d.Rows = append(d.Rows, Row{Kind: RowQR, Text: text}) }

func (d *Document) strong(left, right string) {
	d.Rows = append(d.Rows, Row{Kind: RowPair, Text: left, Right: right, Bold: true})
}

// loud is a line that nobody may miss.
func (d *Document) loud(text string) {
	d.Rows = append(d.Rows, Row{Kind: RowText, Text: text, Center: true, Bold: true, Large: true})
}
