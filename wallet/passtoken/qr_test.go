package passtoken

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// side of a version 6 symbol with its border.
const version6Side = 41 + 2*quietModules

func grid(t tester, text string) [][]bool {
	t.Helper()
	g, err := modules(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// DESIGN §5 rests on this: no token, whatever its bytes, may need version 7.
func TestTokensAreVersion6(t *testing.T) {
	p := memberPass(t)
	for p.Issue = range 60 {
		token := issued(t, current, p)
		if got := len(grid(t, token.Text())); got != version6Side {
			t.Fatalf("static: %d modules a side with border, want %d", got, version6Side)
		}
	}
	if got := len(grid(t, RotatingText(issued(t, current, p), testGroups()[0], noon))); got > version6Side+4 {
		t.Errorf("rotating: %d modules a side with border, want version 7 or less", got)
	}
}

func TestQuietZoneIsFourModules(t *testing.T) {
	g := grid(t, issued(t, current, memberPass(t)).Text())
	last := len(g) - 1
	for y, row := range g {
		for x, dark := range row {
			if dark && min(x, y, last-x, last-y) < quietModules {
				t.Fatalf("module %d,%d in the quiet zone is dark", x, y)
			}
		}
	}
	// The finder patterns' corners, so that the border is not wider either.
	for _, c := range [][2]int{{4, 4}, {last - 4, 4}, {4, last - 4}} {
		if !g[c[1]][c[0]] {
			t.Errorf("finder corner %v is light", c)
		}
	}
}

func TestPNGIsTheSymbol(t *testing.T) {
	text := issued(t, current, memberPass(t)).Text()
	g := grid(t, text)
	for _, scale := range []int{1, 3, 8} {
		raw, err := PNG(text, scale)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := img.Bounds().Dx(); got != version6Side*scale || img.Bounds().Dy() != got {
			t.Fatalf("scale %d: %v", scale, img.Bounds())
		}
		for y := range img.Bounds().Dy() {
			for x := range img.Bounds().Dx() {
				dark := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y == 0
				if dark != g[y/scale][x/scale] {
					t.Fatalf("scale %d: pixel %d,%d", scale, x, y)
				}
			}
		}
	}
}

func TestSVGIsTheSymbol(t *testing.T) {
	text := issued(t, current, memberPass(t)).Text()
	svg, err := SVG(text)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(svg, `viewBox="0 0 49 49"`) {
		t.Errorf("no view box in %.120s", svg)
	}
	drawn := make([][]bool, version6Side)
	for y := range drawn {
		drawn[y] = make([]bool, version6Side)
	}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(svg, -1) {
		x, y, run := atoi(t, m[1]), atoi(t, m[2]), atoi(t, m[3])
		if m[3] != m[4] {
			t.Fatalf("open box %s", m[0])
		}
		for i := range run {
			drawn[y][x+i] = true
		}
	}
	if fmt.Sprint(drawn) != fmt.Sprint(grid(t, text)) {
		t.Error("the path draws another symbol")
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTerminalIsTheSymbol(t *testing.T) {
	text := issued(t, current, memberPass(t)).Text()
	out, err := Terminal(text)
	if err != nil {
		t.Fatal(err)
	}
	g := grid(t, text)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != (version6Side+1)/2 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, line := range lines {
		inner, ok := strings.CutPrefix(line, "\x1b[97;40m")
		inner, ok2 := strings.CutSuffix(inner, "\x1b[0m")
		cells := []rune(inner)
		if !ok || !ok2 || len(cells) != version6Side {
			t.Fatalf("line %d has %d cells: %q", i, len(cells), line)
		}
		for x, c := range cells {
			upper := c == ' ' || c == '▄'
			lower := c == ' ' || c == '▀'
			if upper != g[2*i][x] || 2*i+1 < len(g) && lower != g[2*i+1][x] {
				t.Fatalf("line %d, cell %d is %q", i, x, c)
			}
		}
	}
}

func TestPicturesRefuse(t *testing.T) {
	good := issued(t, current, memberPass(t)).Text()
	for _, scale := range []int{-1, 0, MaxPixelsPerModule + 1} {
		if _, err := PNG(good, scale); err == nil {
			t.Errorf("scale %d accepted", scale)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "version 11": strings.Repeat("A", 312), "beyond any version": strings.Repeat("x", 10_000),
	} {
		_, errPNG := PNG(text, 4)
		_, errSVG := SVG(text)
		_, errTerminal := Terminal(text)
		for _, err := range []error{errPNG, errSVG, errTerminal} {
			if !errors.Is(err, ErrQR) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := SVG(strings.Repeat("A", 311)); err != nil {
		t.Errorf("version 10: %v", err)
	}
}

func TestPanicOfTheLibraryBecomesAnError(t *testing.T) {
	g, err := guard(func() ([][]bool, error) { panic("BUG: got len 7, expected 8") })
	if g != nil || !errors.Is(err, ErrQR) || !strings.Contains(err.Error(), "expected 8") {
		t.Errorf("%v, %v", g, err)
	}
}

// tool finds a program, or skips; under CI a missing one is a failure.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing: apt-get install %s", name, pkg)
	}
	t.Skipf("SKIPPED, NOT TESTED: %s is missing: apt-get install %s", name, pkg)
	return ""
}

// zbar reads a picture with Debian's zbar, a reader that shares no code with us.
func zbar(t *testing.T, file string) string {
	t.Helper()
	out, err := exec.Command(tool(t, "zbarimg", "zbar-tools"),
		"--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg %s: %v", filepath.Base(file), err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

func TestZbarReadsThePNGs(t *testing.T) {
	tool(t, "zbarimg", "zbar-tools")
	dir := t.TempDir()
	for i := range 4 {
		p := memberPass(t)
		p.Kind, p.Issue = Kind(i%3), uint16(i)
		token := issued(t, current, p)
		for name, text := range map[string]string{
			"static": token.Text(), "rotating": RotatingText(token, testGroups()[0], noon),
		} {
			for _, scale := range []int{2, 4, 8} {
				raw, err := PNG(text, scale)
				if err != nil {
					t.Fatal(err)
				}
				file := filepath.Join(dir, fmt.Sprintf("%s-%d-%d.png", name, i, scale))
				if err := os.WriteFile(file, raw, 0o600); err != nil {
					t.Fatal(err)
				}
				read := zbar(t, file)
				if read != text {
					t.Errorf("%s, scale %d: read %q", name, scale, read)
				}
				if got, err := verify(read, noon); err != nil || got.Pass != token.Pass() {
					t.Errorf("%s, scale %d: %v", name, scale, err)
				}
			}
		}
	}
}

// The SVG's modules are checked without any tool above; where a renderer is at
// hand, what it draws is scanned too.
func TestZbarReadsTheRenderedSVG(t *testing.T) {
	tool(t, "zbarimg", "zbar-tools")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "code.svg"), filepath.Join(dir, "code.png")
	var render *exec.Cmd
	if path, err := exec.LookPath("rsvg-convert"); err == nil {
		render = exec.Command(path, "--width", "392", "--output", out, in)
	} else if path, err := exec.LookPath("convert"); err == nil {
		render = exec.Command(path, "-size", "392x392", in, out)
	} else {
		t.Skip("no SVG renderer (librsvg2-bin or imagemagick); the path itself is tested")
	}
	token := issued(t, current, memberPass(t))
	svg, err := SVG(token.Text())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, []byte(svg), 0o600); err != nil {
		t.Fatal(err)
	}
	if msg, err := render.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	if read := zbar(t, out); read != token.Text() {
		t.Errorf("read %q", read)
	}
}
