package fleet

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/feed"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// change is one record set whole: journalled and told to its store.
type change struct {
	kind    entry.Kind
	item    wire.ItemKind
	id      uuid.UUID
	version uint64
	record  any
	store   uuid.UUID
	by      uuid.UUID
	untold  bool // not yet of interest to the store: journalled only
}

func (f *Fleet) record(ctx context.Context, c change) error {
	raw, err := wire.Marshal(c.record)
	if err != nil {
		return err
	}
	in := shard.Of(c.store)
	fact := hqjournal.Fact{
		Shard: in, Kind: c.kind,
		Body: entry.HQRecord{ID: c.id, Version: c.version, Record: raw, By: c.by},
	}
	if !c.untold {
		item := wire.Item{Kind: c.item, ID: c.id, Version: c.version, Body: raw}
		fact.Publish = []feed.Change{{Shard: in, Scope: c.store, Item: item}}
	}
	return f.env.Journal.Append(ctx, fact)
}
