package feed

import (
	"bytes"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
)

// cursorVersion is the layout of the cursor; a cursor of another is refused.
const cursorVersion = 1

// maxCursor bounds the text of a cursor: 256 positions of nine bytes and a bit.
const maxCursor = 4096

// cursor is what the opaque text says: how far a store has read each shard.
// Trailing shards at zero are left out.
type cursor struct {
	V         uint8     `cbor:"1,keyasint"`
	HQ        uuid.UUID `cbor:"2,keyasint"`
	Epoch     uint32    `cbor:"3,keyasint"`
	Store     uuid.UUID `cbor:"4,keyasint"`
	Positions []uint64  `cbor:"5,keyasint"`
	Start     uint8     `cbor:"6,keyasint,omitempty"`
}

// place is where a reader stands: how far in each shard, and with which shard its
// next page begins, so that a shard in which much happens does not keep the others
// from being read.
type place struct {
	Heads
	start int
}

var cursorEnc = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // the options are a constant of this program
	}
	return mode
}()

var cursorDec = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden,
		TagsMd: cbor.TagsForbidden, MaxNestedLevels: 4, MaxArrayElements: shard.Count, MaxMapPairs: 16,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

func (f *Feed) encodeCursor(store uuid.UUID, at place) (string, error) {
	last := shard.Count
	for last > 0 && at.Heads[last-1] == 0 {
		last--
	}
	raw, err := cursorEnc.Marshal(cursor{
		V: cursorVersion, HQ: f.hq, Epoch: f.epoch, Store: store, Positions: at.Heads[:last:last], Start: uint8(at.start),
	})
	if err != nil {
		return "", err
	}
	return cursortext.Of(raw), nil
}

// decodeCursor reads a cursor that this HQ gave to this store. Only the one
// encoding that encodeCursor makes is accepted.
func (f *Feed) decodeCursor(text string, store uuid.UUID) (place, error) {
	var at place
	if text == "" {
		return at, nil
	}
	if len(text) > maxCursor {
		return at, problem.New(problem.CursorInvalid, "the cursor is too long")
	}
	raw, err := cursortext.Bytes(text)
	if err != nil {
		return at, problem.Wrap(problem.CursorInvalid, err, "the cursor is not base64url")
	}
	var c cursor
	if err := cursorDec.Unmarshal(raw, &c); err != nil {
		return at, problem.Wrap(problem.CursorInvalid, err, "the cursor cannot be decoded")
	}
	switch {
	case c.V != cursorVersion || c.HQ != f.hq:
		return at, problem.New(problem.CursorInvalid, "the cursor is not from this head office")
	case c.Store != store:
		return at, problem.New(problem.CursorInvalid, "the cursor is another store's")
	case c.Epoch != f.epoch:
		return at, problem.Newf(problem.CursorExpired, "the cursor is from epoch %d, this is %d", c.Epoch, f.epoch)
	}
	copy(at.Heads[:], c.Positions)
	at.start = int(c.Start)
	again, err := cursorEnc.Marshal(c)
	if err != nil || !bytes.Equal(again, raw) || len(c.Positions) > 0 && c.Positions[len(c.Positions)-1] == 0 {
		return place{}, problem.New(problem.CursorInvalid, "the cursor is not in its one form")
	}
	return at, nil
}
