package fleet

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

var codeShape = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// OpenStore adds a store. by is the person who does it.
func (f *Fleet) OpenStore(ctx context.Context, by uuid.UUID, s Store) (Store, error) {
	fields := map[string]string{}
	s.Name = strings.TrimSpace(s.Name)
	if !codeShape.MatchString(s.Code) {
		fields["/code"] = "must have 1 to 32 letters, digits, hyphens or underscores"
	}
	if !nameOK(s.Name, 100) {
		fields["/name"] = "must have 1 to 100 characters"
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "" || s.TimeZone == "Local" {
		fields["/time_zone"] = "is no IANA time zone"
	}
	if !currency.IsCode(s.Currency) {
		fields["/currency"] = "must be an ISO 4217 code"
	}
	if len(fields) > 0 {
		return Store{}, &problem.Error{Code: problem.InvalidField, Detail: "the store cannot be opened", Fields: fields}
	}
	s.ID, s.Version, s.CreatedAt = f.env.NewID(), 1, f.now()
	err := f.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		if err := f.env.Keeper.AddStore(ctx, s); err != nil {
			return err
		}
		item := wire.Store{ID: s.ID, Code: s.Code, Name: s.Name, TimeZone: s.TimeZone, Currency: s.Currency}
		return f.record(ctx, change{kind: entry.KindHQStore, item: wire.ItemStore, id: s.ID, version: s.Version, record: item, store: s.ID, by: by})
	})
	if err != nil {
		return Store{}, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

// Place says where a store is; nil forgets it. It is no fact of the journal: nothing that
// terminals do rests on it.
func (f *Fleet) Place(ctx context.Context, id uuid.UUID, at *Place) (Store, error) {
	if at != nil {
		fields := map[string]string{}
		if !(at.Latitude >= -90 && at.Latitude <= 90) {
			fields["/latitude"] = "must be -90 to 90"
		}
		if !(at.Longitude >= -180 && at.Longitude <= 180) {
			fields["/longitude"] = "must be -180 to 180"
		}
		if len(fields) > 0 {
			return Store{}, &problem.Error{Code: problem.InvalidField, Detail: "there is no such place", Fields: fields}
		}
	}
	if err := f.env.Keeper.PlaceStore(ctx, id, at); err != nil {
		return Store{}, fmt.Errorf("place store: %w", err)
	}
	return f.env.Keeper.Store(ctx, id)
}

// Store returns one store.
func (f *Fleet) Store(ctx context.Context, id uuid.UUID) (Store, error) {
	return f.env.Keeper.Store(ctx, id)
}

// Stores lists stores from after on.
func (f *Fleet) Stores(ctx context.Context, after uuid.UUID, limit int) ([]Store, error) {
	return f.env.Keeper.Stores(ctx, after, limit)
}

func nameOK(name string, most int) bool {
	n := utf8.RuneCountInString(name)
	return utf8.ValidString(name) && n >= 1 && n <= most && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })
}
