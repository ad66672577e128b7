package brand

import (
	"image/color"

	"github.com/tallystick/tallystick/wallet/face"
)

// MaxStamps is the largest goal of a stamp card: three rows that can still be counted.
const MaxStamps = 30

// Filled is how many stamps of the brand's card a face has, 0 to the goal; -1 when the
// brand has no stamp card.
func (b Brand) Filled(f face.Face) int {
	if b.Stamps == nil {
		return -1
	}
	for _, have := range f.Balances {
		if have.Unit == b.Stamps.Unit {
			return int(min(max(have.Amount, 0), b.Stamps.Goal))
		}
	}
	return 0
}

// grid says how n stamps stand in a place: in rows of equal length, the largest they can be.
func grid(n, w, h int) (cols int, pitch float64) {
	for rows := 1; rows <= n; rows++ {
		across := (n + rows - 1) / rows
		if p := min(float64(w)*0.94/float64(across), float64(h)*0.90/float64(rows)); p > pitch {
			cols, pitch = across, p
		}
	}
	return cols, pitch
}

// inks are the colours of a brand, read.
type inks struct{ background, foreground, label color.NRGBA }

// stamps draws the card: filled ones as discs with the mark, empty ones as rings, the
// last with a star.
func (c canvas) stamps(goal, filled int, ink inks) {
	w, h := c.Bounds().Dx(), c.Bounds().Dy()
	cols, pitch := grid(goal, w, h)
	rows := (goal + cols - 1) / cols
	r := pitch * 0.42
	top := (float64(h) - pitch*float64(rows)) / 2
	for i := range goal {
		row := i / cols
		inRow := min(cols, goal-row*cols)
		left := (float64(w) - pitch*float64(inRow)) / 2
		at := point{left + pitch*(float64(i%cols)+0.5), top + pitch*(float64(row)+0.5)}
		on, last := i < filled, i == goal-1
		switch {
		case on && last:
			c.shape(ink.foreground, circle(at, r), backwards(star(at, r*0.62)))
		case on:
			c.disc(ink.foreground, at, r)
			c.mark(ink.background, point{at.x - r*0.7, at.y - r*0.7}, r*1.4)
		default:
			c.ring(ink.label, at, r, max(1, r*0.09))
			if last {
				c.shape(ink.label, star(at, r*0.55))
			}
		}
	}
}
