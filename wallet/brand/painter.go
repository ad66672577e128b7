package brand

import (
	"slices"
	"sync"

	"github.com/tallystick/tallystick/wallet/face"
)

// kept bounds what a Painter remembers, in bytes of PNG.
const kept = 48 << 20

// Painter draws and remembers what it drew, so that a pass costs no drawing. It tells
// looks apart by their version, so it is for those in force, not for drafts. It is safe
// for concurrent use; what it returns is shared and must not be changed.
type Painter struct {
	mu    sync.Mutex
	held  int
	drawn map[what]*drawing
	used  []what // the longest unused first
}

// what one drawing is of: the pictures of a pass, or a picture with a name.
type what struct {
	version uint64
	kind    face.Kind
	filled  int
	name    string
}

type drawing struct {
	once    sync.Once
	images  []Image
	err     error
	counted bool // it is drawn, and its bytes are among those held
}

// NewPainter returns one that has drawn nothing yet.
func NewPainter() *Painter { return &Painter{drawn: map[what]*drawing{}} }

// Images is Render.
func (p *Painter) Images(b Brand, f face.Face) ([]Image, error) {
	return p.draw(what{b.Version, f.Kind, b.Filled(f), ""}, func() ([]Image, error) { return Render(b, f) })
}

// Picture is the Picture of a public name.
func (p *Painter) Picture(b Brand, name string) (Image, error) {
	all, err := p.draw(what{version: b.Version, name: name}, func() ([]Image, error) {
		one, err := Picture(b, name)
		return []Image{one}, err
	})
	if err != nil {
		return Image{}, err
	}
	return all[0], nil
}

// Drawn is a Picture that is remembered.
func (p *Painter) Drawn(version uint64, name string) (Image, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := what{version: version, name: name}
	d := p.drawn[w]
	if d == nil || !d.counted {
		return Image{}, false
	}
	p.touch(w)
	return d.images[0], true
}

func (p *Painter) draw(w what, draw func() ([]Image, error)) ([]Image, error) {
	d := p.begin(w)
	d.once.Do(func() {
		d.images, d.err = draw()
		p.end(w, d)
	})
	return d.images, d.err
}

func (p *Painter) begin(w what) *drawing {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, ok := p.drawn[w]
	if !ok {
		d = &drawing{}
		p.drawn[w] = d
	}
	p.touch(w)
	return d
}

// touch makes a drawing the last used one. With the lock held.
func (p *Painter) touch(w what) {
	p.used = append(slices.DeleteFunc(p.used, func(u what) bool { return u == w }), w)
}

// end counts what was drawn, and forgets the longest unused while there is too much.
// What failed is not remembered.
func (p *Painter) end(w what, d *drawing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.err != nil {
		p.forget(w)
		return
	}
	d.counted = true
	p.held += d.bytes()
	for p.held > kept {
		// What is still being drawn holds nothing yet, and is about to be used.
		i := slices.IndexFunc(p.used, func(u what) bool { return u != w && p.drawn[u].counted })
		if i < 0 {
			return
		}
		p.forget(p.used[i])
	}
}

func (p *Painter) forget(w what) {
	if d, ok := p.drawn[w]; ok && d.counted {
		p.held -= d.bytes()
	}
	delete(p.drawn, w)
	p.used = slices.DeleteFunc(p.used, func(u what) bool { return u == w })
}

func (d *drawing) bytes() int {
	n := 0
	for _, i := range d.images {
		n += len(i.PNG)
	}
	return n
}
