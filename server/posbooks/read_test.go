package posbooks_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/tallystick/tallystick/server/posbooks"
)

var istanbul = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Istanbul")
	if err != nil {
		panic(err)
	}
	return zone
}()

var turkish = posbooks.Rules{
	Format: posbooks.CSV, Expects: posbooks.ExpectAll, Skip: 1, Decimal: ",", Thousands: ".", TimeFormat: "dd.MM.yyyy HH:mm", Total: "Toplam",
	Kinds: map[string]string{"Satış": "sale", "İade": "return", "İptal": "void", "Açılış": "ignore"},
	Lanes: map[string]string{"Kasa 1": "Lane 1"},
	Columns: map[posbooks.Field]string{
		posbooks.FieldReceipt: "Fiş No", posbooks.FieldLane: "Kasa", posbooks.FieldTime: "Tarih", posbooks.FieldAmount: "Tutar", posbooks.FieldKind: "Tür", posbooks.FieldDiscount: "#6",
	},
}

func reading(rules posbooks.Rules) posbooks.Reading {
	return posbooks.Reading{
		Rules: rules, Place: posbooks.Place{Code: "s1", Zone: istanbul, Currency: "TRY", Ends: 4 * time.Hour}, Now: time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC),
	}
}

// read says what is in a file, a line for each row.
func read(t testing.TB, r posbooks.Reading, in io.Reader) (string, posbooks.Summary) {
	t.Helper()
	var out strings.Builder
	sum, err := r.Read(context.Background(), in, posbooks.Into{
		Row: func(row posbooks.Row) error {
			fmt.Fprintf(&out, "%d: %s %q %s %s %d %s", row.Line, row.Kind, row.Receipt, row.Lane, row.Day, row.Amount, row.Currency)
			if row.At != 0 {
				out.WriteString(" " + time.UnixMilli(row.At).UTC().Format(time.RFC3339))
			}
			if row.HasDiscount {
				fmt.Fprintf(&out, " less %d", row.Discount)
			}
			if row.Total {
				fmt.Fprintf(&out, " total of %d", row.Count)
			}
			if !row.Expected {
				out.WriteString(" outside")
			}
			out.WriteString("\n")
			return nil
		},
		Bad: func(b posbooks.Bad) error { fmt.Fprintf(&out, "%d: bad: %s\n", b.Line, b.Reason); return nil },
	})
	if err != nil {
		if posbooks.AsUnreadable(err) == nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "unreadable: %v\n", err)
	}
	return out.String(), sum
}

const turkishFile = "Günlük Satış Raporu\r\n" +
	"Fiş No;Kasa;Tarih;Tür;Tutar;İndirim\r\n" +
	"0001;Kasa 1;01.06.2026 09:15;Satış;1.234,50;10,00\r\n" +
	"0002;Kasa 1;01.06.2026 23:59;Satış;99,90;\r\n" +
	"0003;Kasa 2;02.06.2026 03:10;İade;-5,00;\r\n" +
	"0004;Kasa 2;01.06.2026 12:00;Açılış;0,00;\r\n" +
	"Toplam;;;;1.329,40;10,00\r\n"

const turkishRows = `3: sale "0001" Lane 1 2026-06-01 123450 TRY 2026-06-01T06:15:00Z less 1000
4: sale "0002" Lane 1 2026-06-01 9990 TRY 2026-06-01T20:59:00Z less 0
5: return "0003" Kasa 2 2026-06-01 500 TRY 2026-06-02T00:10:00Z less 0
`

// The same file in every encoding that tills write, named and found out.
func TestACSVInAnyEncodingWithDecimalCommasAndATotal(t *testing.T) {
	to1254 := func(s string) string {
		out, err := charmap.Windows1254.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	to16 := func(e unicode.Endianness, mark unicode.BOMPolicy) string {
		out, err := unicode.UTF16(e, mark).NewEncoder().String(turkishFile)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, file := range map[string]struct{ text, said, found string }{
		"Windows-1254":                  {to1254(turkishFile), "windows-1254", "windows-1254"},
		"Windows-1254, found out":       {to1254(turkishFile), "", "windows-1254"},
		"UTF-8":                         {turkishFile, "utf-8", "utf-8"},
		"UTF-8 with a mark":             {"\ufeff" + turkishFile, "utf-8", "utf-8"},
		"UTF-8 with a mark, found out":  {"\ufeff" + turkishFile, "", "utf-8"},
		"UTF-16 LE with a mark":         {to16(unicode.LittleEndian, unicode.UseBOM), "", "utf-16"},
		"UTF-16 BE with a mark, named":  {to16(unicode.BigEndian, unicode.UseBOM), "utf-16", "utf-16"},
		"UTF-16 LE without, found out":  {to16(unicode.LittleEndian, unicode.IgnoreBOM), "", "utf-16"},
		"UTF-16 BE without, named only": {to16(unicode.BigEndian, unicode.IgnoreBOM), "utf-16", "utf-16"},
	} {
		rules := turkish
		rules.Encoding = file.said
		got, sum := read(t, reading(rules), strings.NewReader(file.text))
		if got != turkishRows || sum.Encoding != file.found || sum.Delimiter != ";" || sum.TotalLines != 1 || sum.Ignored != 1 || sum.Bad != 0 {
			t.Errorf("%s:\n%s%+v", name, got, sum)
		}
	}
}

func TestPolishIsTold(t *testing.T) {
	polish, err := charmap.Windows1250.NewEncoder().String("Numer;Data;Kwota;Opis\n1;2026-06-01 10:00;1,00;Zażółć gęślą jaźń\n")
	if err != nil {
		t.Fatal(err)
	}
	rules := posbooks.Rules{Format: posbooks.CSV, Expects: posbooks.ExpectAll, Decimal: ",", Columns: map[posbooks.Field]string{posbooks.FieldTime: "Data", posbooks.FieldAmount: "Kwota", posbooks.FieldReceipt: "Opis"}}
	if got, sum := read(t, reading(rules), strings.NewReader(polish)); sum.Encoding != "windows-1250" || !strings.Contains(got, "Zażółć gęślą jaźń") {
		t.Errorf("%s %+v", got, sum)
	}
}

var simple = posbooks.Rules{
	Format: posbooks.CSV, Expects: posbooks.ExpectCard,
	Columns: map[posbooks.Field]string{
		posbooks.FieldReceipt: "no", posbooks.FieldTime: "time", posbooks.FieldAmount: "amount", posbooks.FieldCard: "card", posbooks.FieldStore: "store", posbooks.FieldCurrency: "currency",
	},
}

// Bad rows are named, and those around them count.
func TestBadRowsStopNoGoodOnes(t *testing.T) {
	file := "no,time,amount,card,store,currency\n" +
		"1,2026-06-01 10:00,1.00,,s1,\r\n" +
		"2,2026-06-01 10:00,\"1.00,,s1,\r" +
		"3,2026-06-01 10:00,1.00,x,S1,EUR\n" +
		"\n" +
		"4,2026-06-01 10:00,1.00,,other,\n" +
		"5,2027-06-01 10:00,1.00,,,\n" +
		"6,1970-01-01 10:00,1.00,,,\n" +
		"7,2026-06-01 10:00,1.00\x00,,,\n" +
		"8,2026-06-01 10:00,1.\xff00,,,\n" +
		"9,yesterday,1.00,,,\n" +
		"10,2026-06-01 10:00,1.005,,,\n" +
		"11,2026-06-01 10:00,1\n" +
		"12,2026-06-01 10:00,\"1.00\"x,,,\n" +
		"13,2026-06-01 10:00,99999999999999999999,,,\n" +
		"14,2026-06-01 10:00,1.00,,,euro\n" +
		"15," + strings.Repeat("x", 70_000) + "\n" +
		strings.Repeat("1", 65) + ",2026-06-01 10:00,1.00,,,\n" +
		"\"a \"\"quoted\"\"\nnumber\",2026-06-01 10:00,(2.00),,,\n" +
		"17,2026-06-01T10:00:00+02:00,3.00-,1,,JPY\n" +
		"18,2026-06-02 15:45,1.00,,,\n"
	want := `2: sale "1" s1
3: bad: has quotes that are not closed
4: sale "3"  2026-06-01 100 EUR 2026-06-01T07:00:00Z
6: bad: is of store "other"
7: bad: lies in the future
8: bad: lies before the year 2000
9: bad: has a NUL byte
10: bad: is not in the encoding of the file
11: bad: "yesterday" is no time of this format
12: bad: "1.005" has more digits behind the point than TRY has
13: bad: has 3 columns, and the X stands in column X
14: bad: has text behind a quote that was closed
15: bad: "99999999999999999999" is too large
16: bad: "EURO" is no currency
17: bad: is longer than 65536 bytes
18: bad: its receipt number is longer than 64 bytes or has characters that cannot be
19: bad: its receipt number is longer than 64 bytes or has characters that cannot be
21: return "17"  2026-06-01 3 JPY 2026-06-01T08:00:00Z
22: sale "18"  2026-06-02 100 TRY 2026-06-02T12:45:00Z outside
`
	want = strings.Replace(want, `2: sale "1" s1`, `2: sale "1"  2026-06-01 100 TRY 2026-06-01T07:00:00Z outside`, 1)
	rules := simple
	rules.Encoding = "utf-8" // else one byte that is none of it makes the whole file another
	got, sum := read(t, reading(rules), strings.NewReader(file))
	var shown []string
	for _, l := range strings.Split(got, "\n") {
		if strings.HasPrefix(l, "13: bad: has 3 columns") {
			l = "13: bad: has 3 columns, and the X stands in column X" // any of those that lack
		}
		shown = append(shown, l)
	}
	if got = strings.Join(shown, "\n"); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if sum.Rows != 4 || sum.Bad != 15 {
		t.Errorf("%+v", sum)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	poslog, books := posbooks.Rules{Format: posbooks.POSLog, Expects: posbooks.ExpectAll}, posbooks.Rules{Format: posbooks.JSON, Expects: posbooks.ExpectAll}
	headless := simple
	headless.Headless = true
	bomb := "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\">" + strings.Repeat(`<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">`, 9) + "]><POSLog>&b;</POSLog>"
	for name, tc := range map[string]struct {
		rules posbooks.Rules
		text  string
		want  string
	}{
		"empty":                    {simple, "", "the file is empty"},
		"blank":                    {simple, "\n\r\n  \n", "the file is empty"},
		"skipped":                  {turkish, "", "ends before its head"},
		"no such column":           {simple, "no,time,amount\n", `has no column`},
		"names without a head":     {headless, "1,2\n", "the file has no head"},
		"an XML bomb":              {poslog, bomb, "declaration of types or entities"},
		"an entity":                {poslog, "<POSLog>&lol;</POSLog>", "is no XML"},
		"deep":                     {poslog, strings.Repeat("<a>", 100), "more than 64 deep"},
		"cut":                      {poslog, "<POSLog><Transaction>", "ends before its last element"},
		"crossed":                  {poslog, "<POSLog></Transaction>", "ends where it is not open"},
		"a name in no encoding":    {poslog, "<POSLog><a\xff/></POSLog>", "invalid XML name: a\ufffd"},
		"the store at the end":     {books, `{"currency":"EUR","receipts":[],"store":"s2"}`, `"store" behind a list`},
		"no XML":                   {poslog, "no;time;amount\n", "ends before its last element"},
		"two roots":                {poslog, "<POSLog></POSLog><POSLog></POSLog>", "more than one outermost"},
		"an attribute like a wall": {poslog, "<POSLog a=\"" + strings.Repeat("x", 9<<20) + "\"/>", "longer than"},
		"a name like a wall":       {poslog, "<POSLog><" + strings.Repeat("x", 1000) + "/></POSLog>", "a name of more than 128"},
		"many attributes":          {poslog, "<POSLog " + strings.Repeat(`a="" `, 1<<19) + "/>", "one tag or text"},
		"a text like a wall":       {poslog, "<POSLog>" + strings.Repeat("x", 2<<20) + "</POSLog>", "one tag or text"},
		"a comment like a wall":    {poslog, "<POSLog><!--" + strings.Repeat("x", 2<<20) + "--></POSLog>", "one tag or text"},
		"a store like a wall":      {books, `{"store":"` + strings.Repeat("x", 1<<20) + `"}`, "of more than 64 bytes"},
		"10,000 columns":           {simple, strings.Repeat("a,", 10_000) + "no,time,amount\n", "more than 500 columns"},
		"a foreign encoding":       {poslog, `<?xml version="1.0" encoding="EBCDIC"?><POSLog/>`, "is not known"},
		"no JSON":                  {books, "no;time\n", "is no JSON"},
		"a list":                   {books, "[]", `where "{" should be`},
		"cut JSON":                 {books, `{"receipts":[{"amount":1`, "is no JSON"},
		"an unknown member":        {books, `{"receipt":[]}`, "not known"},
		"text behind":              {books, `{} {}`, "text behind its end"},
		"a string like a wall":     {books, `{"receipts":[{"receipt":"` + strings.Repeat("x", 9<<20) + `"}]}`, "longer than"},
	} {
		if got, sum := read(t, reading(tc.rules), strings.NewReader(tc.text)); !strings.HasPrefix(got, "unreadable: ") || !strings.Contains(got, tc.want) || sum.Rows > 0 || !utf8.ValidString(got) || len(got) > 1000 {
			t.Errorf("%s: %.200s", name, got)
		}
	}
}

// A reason that quotes the file is as short as one that does not.
func TestReasonsAreShort(t *testing.T) {
	file := `{"receipts":[{"` + strings.Repeat("x", 1<<20) + `":1}]}`
	got, sum := read(t, reading(posbooks.Rules{Format: posbooks.JSON, Expects: posbooks.ExpectAll}), strings.NewReader(file))
	if sum.Bad != 1 || len(got) > 1000 || !strings.Contains(got, "cannot be read: json: unknown field") {
		t.Errorf("%d bad, %d bytes: %.200s", sum.Bad, len(got), got)
	}
}

func TestJSON(t *testing.T) {
	got, _ := read(t, reading(posbooks.Rules{Format: posbooks.JSON, Expects: posbooks.ExpectCard}), strings.NewReader("\ufeff"+`{"store":"s1","currency":"EUR",
		"receipts":[
			{"receipt":"7","lane":"2","time":"2026-06-01T10:00:00Z","amount":1250,"discount":0,"card":true},
			{"receipt":"8","time":"2026-06-01T02:00:00","amount":-5,"currency":"TRY"},
			{"receipt":"9","date":"2026-06-01","amount":5,"kind":"void"},
			{"receipt":"10","amount":5}, {"receipt":"11","date":"2026-06-01"}, {"receipt":12}, {"price":1},
			{"receipt":"13","date":"2026-06-01","amount":1e99}, {"receipt":"14","date":"2026-06-01","amount":1,"store":"s2"}
		],
		"totals":[{"date":"2026-06-01","kind":"sale","amount":100000,"count":7}]}`))
	want := `1: sale "7" 2 2026-06-01 1250 EUR 2026-06-01T10:00:00Z less 0
2: return "8"  2026-05-31 5 TRY 2026-05-31T23:00:00Z outside
3: void "9"  2026-06-01 5 EUR outside
4: bad: has no date
5: bad: has no amount, or one that is too large
6: bad: cannot be read: json: cannot unmarshal number into Go struct field book.receipt of type string
7: bad: cannot be read: json: unknown field "price"
8: bad: cannot be read: json: cannot unmarshal number 1e99 into Go struct field book.amount of type int64
9: bad: is of store "s2"
10: sale ""  2026-06-01 100000 EUR total of 7 outside
`
	if got != want {
		t.Errorf("%s", got)
	}
}

func TestPOSLog(t *testing.T) {
	for _, name := range []string{"poslog22.xml", "poslog60.xml"} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, sum := read(t, reading(posbooks.Rules{Format: posbooks.POSLog, Expects: posbooks.ExpectCard}), f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile("testdata/" + name + ".golden")
		if err != nil || got+fmt.Sprintf("%d ignored\n", sum.Ignored) != string(want) {
			t.Errorf("%s: %v\n%s%d ignored", name, err, got, sum.Ignored)
		}
	}
}

// endless gives the same rows again and again, up to a size, and cuts the last one.
type endless struct {
	head, row string
	left      int
	rest      string
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	if e.head != "" {
		e.rest, e.head = e.head, ""
	}
	if e.rest == "" {
		e.rest = e.row
	}
	n := copy(p, e.rest)
	e.rest, e.left = e.rest[n:], e.left-n
	return n, nil
}

// Memory stays flat in each format, also when nothing in the file makes sense.
// What is only there to fill memory does not: a tag is some 20 times as large in memory as in
// the file.
func TestXMLIsReadInBoundedMemory(t *testing.T) {
	const size, most = 9 << 20, 40 << 20
	log := posbooks.Rules{Format: posbooks.POSLog, Expects: posbooks.ExpectAll}
	for name, in := range map[string]endless{
		"attributes of one tag":        {head: "<POSLog", row: ` a=""`},
		"values with brackets":         {head: "<POSLog", row: ` a=">"`},
		"tags full of attributes":      {head: "<POSLog>", row: "<Transaction" + strings.Repeat(` a=""`, 95_000) + "></Transaction>"},
		"depth":                        {head: "<POSLog>", row: "<a>"},
		"siblings in one transaction":  {head: "<POSLog><Transaction>", row: "<a/>"},
		"texts in one transaction":     {head: "<POSLog><Transaction>", row: "<a>" + strings.Repeat("x", 4000) + "</a>"},
		"numbers of characters":        {head: "<POSLog><Transaction><ReceiptNumber>", row: "&#65;"},
		"directives":                   {head: "<!DOCTYPE a [", row: `<!ENTITY a "b">`},
		"instructions":                 {head: "<POSLog><?x ", row: "y"},
		"a section that is never over": {head: "<POSLog><![CDATA[", row: "]"},
	} {
		t.Run(name, func(t *testing.T) {
			in.left = size
			stop, peak := watch()
			got, _ := read(t, reading(log), &in)
			close(stop)
			high := <-peak
			t.Logf("%d MB at most: %.120s", high>>20, got)
			if high > most {
				t.Errorf("%d MB held", high>>20)
			}
		})
	}
}

func TestFilesAreReadInFlatMemory(t *testing.T) {
	const size, most = 6 << 20, 4 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(25))
	row := `<Transaction><WorkstationID>1</WorkstationID><SequenceNumber>1</SequenceNumber><EndDateTime>2026-06-01T10:00:00</EndDateTime><RetailTransaction><Total TotalType="TransactionGrossAmount">1.00</Total></RetailTransaction></Transaction>`
	for name, tc := range map[string]struct {
		rules posbooks.Rules
		in    endless
	}{
		"csv":             {simple, endless{head: "no,time,amount,card,store,currency\n", row: "1,2026-06-01 10:00,1.00,,,\n"}},
		"csv of one line": {simple, endless{head: "no,time,amount,card,store,currency\n", row: "1,2026-06-01 10:00"}},
		"csv of quotes":   {simple, endless{head: "no,time,amount,card,store,currency\n", row: "\"1,2026-06-01 10:00,1.00\n,\"\"\n"}},
		"json":            {posbooks.Rules{Format: posbooks.JSON}, endless{head: `{"receipts":[{}`, row: `,{"receipt":"1","date":"2026-06-01","amount":1}`}},
		"poslog":          {posbooks.Rules{Format: posbooks.POSLog}, endless{head: "<POSLog>", row: row}},
	} {
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		peak, n := uint64(0), 0
		look := func() error {
			if n++; n%10_000 == 0 {
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			}
			return nil
		}
		tc.in.left = size
		_, err := reading(tc.rules).Read(t.Context(), &tc.in, posbooks.Into{
			Row: func(posbooks.Row) error { return look() }, Bad: func(posbooks.Bad) error { return look() },
		})
		if err != nil && posbooks.AsUnreadable(err) == nil {
			t.Fatal(err)
		}
		if peak > most {
			t.Errorf("%s: %d bytes held", name, peak)
		}
	}
}

// A reader that fails is not the file's fault.
func TestAFailureIsNoVerdict(t *testing.T) {
	broken := errors.New("away")
	for _, format := range []posbooks.Format{posbooks.CSV, posbooks.JSON, posbooks.POSLog} {
		rules := simple
		rules.Format = format
		_, err := reading(rules).Read(t.Context(), io.MultiReader(strings.NewReader(""), failing{broken}), posbooks.Into{})
		if !errors.Is(err, broken) || posbooks.AsUnreadable(err) != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
