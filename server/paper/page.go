package paper

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/tallystick/tallystick/server/storeday"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

var pages = template.Must(template.New("page").Parse(pageText))

// PagePolicy is the Content-Security-Policy of the page: its own style, and nothing else.
var PagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// Prefers chooses a language by an Accept-Language header (RFC 9110, 12.5.4): the first one
// named that there are words in. Weights are not read, since browsers name the best first.
func Prefers(header string) Locale {
	for part := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(part, ";")
		base, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		if l := Locale(strings.ToLower(base)); l.Known() {
			return l
		}
	}
	return English
}

// shown is what the page's template is filled with.
type shown struct {
	Locale Locale
	Style  template.CSS
	Good   bool
	Title  string
	Says   []string
	Pairs  [][2]string
	Parts  []part
	Link   string
	Signed string
}

type part struct {
	Title  string
	Text   []string
	Tables []shownTable
}

type shownTable struct {
	Heads []string
	Right []bool
	Rows  [][]string
}

// Page says that head office issued the certificate, with what the paper says.
func (d Day) Page(locale Locale) ([]byte, error) {
	say := locale.words()
	p := shown{Good: true, Title: say.good, Says: []string{say.ours}, Signed: say.signed, Link: d.Link() + "?text"}
	previous := d.Previous
	if previous == "" {
		previous = say.first
	}
	p.Pairs = [][2]string{
		{say.store, d.Code + " " + d.Name},
		{say.date, d.Date},
		{say.number, strconv.FormatUint(d.Number, 10)},
		{say.cut, moment(d.CutAt)},
		{say.epoch, strconv.FormatUint(uint64(d.HQEpoch), 10)},
		{say.digest, d.digest()},
		{say.previous, previous},
	}
	if d.HQEpoch > 1 {
		p.Says = append(p.Says, say.restored)
	}
	p.Parts = append(p.Parts, partOf(say, say.figures+", "+d.Date, d.Day))
	for _, late := range d.Late {
		title, text := d.otherDate(say, late.Date)
		other := partOf(say, title, late)
		other.Text = append([]string{text}, other.Text...)
		p.Parts = append(p.Parts, other)
	}
	covered := coveredOf(say, d.Journals, orElse)
	p.Parts = append(p.Parts, part{say.journals, slices.Concat(covered.gaps, covered.forks, covered.rejected), []shownTable{shownOf(covered.table)}})
	wrong, differ := exceptionsOf(say, d.Certificate)
	left := part{Title: say.exceptions, Text: differ}
	if len(wrong.rows) == 0 {
		left.Text = append([]string{say.clean}, differ...)
	} else {
		left.Tables = []shownTable{shownOf(wrong)}
	}
	p.Parts = append(p.Parts, left)
	return p.page(locale)
}

// NoPage says that head office vouches for no such certificate, and nothing else.
func NoPage(locale Locale) ([]byte, error) {
	say := locale.words()
	return shown{Title: say.bad, Says: []string{say.badText, say.notOurs}}.page(locale)
}

// SlowPage asks whoever asks for too much to come again.
func SlowPage(locale Locale) ([]byte, error) {
	return shown{Title: locale.words().slow}.page(locale)
}

func orElse(text, instead string) string { return cmp.Or(text, instead) }

func partOf(say words, title string, f storeday.Figures) part {
	out := part{Title: title, Text: []string{put(say.entries, say.whole(int64(f.Entries)))}}
	for _, t := range tablesOf(say, f, orElse) {
		out.Tables = append(out.Tables, shownOf(t))
	}
	return out
}

func shownOf(t table) (out shownTable) {
	for _, c := range t.columns {
		out.Heads, out.Right = append(out.Heads, c.title), append(out.Right, c.right)
	}
	out.Rows = t.rows
	return out
}

func (p shown) page(locale Locale) ([]byte, error) {
	p.Locale, p.Style = locale, template.CSS(pageStyle) //nolint:gosec // it is our own file
	var out bytes.Buffer
	if err := pages.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("make page: %w", err)
	}
	return out.Bytes(), nil
}
