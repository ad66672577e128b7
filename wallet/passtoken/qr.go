package passtoken

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// Limits of the pictures.
const (
	// MaxQRVersion is the largest symbol drawn. Larger ones need a finer imager
	// than tills have; a pass token needs version 6.
	MaxQRVersion = 10
	// MaxPixelsPerModule bounds a PNG at about 4000 pixels a side.
	MaxPixelsPerModule = 64
	// quietModules is the white border on each side (ISO/IEC 18004 §6.3.8).
	quietModules = 4
)

// ErrQR is what a text that cannot be drawn answers with.
var ErrQR = errors.New("text cannot be drawn as a QR code")

// modules returns the symbol at level M with its quiet zone, rows from the top,
// true for dark.
func modules(text string) ([][]bool, error) {
	return guard(func() ([][]bool, error) {
		q, err := qrcode.New(text, qrcode.Medium)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrQR, err)
		}
		if q.VersionNumber > MaxQRVersion {
			return nil, fmt.Errorf("%w: needs version %d, at most %d is drawn", ErrQR, q.VersionNumber, MaxQRVersion)
		}
		return q.Bitmap(), nil
	})
}

// guard turns a panic of the QR library, which reports its own bugs so, into an
// error: a picture that fails must not end a server.
func guard(draw func() ([][]bool, error)) (grid [][]bool, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			grid, err = nil, fmt.Errorf("%w: %v", ErrQR, cause)
		}
	}()
	return draw()
}

// PNG draws text as a QR code at level M with a quiet zone of four modules, black
// on white, pixelsPerModule (1 to 64) pixels to a module. A pass token makes 49
// modules a side, border included.
func PNG(text string, pixelsPerModule int) ([]byte, error) {
	if pixelsPerModule < 1 || pixelsPerModule > MaxPixelsPerModule {
		return nil, fmt.Errorf("draw png: %d pixels a module, want 1 to %d", pixelsPerModule, MaxPixelsPerModule)
	}
	grid, err := modules(text)
	if err != nil {
		return nil, fmt.Errorf("draw png: %w", err)
	}
	side := len(grid) * pixelsPerModule
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		row := img.Pix[y*img.Stride : y*img.Stride+side]
		for x := range row {
			if grid[y/pixelsPerModule][x/pixelsPerModule] {
				row[x] = 1
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("draw png: %w", err)
	}
	return out.Bytes(), nil
}

// SVG draws the same symbol as an SVG document of one path. One unit is one module
// and the document has no size of its own: it fills what it is put into. Fill and
// stroke are stated, so that a page's style cannot leak in.
func SVG(text string) (string, error) {
	grid, err := modules(text)
	if err != nil {
		return "", fmt.Errorf("draw svg: %w", err)
	}
	var path strings.Builder
	for y, row := range grid {
		for x := 0; x < len(row); x++ {
			start := x
			for x < len(row) && row[x] {
				x++
			}
			if run := x - start; run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", start, y, run, run)
			}
		}
	}
	side := strconv.Itoa(len(grid))
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + ` ` + side +
		`" shape-rendering="crispEdges" stroke="none"><path fill="#fff" d="M0 0h` + side + `v` + side + `H0z"/><path fill="#000" d="` +
		path.String() + `"/></svg>`, nil
}

// Terminal draws the same symbol with half-block characters, two rows of modules
// to a line. It sets white on black itself, so it scans on a light terminal too.
func Terminal(text string) (string, error) {
	grid, err := modules(text)
	if err != nil {
		return "", fmt.Errorf("draw on terminal: %w", err)
	}
	// A block is a light module; below the last row all is light.
	blocks := map[[2]bool]string{{true, true}: " ", {true, false}: "▄", {false, true}: "▀", {false, false}: "█"}
	var out strings.Builder
	for y := 0; y < len(grid); y += 2 {
		out.WriteString("\x1b[97;40m")
		for x := range grid[y] {
			below := y+1 < len(grid) && grid[y+1][x]
			out.WriteString(blocks[[2]bool{grid[y][x], below}])
		}
		out.WriteString("\x1b[0m\n")
	}
	return out.String(), nil
}
