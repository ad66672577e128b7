package lan

import (
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Witnessed is a head that a lane has shown, with its signature.
type Witnessed struct {
	Head   wire.Head
	Signed wire.SignedHead
}

// Evidence is a head of a lane, and what it proves beside the one known before. For
// entry.WitnessSeen there is nothing to prove, and Known is zero.
type Evidence struct {
	Finding entry.WitnessFinding
	Shown   Witnessed
	Known   Witnessed
}

// Book keeps the heads that lanes have shown. It is safe for concurrent use. A message
// that was overtaken has the earlier HLC and proves nothing: see wire.Contradicts.
//
// That a longer head goes on from a shorter one is shown by a proof: the head as it
// was at the earlier number, signed again, without HLC. Until it comes the book holds
// on to the earlier one, its base.
type Book struct {
	mu    sync.Mutex
	lanes map[uuid.UUID]*shownBy
}

type shownBy struct {
	base, latest Witnessed
	found        *Evidence
}

// NewBook returns an empty book.
func NewBook() *Book { return &Book{lanes: map[uuid.UUID]*shownBy{}} }

// Take compares a head with what is known of its lane, and keeps it when it goes on
// from there. news is false when the same was found before.
func (b *Book) Take(shown Witnessed) (found Evidence, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[shown.Head.Terminal]
	if l == nil {
		l = &shownBy{base: shown, latest: shown}
		b.lanes[shown.Head.Terminal] = l
		return Evidence{Shown: shown}, false
	}
	for _, known := range []Witnessed{l.latest, l.base} {
		if finding := wire.Contradicts(known.Head, shown.Head); finding != entry.WitnessSeen {
			return l.find(Evidence{finding, shown, known})
		}
	}
	if shown.Head.Epoch > l.latest.Head.Epoch {
		*l = shownBy{base: shown, latest: shown} // it has enrolled again
	} else if later(l.latest.Head, shown.Head) {
		l.latest = shown
	}
	return Evidence{Shown: shown}, false
}

// Prove takes in a proof together with the head of the same moment. When the proof
// holds, the head becomes the base.
func (b *Book) Prove(proof, shown Witnessed) (found Evidence, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lanes[shown.Head.Terminal]
	if l == nil {
		return Evidence{Shown: shown}, false
	}
	base := l.base.Head
	if finding := wire.Contradicts(base, proof.Head); finding != entry.WitnessSeen {
		return l.find(Evidence{finding, proof, l.base})
	}
	if proof.Head.Epoch == base.Epoch && proof.Head.Seq == base.Seq && later(base, shown.Head) {
		l.base = shown
	}
	return Evidence{Shown: shown}, false
}

// find keeps the first evidence of each epoch.
func (l *shownBy) find(e Evidence) (Evidence, bool) {
	if l.found != nil {
		return *l.found, false
	}
	l.found = &e
	return e, true
}

func later(known, shown wire.Head) bool {
	return shown.Epoch == known.Epoch && (shown.Seq > known.Seq || shown.Seq == known.Seq && shown.HLC > known.HLC)
}

// Base returns the head of a lane that it should prove to go on from.
func (b *Book) Base(lane uuid.UUID) (Witnessed, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lanes[lane]; l != nil {
		return l.base, true
	}
	return Witnessed{}, false
}

// Found returns what was proved against a lane since it last enrolled.
func (b *Book) Found(lane uuid.UUID) (Evidence, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lanes[lane]; l != nil && l.found != nil {
		return *l.found, true
	}
	return Evidence{}, false
}
