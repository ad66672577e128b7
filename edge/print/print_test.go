package print_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/tallystick/tallystick/edge/print"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

var update = flag.Bool("update", false, "rewrite golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	at      = time.Date(2026, 3, 10, 11, 30, 0, 0, time.UTC)
	knownID = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000b1")
	reward  = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000b3")
	anna    = uuid.MustParse("0190e7a0-0000-7000-8000-0000000000c7")
)

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// papers has one paper of each kind, and of each thing that a receipt can say.
func papers(t testing.TB) map[string]till.Paper {
	t.Helper()
	zone := must[*time.Location](t)(time.LoadLocation("Europe/Istanbul"))
	where := till.Entry{At: journal.Head{Seq: 4711, Hash: journal.Hash{0x3f, 0x2a, 0x9c, 0x11}}, OccurredAt: at, BusinessDate: 20260310}
	blank := till.Paper{
		Entry: where, Epoch: 2, Terminal: "Kasa 3", Store: "Şişli Çarşı – Łódź Żabka", Zone: zone, Cashier: "Ayşe Ğ.",
		Rewards: map[uuid.UUID]string{reward: "Türk kahvesi ₺5"}, Cashiers: map[uuid.UUID]string{anna: "Ayşe Ğ."},
		Balance: []till.Holding{{Unit: "points", Free: 12345, Pending: 85}, {Unit: "cups"}}, BalanceAt: at.Add(-time.Hour),
	}
	sale := till.Sale{Entry: where, Body: entry.Sale{
		ID: knownID, Member: anna, Total: entry.Money{Currency: "TRY", Minor: 123450}, Receipt: "R-17",
		Lines:    []entry.Line{{No: 1, SKU: "4006381333931", Quantity: 2000, Amount: 100000}, {No: 2, Quantity: 1250, Amount: 23450}},
		Earned:   []entry.Earning{{Unit: "points", Amount: 1084}},
		Redeemed: []entry.Redemption{{Reward: reward, Unit: "points", Amount: 1500, Basis: entry.BasisAllowance, Discount: 15000}, {Reward: reward, Unit: "points", Amount: 500, Basis: entry.BasisStandIn}},
	}}
	signer := must[keys.Signer](t)(keys.NewSigner(keys.Public{
		ID: passtoken.TerminalKeyID, Use: keys.UseStatement, NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0),
	}, bytes.Repeat([]byte{7}, 32)))
	last := must[passtoken.Day](t)(passtoken.DayOf(at.AddDate(0, 0, 30)))
	bare := till.Sale{Entry: where, Body: entry.Sale{ID: knownID, Total: entry.Money{Currency: "TRY", Minor: 4000}}, Claim: &till.ReceiptClaim{
		Token: passtoken.IssueClaim(signer, knownID, last), Worth: []loyalty.Earned{{Unit: "points", Amount: 40}},
	}}
	out := map[string]till.Paper{}
	add := func(name string, change func(*till.Paper)) {
		p := blank
		change(&p)
		out[name] = p
	}
	add("sale", func(p *till.Paper) {
		p.Sale = &till.Found{Sale: sale}
		p.Reference = wire.SignReference(signer, wire.Reference{Terminal: anna, Epoch: 2, Seq: 4711, Sale: knownID}).Text()
	})
	add("claimable", func(p *till.Paper) { p.Sale, p.Balance = &till.Found{Sale: bare}, nil })
	add("voided", func(p *till.Paper) { p.Sale = &till.Found{Sale: sale, Void: &till.Voided{}} })
	add("void", func(p *till.Paper) {
		p.Void = &till.VoidPaper{Void: till.Voided{Body: entry.Void{Sale: knownID}}, Sale: &sale}
	})
	add("return", func(p *till.Paper) {
		p.Return = &till.Returned{Body: entry.Return{
			Sale: knownID, SaleReceipt: "R-17", Receipt: "B-1", Lines: []entry.ReturnLine{{No: 1, Quantity: 1000, Amount: 50000}},
			Refund: entry.Money{Currency: "TRY", Minor: 43925},
		}, Left: &till.Left{Refund: 64525}}
	})
	add("claim", func(p *till.Paper) { p.Claim = &till.ClaimedReceipt{Body: entry.Claim{Claim: knownID}} })
	add("day", func(p *till.Paper) { p.Balance, p.Day = nil, &till.ClosedDay{Body: dayClose()} })
	return out
}

func dayClose() entry.DayClose {
	return entry.DayClose{
		Date: 20260310, First: 4001, Last: 4710, Head: bytes.Repeat([]byte{0xab}, 32), Reason: entry.DayCloseByHand, Claims: 12, Held: 1, Waiting: 3,
		Money: []entry.DayMoney{
			{Kind: entry.KindSale, Currency: "TRY", Count: 612, Total: 98765432, Discount: 15000},
			{Kind: entry.KindVoid, Currency: "TRY", Count: 2, Total: 4000},
			{Kind: entry.KindReturn, Currency: "TRY", Count: 5, Total: 43925},
		},
		Amounts: []entry.DayAmount{
			{Kind: entry.KindSale, Flow: entry.DayEarned, Unit: "points", Amount: 98765},
			{Kind: entry.KindSale, Flow: entry.DayRedeemed, Basis: entry.BasisStandIn, Amount: 2},
			{Kind: entry.KindSale, Flow: entry.DayRedeemed, Unit: "points", Basis: entry.BasisAllowance, Amount: 2000},
			{Kind: entry.KindVoid, Flow: entry.DayEarned, Unit: "points", Amount: 4},
		},
		Cashiers: []entry.DayCashier{{CashierID: anna, Currency: "TRY", Sales: 600, Taken: 98000000}, {Currency: "TRY", Returns: 5, Refunded: 43925}, {Currency: "TRY", Sales: 2, Taken: 9, Others: true}},
	}
}

var languages = []print.Language{print.English, print.Turkish, print.Polish}

// golden compares with a file of the first release.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has changed; look at it, and run the test with -update", file)
	}
}

// Every receipt in every language, as text and as bytes for printers of three widths.
func TestReceiptsAreAsTheyWere(t *testing.T) {
	for name, paper := range papers(t) {
		for _, language := range languages {
			doc := print.Of(paper, language, print.Marks{Copy: name == "voided"})
			text := print.Plain(doc, 42)
			golden(t, name+"."+string(language)+".txt", []byte(text))
			page := must[print.CodePage](t)(print.PageOf("", language))
			for _, columns := range []int{48, 42, 32} {
				raw := print.ESCPOS(doc, print.Printer{Columns: columns, Page: page})
				if name == "sale" || name == "claimable" && columns == 32 {
					golden(t, name+"."+string(language)+"."+map[int]string{48: "48", 42: "42", 32: "32"}[columns]+".bin", raw)
				}
				checkPaper(t, raw, columns, doc, page)
			}
		}
	}
}

// checkPaper reads the bytes as a printer does.
func checkPaper(t *testing.T, raw []byte, columns int, doc print.Document, page print.CodePage) {
	t.Helper()
	got := readPaper(t, raw, page)
	if !got.cut || got.drawer || got.page != page.Number {
		t.Errorf("cut %t, drawer %t, page %d of %d", got.cut, got.drawer, got.page, page.Number)
	}
	var codes []string
	for _, row := range doc.Rows {
		if row.Kind == print.RowQR {
			codes = append(codes, row.Text)
		}
	}
	if !reflect.DeepEqual(got.codes, codes) {
		t.Errorf("QR codes %q, want %q", got.codes, codes)
	}
	for _, line := range got.lines {
		if n := utf8.RuneCountInString(line.text); n*line.wide > columns {
			t.Errorf("%q is %d of %d columns", line.text, n*line.wide, columns)
		}
	}
	plain := strings.Split(print.Plain(withoutQR(doc), print.MaxColumns), "\n")
	for i, line := range plain {
		plain[i] = page.Fold(line)
	}
	if want := strings.Join(strings.Fields(strings.Join(plain, " ")), ""); letters(got) != want {
		t.Errorf("printed\n%s\nwant\n%s", letters(got), want)
	}
}

// letters are those on a paper, rules apart: they have another width, and lines break
// elsewhere.
func letters(p paper) string {
	var out []string
	for _, line := range p.lines {
		if !strings.HasPrefix(line.text, "---") {
			out = append(out, strings.Fields(line.text)...)
		}
	}
	return strings.Join(out, "")
}

func withoutQR(d print.Document) print.Document {
	out := print.Document{Language: d.Language}
	for _, row := range d.Rows {
		if row.Kind != print.RowQR && row.Kind != print.RowRule {
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

func TestMarksStandAtBothEnds(t *testing.T) {
	sale := papers(t)["sale"]
	for _, language := range languages {
		plain := print.Of(sale, language, print.Marks{})
		marked := print.Of(sale, language, print.Marks{Copy: true, Training: true})
		if len(marked.Rows) != len(plain.Rows)+4 || marked.Rows[0] != marked.Rows[len(marked.Rows)-2] || !marked.Rows[1].Large || marked.Rows[0].Text == marked.Rows[1].Text {
			t.Errorf("%s: %+v", language, marked.Rows[:2])
		}
	}
}

func TestTheDrawerOpensWithTheFirstReceiptOnly(t *testing.T) {
	doc := print.Of(papers(t)["sale"], print.English, print.Marks{})
	page := must[print.CodePage](t)(print.PageOf("", print.English))
	if !readPaper(t, print.ESCPOS(doc, print.Printer{Columns: 48, Page: page, Drawer: true}), page).drawer {
		t.Error("the drawer stays shut")
	}
}

// Whatever stands in the journal is text on the paper: no command gets through.
func TestTextIsNoCommand(t *testing.T) {
	page := must[print.CodePage](t)(print.PageOf("", print.Turkish))
	rapid.Check(t, func(r *rapid.T) {
		evil := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x1bp\x00\x19\xfa", "\x1b@", "\x1dVB\x00", "\x10\x04\x02", "a\x00b", "\n\n\n", "\u009b1m", "\u202e", "🙂", "ﷺ", "\xff\xfe"})).Draw(r, "text")
		paper := papers(t)["sale"]
		paper.Store, paper.Cashier, paper.Sale.Sale.Body.Receipt = evil, evil, evil
		doc := print.Of(paper, print.Turkish, print.Marks{})
		got := readPaper(r, print.ESCPOS(doc, print.Printer{Columns: 32, Page: page}), page)
		if got.drawer || !got.cut || got.cuts != 1 || len(got.codes) != 1 {
			r.Fatalf("%q became a command: %+v", evil, got)
		}
	})
}

func TestAddressesOfPrinters(t *testing.T) {
	for _, good := range []string{"tcp://printer", "tcp://10.0.0.9:9100", "tcp://[::1]:1", "file:///dev/usb/lp0"} {
		if _, err := print.Open(good, time.Now); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "printer:9100", "tcp://", "tcp://a/b", "file://host/x", "file:x", "http://printer", "usb://1", "tcp://a:b"} {
		if _, err := print.Open(bad, time.Now); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
