package brand

// Brand is the look of a programme's passes. Colours are #rrggbb.
type Brand struct {
	Version    uint64 // counts changes
	Programme  string // what the programme is called
	Company    string // who runs it
	Background string
	Foreground string
	Label      string
	Texts      map[string]Texts // by language; "en" is always there
	Website    string           // https; may be empty
	// Stamps makes the strip a stamp card; nil leaves the strip picture as it is.
	Stamps *Stamps

	// Pictures as uploaded; empty ones take the built-in picture.
	Logo, Icon, Strip []byte
}

// Texts are what a pass says in one language, beside figures.
type Texts struct {
	Description string // read out by screen readers
	Terms       string // on the back
}

// Stamps says which unit fills the stamp card, and how many fill one.
type Stamps struct {
	Unit string
	Goal int64
}

// Image is one PNG ready for a pass, with what an archive and a manifest need of it.
type Image struct {
	Name          string // the file in an Apple pass, as icon@2x.png
	Width, Height int    // pixels
	PNG           []byte
	SHA1          [20]byte
	CRC32         uint32
}
