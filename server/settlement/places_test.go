package settlement

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
)

// shops are stores with numbers for ids, from 1 on.
type shops int

func (n shops) Stores(_ context.Context, after uuid.UUID, limit int) (out []fleet.Store, err error) {
	for i := binary.BigEndian.Uint64(after[8:]) + 1; i <= uint64(n) && len(out) < limit; i++ {
		s := fleet.Store{Currency: "EUR", TimeZone: "Europe/Warsaw"}
		binary.BigEndian.PutUint64(s.ID[8:], i)
		out = append(out, s)
	}
	return out, nil
}

func TestPlacesAreAllStores(t *testing.T) {
	for _, n := range []int{0, 1, storesAtOnce - 1, storesAtOnce, storesAtOnce + 1, 2*storesAtOnce + 1} {
		places, err := PlacesOf(shops(n))(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ids := map[uuid.UUID]bool{}
		for _, p := range places {
			ids[p.ID] = true
		}
		if len(places) != n || len(ids) != n {
			t.Errorf("%d places, %d of them different, of %d stores", len(places), len(ids), n)
		}
		if n > 0 && (places[0].Currency != "EUR" || places[0].Zone != "Europe/Warsaw") {
			t.Errorf("a place is %+v", places[0])
		}
	}
}
