package paper

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/storeday"
)

// Day is a certificate with what stands around it on paper.
type Day struct {
	storeday.Certificate
	Text string // the signed text of it
	Code string // of the store
	Name string
	// Address is where anybody reaches head office, without a slash at its end.
	Address string
}

// Path is where head office answers whether a paper is good, with a slash at its end.
const Path = "/certificate/"

// Link is the address that the code on a paper holds: the store, the date, and the digest
// of the signed text.
func (d Day) Link() string {
	digest, _ := hex.DecodeString(d.digest()) // Digest writes hex
	return d.Address + Path + d.Store.String() + "/" + d.Date + "/" + base64.RawURLEncoding.EncodeToString(digest)
}

func (d Day) digest() string { return storeday.Digest(d.Text) }

// Asked is what a link asks about.
type Asked struct {
	Store  uuid.UUID
	Date   string // YYYY-MM-DD
	Digest string // in hex
}

// ReadLink reads what follows Path in a link; ok is false when that is none of ours.
func ReadLink(rest string) (a Asked, ok bool) {
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || len(parts[0]) != 36 || len(parts[1]) != len(time.DateOnly) || len(parts[2]) != 43 {
		return Asked{}, false
	}
	store, err := uuid.Parse(parts[0])
	date, derr := time.Parse(time.DateOnly, parts[1])
	digest, herr := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil || derr != nil || herr != nil || date.Year() < 1 {
		return Asked{}, false
	}
	return Asked{store, parts[1], hex.EncodeToString(digest)}, true
}

// FileName is what the certificate's file is called, with an ending such as pdf.
func (d Day) FileName(ending string) string {
	return "certificate-" + plain(d.Code) + "-" + d.Date + "." + ending
}

// plain is what of a text every file system and every header takes.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return -1
	}, text)
}

// PDF is the certificate on A4, with the signed text attached.
func (d Day) PDF(locale Locale) ([]byte, error) {
	say := locale.words()
	s := newSheets(say.title, "", locale)
	s.foot = strings.Join([]string{s.clean(d.Code, d.Store.String()), d.Date, say.number + " " + strconv.FormatUint(d.Number, 10)}, " · ")
	s.pdf.SetAttachments([]fpdf.Attachment{{Content: []byte(d.Text + "\n"), Filename: d.FileName("jwt"), Description: say.signed}})
	d.top(s)
	s.head(say.figures + ", " + d.Date)
	s.figures(d.Day)
	for _, late := range d.Late {
		title, text := d.otherDate(say, late.Date)
		s.head(title)
		s.small(text)
		s.figures(late)
	}
	s.journals(d.Journals)
	s.exceptions(d.Certificate)
	s.head(say.check)
	s.para(say.proves)
	s.y++
	s.para(put(say.attached, d.FileName("jwt"), d.Address+"/.well-known/jwks.json"))
	return s.bytes()
}

// otherDate says why entries of another date are in the certificate.
func (d Day) otherDate(say words, date string) (title, text string) {
	if date > d.Date {
		return put(say.ahead, date), say.aheadText
	}
	return put(say.late, date), say.lateText
}

// top is what the certificate is, beside its code.
func (d Day) top(s *sheets) {
	const side = 42.0
	say := s.say
	s.code(d.Link(), side, margin-3)
	beside := textWidth - side - 3
	s.block(say.title, s.faces.Bold, sizeTitle, margin, beside)
	s.block(s.clean(d.Code, "")+"  "+s.clean(d.Name, ""), s.faces.Bold, sizeHead, margin, beside)
	s.y += 2
	s.pair(say.date, d.Date, s.faces.Bold, sizeText, beside)
	s.pair(say.number, strconv.FormatUint(d.Number, 10), s.faces.Regular, sizeText, beside)
	s.pair(say.cut, moment(d.CutAt), s.faces.Regular, sizeText, beside)
	s.pair(say.epoch, strconv.FormatUint(uint64(d.HQEpoch), 10), s.faces.Regular, sizeText, beside)
	s.y = max(s.y, margin+side-2)
	s.pair(say.store, d.Store.String(), s.faces.Mono, sizeSmall, textWidth)
	s.pair(say.office, d.HQ.String(), s.faces.Mono, sizeSmall, textWidth)
	s.pair(say.digest, d.digest(), s.faces.Mono, sizeSmall, textWidth)
	if d.Previous != "" {
		s.pair(say.previous, d.Previous, s.faces.Mono, sizeSmall, textWidth)
	} else {
		s.pair(say.previous, say.first, s.faces.Regular, sizeText, textWidth)
	}
	if d.HQEpoch > 1 {
		s.y++
		s.para(say.restored)
	}
}

// moment is a time of Unix milliseconds as it stands on paper.
func moment(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05") + " UTC" }

// figures writes those of one date.
func (s *sheets) figures(f storeday.Figures) {
	say := s.say
	s.para(put(say.entries, say.whole(int64(f.Entries))))
	if len(f.Money) == 0 && len(f.Amounts) == 0 {
		s.para(say.nothing)
	}
	for _, t := range tablesOf(say, f, s.clean) {
		s.table(t.columns, t.rows)
	}
}

type table struct {
	columns []column
	rows    [][]string
}

// tablesOf shows figures as tables, on paper and on the page.
func tablesOf(say words, f storeday.Figures, clean func(text, instead string) string) (out []table) {
	var kinds, money, amounts [][]string
	for _, k := range f.Kinds {
		kinds = append(kinds, []string{word(say.kinds, k.Kind), say.whole(int64(k.Count))})
	}
	for _, m := range f.Money {
		code := clean(m.Currency, "–") // as the terminal wrote it
		money = append(money, []string{word(say.kinds, m.Kind), say.whole(int64(m.Count)), say.money(code, m.Total), say.money(code, m.Discount)})
	}
	for _, a := range f.Amounts {
		flow := word(say.flows, a.Flow)
		if a.Basis != "" {
			flow += ", " + word(say.bases, a.Basis)
		}
		amounts = append(amounts, []string{word(say.kinds, a.Kind), flow, clean(a.Unit, say.uses), say.whole(int64(a.Count)), say.whole(a.Amount)})
	}
	kind, count := column{title: say.kind, part: 3}, column{title: say.count, part: 2, right: true}
	for _, t := range []table{
		{[]column{kind, count}, kinds},
		{[]column{kind, count, {title: say.total, part: 3, right: true}, {title: say.discount, part: 3, right: true}}, money},
		{[]column{kind, {title: say.flow, part: 4}, {title: say.unit, part: 3}, count, {title: say.amount, part: 3, right: true}}, amounts},
	} {
		if len(t.rows) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// covered is what is covered of journals, and what is known not to be.
type covered struct {
	table
	gaps, forks, rejected []string
}

func coveredOf(say words, list []storeday.Journal, clean func(text, instead string) string) covered {
	out := covered{table: table{columns: []column{
		{title: say.lane, part: 4}, {title: say.journal, part: 4, mono: true}, {title: say.span, part: 3}, {title: say.head, part: 6, mono: true},
	}}}
	for _, j := range list {
		name, span, epoch := clean(j.Name, j.Terminal.String()), say.none, strconv.FormatUint(uint64(j.Epoch), 10)
		if j.Last >= j.First {
			span = strconv.FormatUint(j.First, 10) + "–" + strconv.FormatUint(j.Last, 10)
		}
		lane := name
		if j.Over != "" {
			lane += " (" + word(say.over, string(j.Over)) + ")"
		}
		out.rows = append(out.rows, []string{lane, j.Terminal.String() + " / " + epoch, span, j.Head})
		if j.Gap != nil {
			out.gaps = append(out.gaps, put(say.gap, name, epoch, j.Gap.Declaration.String(), fmt.Sprint(j.Gap.After), fmt.Sprint(j.Gap.Said)))
			for _, b := range j.Gap.Bound {
				out.gaps = append(out.gaps, put(say.bound, say.whole(b.Rights), say.whole(b.StandIn), clean(b.Unit, say.uses)))
			}
		}
		for _, f := range j.Forks {
			out.forks = append(out.forks, put(say.fork, name, epoch, fmt.Sprint(f.Branch), fmt.Sprint(f.First), fmt.Sprint(f.Last), f.Head))
		}
		if len(j.Rejected) > 0 {
			out.rejected = append(out.rejected, put(say.rejected, name, epoch, numbers(j.Rejected)))
		}
	}
	return out
}

// journals writes what is covered, and what is known not to be.
func (s *sheets) journals(list []storeday.Journal) {
	c := coveredOf(s.say, list, s.clean)
	s.head(s.say.journals)
	s.table(c.columns, c.rows)
	s.paras(s.say.gaps, c.gaps)
	s.paras(s.say.forks, c.forks)
	for _, text := range c.rejected {
		s.para(text)
	}
}

// paras writes a part that is only there when it says something.
func (s *sheets) paras(head string, texts []string) {
	if len(texts) == 0 {
		return
	}
	s.head(head)
	for _, text := range texts {
		s.para(text)
	}
}

func numbers(list []uint64) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(texts, ", ")
}

// exceptionsOf shows the exceptions of what is covered, and how many figures differed.
func exceptionsOf(say words, c storeday.Certificate) (t table, differ []string) {
	t.columns = []column{
		{title: say.kind, part: 5}, {title: say.open, part: 2, right: true}, {title: say.settled, part: 2, right: true}, {title: say.amount, part: 3, right: true},
	}
	for _, x := range c.Exceptions {
		t.rows = append(t.rows, []string{word(say.causes, x.Kind), say.whole(x.Open), say.whole(x.Settled), say.whole(x.Amount)})
	}
	if c.Differences > 0 {
		differ = []string{put(say.differences, say.whole(int64(c.Differences)))}
	}
	return t, differ
}

// exceptions writes those about what is covered.
func (s *sheets) exceptions(c storeday.Certificate) {
	t, differ := exceptionsOf(s.say, c)
	s.head(s.say.exceptions)
	if len(t.rows) == 0 {
		s.para(s.say.clean)
	} else {
		s.table(t.columns, t.rows)
	}
	for _, text := range differ {
		s.para(text)
	}
}
