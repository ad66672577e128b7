package settlement

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

// storesAtOnce are read by one statement.
const storesAtOnce = 1000

// Stores lists stores behind one; see fleet.
type Stores interface {
	Stores(ctx context.Context, after uuid.UUID, limit int) ([]fleet.Store, error)
}

// PlacesOf reads all stores, as settlement knows them.
func PlacesOf(of Stores) func(context.Context) ([]clearing.Place, error) {
	return func(ctx context.Context) (out []clearing.Place, err error) {
		for after := uuid.Nil; ; {
			page, err := of.Stores(ctx, after, storesAtOnce)
			if err != nil {
				return nil, err
			}
			for _, s := range page {
				out = append(out, clearing.Place{ID: s.ID, Code: s.Code, Name: s.Name, Currency: s.Currency, Zone: s.TimeZone})
				after = s.ID
			}
			if len(page) < storesAtOnce {
				return out, nil
			}
		}
	}
}
