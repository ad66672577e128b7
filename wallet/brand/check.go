package brand

import (
	"image/color"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tallystick/tallystick/internal/problem"
)

// Limits of what a brand says, in characters.
const (
	MaxName        = 60
	MaxDescription = 100
	MaxTerms       = 4000
	MaxWebsite     = 300
	maxUnit        = 32
)

// Languages are those a pass is written in, English first: what another lacks is said in
// it, and a phone set to none of them shows it.
var Languages = []string{"en", "tr", "pl"}

// Contrasts below which a warning is given (WCAG 2.2, 1.4.3 and 1.4.11).
const (
	ContrastText  = 4.5
	ContrastShape = 3.0
)

// Code names what a warning is about. Codes are stable: the console has words for them.
type Code string

// The warnings.
const (
	WarnForeground Code = "foreground_contrast" // Have: ratio to the background
	WarnLabel      Code = "label_contrast"
	WarnStamps     Code = "stamp_contrast"       // of empty stamps, in the label's colour
	WarnName       Code = "name_long"            // Google cuts it; Have: characters
	WarnTexts      Code = "texts_missing"        // Field: /texts/tr
	WarnLogoSmall  Code = "logo_small"           // is drawn larger than it is; Have: pixels of its height
	WarnStripSmall Code = "strip_small"          // Have: pixels of its width
	WarnStripShape Code = "strip_shape"          // much is cut away; Have: percent
	WarnIconShape  Code = "icon_shape"           // not square; Have: percent that is cut away
	WarnLogoWide   Code = "logo_wide_for_circle" // Have: width over height
)

// Warning is something a person should look at before a brand is used. Field is the
// JSON pointer of what it is about; Have and Want are the figures.
type Warning struct {
	Code       Code
	Field      string
	Have, Want float64
}

// Google shows this much of a programme's name.
const shownName = 20

// Check looks at a brand before it is used. What cannot be used at all is a
// problem.InvalidField that names each field; what can but will be hard to read, or look
// bad, is a warning.
func Check(b Brand) ([]Warning, error) {
	refused := map[string]string{}
	b.checkTexts(refused)
	colours := b.checkColours(refused)
	if s := b.Stamps; s != nil {
		if s.Goal < 1 || s.Goal > MaxStamps {
			refused["/stamps/goal"] = "must be 1 to " + strconv.Itoa(MaxStamps)
		}
		checkText(refused, "/stamps/unit", s.Unit, 1, maxUnit)
	}
	var found []Warning
	for _, p := range []struct {
		field string
		raw   []byte
		judge func(w, h float64) []Warning
	}{{"/pictures/logo", b.Logo, judgeLogo}, {"/pictures/icon", b.Icon, judgeIcon}, {"/pictures/strip", b.Strip, judgeStrip}} {
		if len(p.raw) == 0 {
			continue
		}
		config, err := limits(p.raw)
		if err != nil {
			refused[p.field] = err.Error()
			continue
		}
		found = append(found, p.judge(float64(config.Width), float64(config.Height))...)
	}
	if len(refused) > 0 {
		return nil, &problem.Error{Code: problem.InvalidField, Detail: "the look cannot be used so", Fields: refused}
	}
	return append(append(b.judgeColours(colours), b.judgeTexts()...), found...), nil
}

func (b Brand) checkTexts(refused map[string]string) {
	checkText(refused, "/programme", b.Programme, 1, MaxName)
	checkText(refused, "/company", b.Company, 1, MaxName)
	if _, ok := b.Texts["en"]; !ok {
		refused["/texts/en"] = "is missing"
	}
	for locale, t := range b.Texts {
		at := "/texts/" + locale
		if !slices.Contains(Languages, locale) {
			refused[at] = "is none of the languages"
			continue
		}
		checkText(refused, at+"/description", t.Description, 1, MaxDescription)
		checkLines(refused, at+"/terms", t.Terms, MaxTerms)
	}
	if b.Website == "" {
		return
	}
	u, err := url.Parse(b.Website)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(b.Website) > MaxWebsite {
		refused["/website"] = "must be an address that begins with https://"
	}
}

// checkText refuses what is empty, too long, or has characters that nobody sees.
func checkText(refused map[string]string, field, text string, least, most int) {
	checkLines(refused, field, text, most)
	n := utf8.RuneCountInString(strings.TrimSpace(text))
	switch {
	case n < least:
		refused[field] = "must not be empty"
	case strings.ContainsAny(text, "\n\t"):
		refused[field] = "must be one line"
	}
}

func checkLines(refused map[string]string, field, text string, most int) {
	switch {
	case !utf8.ValidString(text):
		refused[field] = "is not UTF-8"
	case utf8.RuneCountInString(text) > most:
		refused[field] = "must have at most " + strconv.Itoa(most) + " characters"
	case strings.ContainsFunc(text, unseen):
		refused[field] = "must not have control characters"
	}
}

// unseen are control characters, and those that turn the direction of what follows.
func unseen(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

func (b Brand) checkColours(refused map[string]string) inks {
	read := func(field, text string) color.NRGBA {
		c, err := ParseColour(text)
		if err != nil {
			refused[field] = err.Error()
		}
		return c
	}
	return inks{read("/background", b.Background), read("/foreground", b.Foreground), read("/label", b.Label)}
}

func (b Brand) judgeColours(c inks) []Warning {
	var found []Warning
	judge := func(code Code, field string, ink color.NRGBA, want float64) {
		// Rounded down, so that a figure shown as 4.5 is enough.
		if have := math.Floor(Contrast(ink, c.background)*100) / 100; have < want {
			found = append(found, Warning{code, field, have, want})
		}
	}
	judge(WarnForeground, "/foreground", c.foreground, ContrastText)
	judge(WarnLabel, "/label", c.label, ContrastText)
	if b.Stamps != nil {
		judge(WarnStamps, "/label", c.label, ContrastShape)
	}
	return found
}

func (b Brand) judgeTexts() []Warning {
	var found []Warning
	if n := utf8.RuneCountInString(b.Programme); n > shownName {
		found = append(found, Warning{WarnName, "/programme", float64(n), shownName})
	}
	for _, locale := range Languages {
		if t, ok := b.Texts[locale]; !ok || t.Terms == "" {
			found = append(found, Warning{Code: WarnTexts, Field: "/texts/" + locale})
		}
	}
	return found
}

func judgeLogo(w, h float64) []Warning {
	var found []Warning
	if need := float64(logo.height * scales); h < need && w < float64(logo.width*scales) {
		found = append(found, Warning{WarnLogoSmall, "/pictures/logo", h, need})
	}
	if w > 3*h {
		found = append(found, Warning{WarnLogoWide, "/pictures/logo", math.Round(w/h*10) / 10, 3})
	}
	return found
}

func judgeIcon(w, h float64) []Warning {
	if cut := cutAway(w, h, 1, 1); cut > 10 {
		return []Warning{{WarnIconShape, "/pictures/icon", cut, 10}}
	}
	return nil
}

func judgeStrip(w, h float64) []Warning {
	var found []Warning
	if need := float64(storeCardStrip.width * scales); w < need {
		found = append(found, Warning{WarnStripSmall, "/pictures/strip", w, need})
	}
	if cut := cutAway(w, h, float64(storeCardStrip.width), float64(storeCardStrip.height)); cut > 25 {
		found = append(found, Warning{WarnStripShape, "/pictures/strip", cut, 25})
	}
	return found
}

// cutAway is how many percent of a picture are lost when it fills another shape.
func cutAway(w, h, toW, toH float64) float64 {
	share := (w * toH) / (h * toW)
	return math.Round(100 * (1 - min(share, 1/share)))
}
