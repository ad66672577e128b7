package brand

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// canvas is a picture under way. Its shapes have smooth edges at every scale.
type canvas struct{ *image.RGBA }

func newCanvas(w, h int) canvas { return canvas{image.NewRGBA(image.Rect(0, 0, w, h))} }

func (c canvas) fill(ground color.Color) {
	draw.Draw(c, c.Bounds(), image.NewUniform(ground), image.Point{}, draw.Src)
}

// veil lays a colour that can be seen through over all.
func (c canvas) veil(with color.NRGBA) {
	draw.Draw(c, c.Bounds(), image.NewUniform(with), image.Point{}, draw.Over)
}

// blend fills downwards from one colour to another.
func (c canvas) blend(top, bottom color.NRGBA) {
	b := c.Bounds()
	for y := range b.Dy() {
		row := image.Rect(0, y, b.Dx(), y+1)
		draw.Draw(c, row, image.NewUniform(mixed(top, bottom, float64(y)/float64(b.Dy()))), image.Point{}, draw.Src)
	}
}

// point is a place on a canvas, in pixels.
type point struct{ x, y float64 }

// shape fills closed outlines; where two overlap in opposite directions is a hole.
func (c canvas) shape(ink color.Color, outlines ...[]point) {
	least, most := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, line := range outlines {
		for _, p := range line {
			least = point{min(least.x, p.x), min(least.y, p.y)}
			most = point{max(most.x, p.x), max(most.y, p.y)}
		}
	}
	box := image.Rect(int(math.Floor(least.x)), int(math.Floor(least.y)), int(math.Ceil(most.x)), int(math.Ceil(most.y)))
	z := vector.NewRasterizer(box.Dx(), box.Dy())
	on := func(p point) (x, y float32) {
		return float32(p.x - float64(box.Min.X)), float32(p.y - float64(box.Min.Y))
	}
	for _, line := range outlines {
		z.MoveTo(on(line[0]))
		for _, p := range line[1:] {
			z.LineTo(on(p))
		}
		z.ClosePath()
	}
	z.Draw(c.RGBA, box, image.NewUniform(ink), image.Point{})
}

func (c canvas) disc(ink color.Color, at point, r float64) { c.shape(ink, circle(at, r)) }

func (c canvas) ring(ink color.Color, at point, r, width float64) {
	c.shape(ink, circle(at, r), backwards(circle(at, r-width)))
}

// stroke is a line with round ends.
func (c canvas) stroke(ink color.Color, from, to point, width float64) {
	angle := math.Atan2(to.y-from.y, to.x-from.x)
	var line []point
	for _, end := range []struct {
		at   point
		turn float64
	}{{to, angle - math.Pi/2}, {from, angle + math.Pi/2}} {
		const steps = 16
		for i := range steps + 1 {
			a := end.turn + math.Pi*float64(i)/steps
			line = append(line, point{end.at.x + width/2*math.Cos(a), end.at.y + width/2*math.Sin(a)})
		}
	}
	c.shape(ink, line)
}

func circle(at point, r float64) []point {
	n := max(24, int(r*2))
	out := make([]point, n)
	for i := range out {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		out[i] = point{at.x + r*cos, at.y + r*sin}
	}
	return out
}

func star(at point, r float64) []point {
	const inner = 0.45
	out := make([]point, 10)
	for i := range out {
		sin, cos := math.Sincos(math.Pi*float64(i)/5 - math.Pi/2)
		d := r
		if i%2 == 1 {
			d *= inner
		}
		out[i] = point{at.x + d*cos, at.y + d*sin}
	}
	return out
}

func backwards(line []point) []point {
	out := make([]point, len(line))
	for i, p := range line {
		out[len(line)-1-i] = p
	}
	return out
}

// mark draws our own mark, four notches and the one across, into a square.
func (c canvas) mark(ink color.Color, at point, side float64) {
	on := func(x, y float64) point { return point{at.x + x/32*side, at.y + y/32*side} }
	width := 2.6 / 32 * side
	for _, x := range []float64{7, 13, 19, 25} {
		c.stroke(ink, on(x, 6), on(x, 26), width)
	}
	c.stroke(ink, on(3, 22), on(29, 10), width)
}

// contain draws a picture as large as it fits into a place, in its middle.
func (c canvas) contain(picture image.Image, into image.Rectangle) {
	w, h := fit(picture.Bounds().Dx(), picture.Bounds().Dy(), into.Dx(), into.Dy())
	at := into.Min.Add(image.Pt((into.Dx()-w)/2, (into.Dy()-h)/2))
	draw.CatmullRom.Scale(c, image.Rectangle{at, at.Add(image.Pt(w, h))}, picture, picture.Bounds(), draw.Over, nil)
}

// cover fills the canvas with the middle of a picture.
func (c canvas) cover(picture image.Image) {
	from, to := picture.Bounds(), c.Bounds()
	w, h := fit(to.Dx(), to.Dy(), from.Dx(), from.Dy())
	at := from.Min.Add(image.Pt((from.Dx()-w)/2, (from.Dy()-h)/2))
	draw.CatmullRom.Scale(c, to, picture, image.Rectangle{at, at.Add(image.Pt(w, h))}, draw.Over, nil)
}

// fit returns the largest size of the shape w to h within maxW and maxH.
func fit(w, h, maxW, maxH int) (int, int) {
	if w*maxH > h*maxW {
		return maxW, max(1, (h*maxW+w/2)/w)
	}
	return max(1, (w*maxH+h/2)/h), maxH
}
