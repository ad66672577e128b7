package brand_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// coupon is the face of a voucher, whose pictures are the fewest.
func coupon(stamps int64) face.Face {
	f := stamped(stamps)
	f.Kind = face.KindVoucher
	return f
}

func asProblem(err error, into **problem.Error) bool { return errors.As(err, into) }

// What was drawn is drawn no more, however many ask at once, and each number of stamps
// and each version is drawn by itself.
func TestAPainterRemembers(t *testing.T) {
	p, b := brand.NewPainter(), withStamps(6)
	var all sync.WaitGroup
	firsts := make([]*byte, 8)
	for i := range firsts {
		all.Go(func() {
			images, err := p.Images(b, coupon(2))
			if err != nil {
				t.Error(err)
				return
			}
			firsts[i] = &images[0].PNG[0]
		})
	}
	all.Wait()
	for _, f := range firsts {
		if f != firsts[0] {
			t.Fatal("it was drawn twice")
		}
	}
	more, err := p.Images(b, coupon(3))
	if err != nil || &more[0].PNG[0] == firsts[0] {
		t.Errorf("another number of stamps is the same: %v", err)
	}
	other := b
	other.Version, other.Background = 2, "#330011"
	changed, err := p.Images(other, coupon(2))
	if err != nil || &changed[0].PNG[0] == firsts[0] {
		t.Errorf("another version is the same: %v", err)
	}
}

// What fails is not remembered, and it is no panic.
func TestAPainterForgetsFailures(t *testing.T) {
	p, b := brand.NewPainter(), withStamps(3)
	b.Strip = []byte("no picture")
	if _, err := p.Images(b, coupon(1)); err == nil {
		t.Fatal("no picture is drawn")
	}
	b.Strip = nil
	if _, err := p.Images(b, coupon(1)); err != nil {
		t.Error(err)
	}
	if _, err := p.Picture(b, "nothing.png"); problem.CodeOf(err) != problem.NotFound {
		t.Error(err)
	}
}

// Passes are made by the hundred thousand: what is remembered must cost no drawing.
func BenchmarkPainter(b *testing.B) {
	p, look := brand.NewPainter(), withStamps(10)
	for b.Loop() {
		if _, err := p.Images(look, stamped(rand.Int64N(11))); err != nil {
			b.Fatal(err)
		}
	}
}
