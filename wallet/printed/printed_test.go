package printed

import (
	"bytes"
	"compress/zlib"
	"encoding/xml"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

var update = flag.Bool("update", false, "write the golden files")

// code is as long as a pass token, so it makes the same symbol.
var code = ("TS1" + strings.Repeat("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 5))[:141]

func card() face.Face {
	return face.Face{
		Kind: face.KindMember, Name: "Zażółć Gęślą İğüşöç", Number: "1234 5678 9012 3456", Locale: "tr", Code: code,
		ExpiresOn: time.Date(2027, 5, 1, 0, 0, 0, 0, time.UTC),
	}
}

func stock(t *testing.T) *Stock {
	t.Helper()
	b := brand.Default("Köşe Çay i Łódź")
	b.Website = "https://shop.example/club"
	s, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// golden holds bytes to a file. What was drawn is compared by its picture, since the
// compression of a file may change with Go's.
func golden(t *testing.T, name string, got []byte, same func(want, got []byte) bool) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !same(want, got) {
		t.Errorf("%s is not as it was; go test -update writes it anew", name)
	}
}

func decoded(t *testing.T, raw []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func samePicture(t *testing.T) func(want, got []byte) bool {
	return func(want, got []byte) bool {
		a, b := decoded(t, want), decoded(t, got)
		if a.Bounds() != b.Bounds() {
			return false
		}
		for y := range a.Bounds().Dy() {
			for x := range a.Bounds().Dx() {
				p, q := color.NRGBAModel.Convert(a.At(x, y)), color.NRGBAModel.Convert(b.At(x, y))
				if p != q {
					return false
				}
			}
		}
		return true
	}
}

func TestCardAsPNG(t *testing.T) {
	raw, err := stock(t).PNG(card(), DefaultDPI)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "card.png", raw, samePicture(t))
	if !bytes.Contains(raw, []byte("pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01")) { // 11811 a metre
		t.Error("the PNG does not say how large it is")
	}
	for _, dpi := range []int{LeastDPI - 1, MostDPI + 1} {
		if _, err := stock(t).PNG(card(), dpi); err == nil {
			t.Errorf("%d dots per inch are drawn", dpi)
		}
	}
}

func TestCardAsSVG(t *testing.T) {
	drawing, err := stock(t).SVG(card())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "card.svg", []byte(drawing), bytes.Equal)
	if err := xml.Unmarshal([]byte(drawing), new(struct{})); err != nil {
		t.Errorf("no XML: %v", err)
	}
}

// The code is at least 25 mm, with four modules of white around, in all three formats.
func TestTheCodeIsAsScannersWant(t *testing.T) {
	s := stock(t)
	l, err := s.layout(card())
	if err != nil {
		t.Fatal(err)
	}
	module := l.code.w / float64(len(l.modules))
	if side := module * float64(len(l.modules)-2*quietModules); side < leastCode {
		t.Errorf("the code has %.2f mm", side)
	}
	if l.code.x+l.code.w > Width || l.code.y+l.code.h > Height {
		t.Error("the code leaves the card")
	}
	raw, err := s.PDF(card())
	if err != nil {
		t.Fatal(err)
	}
	same(t, "pdf", modulesOfPDF(t, raw, l), l.modules)
	for _, dpi := range []int{LeastDPI, DefaultDPI, MostDPI} {
		raw, err := s.PNG(card(), dpi)
		if err != nil {
			t.Fatal(err)
		}
		same(t, strconv.Itoa(dpi)+" dpi", modulesOfPNG(t, raw, len(l.modules), dpi), l.modules)
	}
	last := len(l.modules) - 1
	for y, row := range l.modules {
		for x, dark := range row {
			if dark && min(x, y, last-x, last-y) < quietModules {
				t.Fatalf("module %d,%d in the white border is dark", x, y)
			}
		}
	}
}

func same(t *testing.T, what string, got, want [][]bool) {
	t.Helper()
	for y := range want {
		for x := range want[y] {
			if got[y][x] != want[y][x] {
				t.Fatalf("%s: module %d,%d is not as in the code", what, x, y)
			}
		}
	}
}

// modulesOfPNG reads the middle of each module, from the right upper corner of the code.
func modulesOfPNG(t *testing.T, raw []byte, n, dpi int) [][]bool {
	t.Helper()
	img := decoded(t, raw)
	scale := float64(dpi) / mmPerInch
	right, top := int(math.Round((Width-margin)*scale)), int(math.Round(margin*scale))
	white := func(x, y int) bool { r, g, b, _ := img.At(x, y).RGBA(); return r+g+b == 3*0xffff }
	left := right - 1
	for white(left-1, top+1) {
		left--
	}
	if (right-left)%n != 0 {
		t.Fatalf("the code has %d dots for %d modules", right-left, n)
	}
	module := (right - left) / n
	if side := float64((n-2*quietModules)*module) / scale; side < leastCode {
		t.Errorf("at %d dpi the code has %.2f mm", dpi, side)
	}
	out := make([][]bool, n)
	for y := range out {
		for x := range n {
			out[y] = append(out[y], !white(left+x*module+module/2, top+y*module+module/2))
		}
	}
	return out
}

var rectangle = regexp.MustCompile(`([\d.]+) ([\d.]+) ([\d.]+) -([\d.]+) re f`)

// modulesOfPDF finds the black rectangles on the page.
func modulesOfPDF(t *testing.T, raw []byte, l *layout) [][]bool {
	t.Helper()
	out := make([][]bool, len(l.modules))
	for y := range out {
		out[y] = make([]bool, len(l.modules))
	}
	const point = 72 / mmPerInch
	module := l.code.w / float64(len(l.modules)) * point
	page := contentOf(t, raw)
	page = page[strings.LastIndex(page, "0.000 g"):]
	found := rectangle.FindAllStringSubmatch(page, -1)
	if len(found) == 0 {
		t.Fatal("the page has no rectangles")
	}
	for _, m := range found {
		var v [4]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(m[i+1], 64)
		}
		x, y := (v[0]-l.code.x*point)/module, ((Height-l.code.y)*point-v[1])/module
		for i := range int(math.Round(v[2] / module)) {
			out[int(math.Round(y))][int(math.Round(x))+i] = true
		}
	}
	return out
}

// contentOf is the first stream of a PDF that draws rectangles, inflated.
func contentOf(t *testing.T, raw []byte) string {
	t.Helper()
	for _, part := range bytes.Split(raw, []byte("stream\n"))[1:] {
		z, err := zlib.NewReader(bytes.NewReader(part))
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(z) // what follows the stream is no part of it
		if bytes.Contains(text, []byte(" re f")) {
			return string(text)
		}
	}
	t.Fatal("no page in the PDF")
	return ""
}

// zbar shares no code with us. The PDF is read where Ghostscript is at hand to draw it.
func TestZbarReadsTheCard(t *testing.T) {
	zbar, err := exec.LookPath("zbarimg")
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("zbarimg is missing: apt-get install zbar-tools")
	case err != nil:
		t.Skip("SKIPPED, NOT TESTED: zbarimg is missing: apt-get install zbar-tools")
	}
	s, dir := stock(t), t.TempDir()
	read := func(file string) string {
		out, err := exec.Command(zbar, "--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", file).Output()
		if err != nil {
			t.Fatalf("zbarimg %s: %v", filepath.Base(file), err)
		}
		return strings.TrimSpace(string(out))
	}
	drawn, err := s.PNG(card(), LeastDPI)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "card.png")
	if err := os.WriteFile(file, drawn, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := read(file); got != code {
		t.Errorf("the PNG reads %q", got)
	}
	gs, err := exec.LookPath("gs")
	if err != nil {
		return
	}
	page, err := s.PDF(card())
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "card.pdf")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(gs, "-q", "-dSAFER", "-sDEVICE=png16m", "-r150", "-o", file+".png", file).CombinedOutput(); err != nil {
		t.Fatalf("gs: %v %s", err, out)
	}
	if got := read(file + ".png"); got != code {
		t.Errorf("the PDF reads %q", got)
	}
}

func TestSheet(t *testing.T) {
	s := stock(t)
	cards := make([]face.Face, 11)
	for i := range cards {
		cards[i] = card()
	}
	raw, err := s.Sheet(cards)
	if err != nil {
		t.Fatal(err)
	}
	if pages := bytes.Count(raw, []byte("/Type /Page\n")); pages != 2 {
		t.Errorf("%d pages for 11 cards", pages)
	}
	again, err := s.Sheet(cards)
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("the same cards are other bytes: %v", err)
	}
	for _, n := range []int{0, MaxSheet + 1} {
		if _, err := s.Sheet(make([]face.Face, n)); err == nil {
			t.Errorf("%d cards are printed", n)
		}
	}
}

// Whatever a name is made of, it stays on its half of the card, and nothing is drawn as a
// box.
func TestNamesOfAllKinds(t *testing.T) {
	s := stock(t)
	for name, want := range map[string]string{
		"Ann": "Ann", `"Bob" <b>&'`: `"Bob" <b>&'`, "İğdır Şükrü": "İğdır Şükrü", "Łukasz Żółć": "Łukasz Żółć",
		"Ann 😀👍🏽": "Ann", "😀": "", "שלום": "", "محمد": "", "a\nb\tc": "a b c", "e\u0301t\u00e9": "été",
		"Σωκράτης": "Σωκράτης", "50 ₺": "50 TRY", "\u202eevil": "evil", "a\x00b": "ab", "\xff\xfe": "",
	} {
		f := card()
		f.Name = name
		l, err := s.layout(f)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, line := range l.lines {
			if line.y == 38 {
				got = line.text
			}
		}
		if got != want {
			t.Errorf("%q is printed as %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{strings.Repeat("W", 10_000), strings.Repeat("Ann 😀", 5_000), strings.Repeat("é́", 40_000)} {
		f := card()
		f.Name = name
		l, err := s.layout(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range l.lines {
			w, err := line.face.Width(line.text)
			if err != nil || line.x+w*line.size > Width || line.x == margin && line.x+w*line.size > l.code.x {
				t.Errorf("%.20q… is printed over the edge: %v", line.text, err)
			}
		}
		if _, err := s.PDF(f); err != nil {
			t.Error(err)
		}
	}
}

func TestAVoucherIsPrintedWithItsName(t *testing.T) {
	f := card()
	f.Kind, f.Number, f.Voucher = face.KindVoucher, "", &face.Voucher{Name: "Free coffee"}
	l, err := stock(t).layout(f)
	if err != nil {
		t.Fatal(err)
	}
	if said := l.said(); !strings.Contains(said, "Free coffee") || strings.Contains(said, "numarası") {
		t.Errorf("it says %q", said)
	}
}
