package console

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

var now = time.Date(2026, 3, 1, 22, 30, 0, 0, time.UTC)

// shelf has members whose aliases are some texts.
type shelf struct {
	texts []string
	most  int // rows that were asked for at once
}

func (s *shelf) ListRows(_ context.Context, q Query) ([]Found, error) {
	s.most = max(s.most, q.Limit)
	from := 0
	if q.After != nil {
		from = int(q.After.Number) + 1
	}
	var out []Found
	for i := from; i < len(s.texts) && len(out) < q.Limit; i++ {
		row := make(Row, len(q.List.Columns))
		row[1] = s.texts[i]
		out = append(out, Found{row, Place{Number: int64(i), Key: []byte{1}}})
	}
	return out, nil
}

func (s *shelf) CountRows(_ context.Context, _ Query, limit int) (int, error) {
	return min(limit, len(s.texts)), nil
}

func reader(texts ...string) *Reader {
	return NewReader(&shelf{texts: texts}, clock.NewFake(now), time.Minute, uuid.Nil)
}

// Whatever a cell says, a spreadsheet takes it for text, and the file can be read back.
func TestNoCellOfAFileIsAFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("=+-@\t\r\n＝'\",;aş1"))), 0, 20).Draw(t, "texts")
		file, err := reader(texts...).File(context.Background(), Asked{List: "members"}, CSV, false)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := file.Write(context.Background(), &out); err != nil {
			t.Fatal(err)
		}
		lines, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(lines) != len(texts)+1 {
			t.Fatalf("%d lines of %d: %v", len(lines), len(texts), err)
		}
		for _, line := range lines[1:] {
			if line[1] != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(line[1])[0]) {
				t.Fatalf("%q", line[1])
			}
		}
	})
}

func TestAFileIsReadInPiecesAndHasAnEnd(t *testing.T) {
	few := &shelf{texts: make([]string, 2*filePage+7)}
	file, err := NewReader(few, clock.NewFake(now), time.Minute, uuid.Nil).File(t.Context(), Asked{List: "members"}, XLSX, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Write(t.Context(), &bytes.Buffer{}); err != nil || few.most != filePage {
		t.Errorf("%d rows at once: %v", few.most, err)
	}
	_, err = reader(make([]string, MostXLSX+1)...).File(t.Context(), Asked{List: "members"}, XLSX, false)
	if problem.CodeOf(err) != problem.TooManyRows {
		t.Errorf("too many rows: %v", err)
	}
	if _, err = reader().File(t.Context(), Asked{List: "members"}, "pdf", false); problem.CodeOf(err) != problem.InvalidField {
		t.Errorf("a format that is none: %v", err)
	}
}

func TestWhatAListHasNotIsRefused(t *testing.T) {
	id := uuid.NewString()
	for name, c := range map[string]struct {
		asked Asked
		code  problem.Code
	}{
		"a list":                {Asked{List: "sessions"}, problem.NotFound},
		"an order":              {Asked{List: "members", Order: "salt"}, problem.InvalidField},
		"an order twice turned": {Asked{List: "members", Order: "--alias"}, problem.InvalidField},
		"a filter":              {Asked{List: "members", Filters: map[string]string{"cause": "x"}}, problem.InvalidField},
		"an id":                 {Asked{List: "exceptions", Filters: map[string]string{"store": "1' OR '1'='1"}}, problem.InvalidField},
		"a time":                {Asked{List: "members", Filters: map[string]string{"from": "yesterday"}}, problem.InvalidField},
		"a flag":                {Asked{List: "members", Filters: map[string]string{"blocked": "maybe"}}, problem.InvalidField},
		"a word":                {Asked{List: "terminals", Filters: map[string]string{"state": "happy"}}, problem.InvalidField},
		"text that is too long": {Asked{List: "members", Filters: map[string]string{"q": strings.Repeat("ş", 101)}}, problem.InvalidField},
		"text with a zero byte": {Asked{List: "members", Filters: map[string]string{"q": "a\x00b"}}, problem.InvalidField},
		"what it needs":         {Asked{List: "postings", Filters: map[string]string{"unit": "points"}}, problem.InvalidField},
		"a page too large":      {Asked{List: "members", Limit: MaxPage + 1}, problem.InvalidField},
		"nothing":               {Asked{List: "postings", Filters: map[string]string{"account": id}}, ""},
	} {
		if _, err := reader("a").Page(t.Context(), c.asked); problem.CodeOf(err) != c.code && (err != nil || c.code != "") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cursor of one list, or of one order, is none of another.
func TestACursorIsForOneListAndOrder(t *testing.T) {
	r := reader("a", "b", "c")
	page, err := r.Page(t.Context(), Asked{List: "members", Limit: 2})
	if err != nil || page.Next == "" {
		t.Fatal(page, err)
	}
	if last, err := r.Page(t.Context(), Asked{List: "members", Limit: 2, Cursor: page.Next}); err != nil || len(last.Rows) != 1 || last.Next != "" {
		t.Errorf("%v %v", last, err)
	}
	for _, other := range []Asked{{List: "acts"}, {List: "members", Order: "alias"}, {List: "members", Order: "+created_at"}} {
		other.Cursor = page.Next
		if _, err := r.Page(t.Context(), other); problem.CodeOf(err) != problem.CursorInvalid {
			t.Errorf("%+v: %v", other, err)
		}
	}
}

func FuzzCursor(f *testing.F) {
	page, err := reader("a", "b").Page(f.Context(), Asked{List: "members", Limit: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(page.Next)
	f.Add("AAAA")
	f.Add("ow")
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := reader("a", "b").Page(t.Context(), Asked{List: "members", Cursor: cursor})
		if err != nil && problem.CodeOf(err) != problem.CursorInvalid {
			t.Fatalf("%q: %v", cursor, err)
		}
	})
}

// A store's figures are of its own date of today, wherever it is.
func TestTodayIsEachStoresOwn(t *testing.T) {
	figures := worldFigures{
		shops: []Shop{{ID: uuid.UUID{1}, TimeZone: "Europe/Istanbul"}, {ID: uuid.UUID{2}, TimeZone: "America/New_York"}, {ID: uuid.UUID{3}, TimeZone: "no such zone"}},
	}
	for i, shop := range figures.shops {
		for date, n := range map[entry.Date]int64{20260301: 1, 20260302: 10} {
			figures.sums = append(figures.sums, StoreFigure{shop.ID, Figure{Date: date, Figure: FigureSale, Unit: "EUR", N: n << i}})
		}
	}
	home, err := NewDesk(figures, clock.NewFake(now), time.Minute).Home(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// In Istanbul it is the second already; in New York and in UTC the first.
	if len(home.Today) != 1 || home.Today[0].N != 10+1<<1+1<<2 {
		t.Errorf("%+v", home.Today)
	}
}

type worldFigures struct {
	shops []Shop
	sums  []StoreFigure
}

func (w worldFigures) StoresOnline(context.Context, time.Time) ([]Shop, error) { return w.shops, nil }

func (w worldFigures) StoreFigures(context.Context, []entry.Date) ([]StoreFigure, error) {
	return w.sums, nil
}

func (w worldFigures) DayFigures(context.Context, entry.Date, entry.Date) ([]Figure, error) {
	return nil, nil
}
func (w worldFigures) Causes(context.Context) ([]Cause, error)             { return nil, nil }
func (w worldFigures) Waiting(context.Context) (Waiting, error)            { return Waiting{}, nil }
func (w worldFigures) Worst(context.Context, []int64) ([]WorstCase, error) { return nil, nil }

type pulses struct {
	pulse Pulse
	err   error
	taken int
}

func (p *pulses) Pulse(context.Context) (Pulse, error) {
	p.taken++
	return Pulse{TopicActs: append([]int64(nil), p.pulse[TopicActs]...), TopicEntries: append([]int64(nil), p.pulse[TopicEntries]...)}, p.err
}

func TestWatchersHearWhatChangedAndMissNothing(t *testing.T) {
	p := &pulses{pulse: Pulse{TopicActs: {1}, TopicEntries: {1}}}
	w := NewWatch(p, func(error) {})
	look := func() {
		t.Helper()
		if err := w.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if look(); p.taken != 0 {
		t.Error("it looked though nobody watches")
	}
	changes, end, ok := w.Open()
	if !ok {
		t.Fatal("nobody may watch")
	}
	look() // the first is what later ones are held against
	p.pulse[TopicActs][0]++
	look()
	p.pulse[TopicEntries][0]++
	look()
	if got := fmt.Sprint(<-changes); got != "[acts entries]" {
		t.Errorf("somebody slow heard %s", got)
	}
	select {
	case more := <-changes:
		t.Errorf("heard %v of nothing", more)
	default:
	}
	p.err = errors.New("no database")
	if w.Look(t.Context()) == nil {
		t.Error("an error was kept quiet")
	}
	end()
	if _, open := <-changes; open || w.Watchers() != 0 {
		t.Error("it goes on after its end")
	}
}

func TestWatchersAreBoundedAndLetGo(t *testing.T) {
	w := NewWatch(&pulses{}, func(error) {})
	var first <-chan []string
	for i := range MostWatchers {
		c, _, ok := w.Open()
		if !ok {
			t.Fatalf("only %d may watch", i)
		}
		if i == 0 {
			first = c
		}
	}
	if _, _, ok := w.Open(); ok {
		t.Error("one too many watches")
	}
	w.LetGo()
	if _, open := <-first; open || w.Watchers() != 0 {
		t.Error("a watcher was not let go")
	}
	if _, _, ok := w.Open(); ok {
		t.Error("somebody watches what has ended")
	}
}

func TestFiguresOfWhatNoTillWouldWrite(t *testing.T) {
	raw := func(date entry.Date, kind entry.Kind, body any) []byte {
		bytes, err := entry.Encode(entry.Entry{OccurredAt: 1, BusinessDate: date, Kind: kind}, body)
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	huge := entry.Sale{ID: uuid.UUID{1}, Total: entry.Money{Currency: "EUR", Minor: 1 << 62}}
	got := figuresOf([][]byte{
		[]byte("no entry"), raw(0, entry.KindSale, huge), raw(99999999, entry.KindSale, huge), raw(20260301, entry.KindSale, huge), raw(20260301, entry.KindSale, huge),
		raw(20260301, entry.KindReturn, entry.Note{}), raw(20260301, entry.KindSale, entry.Sale{Total: entry.Money{Currency: strings.Repeat("X", 1000)}}),
	})
	if len(got) == 0 || got[0].N != 2 || got[0].Amount != 2*mostCounted {
		t.Errorf("%+v", got)
	}
	for _, f := range got {
		if len(f.Unit) > 64 {
			t.Errorf("a unit of %d bytes", len(f.Unit))
		}
	}
}
