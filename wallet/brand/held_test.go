package brand

import (
	"sync"
	"testing"
)

// A painter whose pictures do not fit into what it remembers goes on to remember: what is
// still being drawn is not forgotten, and what is held is what is there.
func TestAPainterHoldsWhatItCounts(t *testing.T) {
	p := NewPainter()
	picture := func(bytes int) func() ([]Image, error) {
		return func() ([]Image, error) { return []Image{{PNG: make([]byte, bytes)}}, nil }
	}
	begun, goOn := make(chan struct{}), make(chan struct{})
	var slow sync.WaitGroup
	slow.Go(func() {
		_, err := p.draw(what{name: "slow"}, func() ([]Image, error) {
			close(begun)
			<-goOn
			return picture(1 << 20)()
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	for _, name := range []string{"a", "b", "c"} {
		if _, err := p.draw(what{name: name}, picture(kept/2)); err != nil {
			t.Fatal(err)
		}
	}
	close(goOn)
	slow.Wait()
	if p.drawn[what{name: "slow"}] == nil {
		t.Error("what was being drawn is forgotten")
	}
	there := 0
	for _, d := range p.drawn {
		there += d.bytes()
	}
	if p.held != there || p.held > kept || len(p.used) != len(p.drawn) {
		t.Errorf("%d bytes are counted and %d are there, %d uses of %d", p.held, there, len(p.used), len(p.drawn))
	}
}
