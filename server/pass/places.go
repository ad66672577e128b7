package pass

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/face"
)

// PlacedStore is a store whose place is known.
type PlacedStore struct {
	ID uuid.UUID
	face.Place
}

// Visit says when a member was last seen at a store.
type Visit struct {
	Member, Store uuid.UUID
	At            time.Time
}

const (
	// mostPlaces is how many places a pass may have at Apple and at Google.
	mostPlaces = 10
	// mostStores bounds the stores that are looked at for it.
	mostStores = 2000
)

// atlas finds the places that matter for a member. It is not safe for concurrent use.
type atlas struct {
	stores []PlacedStore // by id
	at     map[uuid.UUID]int
	near   map[int][]neighbour // of stores that were asked for
}

// neighbour is a store and its distance, in degrees of latitude, squared.
type neighbour struct {
	store int
	away  float64
}

func newAtlas(stores []PlacedStore) *atlas {
	a := &atlas{stores: stores, at: make(map[uuid.UUID]int, len(stores)), near: map[int][]neighbour{}}
	for i, s := range stores {
		a.at[s.ID] = i
	}
	return a
}

// of returns the places for who made these visits: the stores of the last visits, then
// those nearest to any of them, then the first ones. They come in the order of stores,
// so that another visit to the same stores changes nothing.
func (a *atlas) of(visits []Visit) []face.Place {
	slices.SortFunc(visits, func(x, y Visit) int {
		return cmp.Or(y.At.Compare(x.At), bytes.Compare(x.Store[:], y.Store[:]))
	})
	taken := map[int]bool{}
	for _, v := range visits {
		if i, placed := a.at[v.Store]; placed && len(taken) < mostPlaces {
			taken[i] = true
		}
	}
	for _, n := range a.around(taken) {
		if len(taken) < mostPlaces {
			taken[n.store] = true
		}
	}
	for i := 0; i < len(a.stores) && len(taken) < mostPlaces; i++ {
		taken[i] = true
	}
	var out []face.Place
	for i, s := range a.stores {
		if taken[i] {
			out = append(out, s.Place)
		}
	}
	return out
}

// around are the neighbours of some stores, the nearest first.
func (a *atlas) around(stores map[int]bool) []neighbour {
	var all []neighbour
	for i := range stores {
		all = append(all, a.nearest(i)...)
	}
	slices.SortFunc(all, byDistance)
	return all
}

// nearest are the stores nearest to one, itself among them.
func (a *atlas) nearest(i int) []neighbour {
	if near, known := a.near[i]; known {
		return near
	}
	here := a.stores[i]
	narrow := math.Cos(here.Latitude * math.Pi / 180)
	all := make([]neighbour, len(a.stores))
	for j, s := range a.stores {
		// Flat, as the earth is around a store; over the 180th meridian too.
		dx, dy := math.Remainder(s.Longitude-here.Longitude, 360)*narrow, s.Latitude-here.Latitude
		all[j] = neighbour{j, dx*dx + dy*dy}
	}
	slices.SortFunc(all, byDistance)
	a.near[i] = slices.Clone(all[:min(len(all), mostPlaces)])
	return a.near[i]
}

func byDistance(x, y neighbour) int {
	return cmp.Or(cmp.Compare(x.away, y.away), cmp.Compare(x.store, y.store))
}
