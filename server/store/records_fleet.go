package store

import (
	"context"
	"crypto/ed25519"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/wallet/face"
)

var _ fleet.Keeper = (*DB)(nil)

type storeRow struct {
	ID        []byte `bun:"id"`
	Code      string `bun:"code"`
	Name      string `bun:"name"`
	TimeZone  string `bun:"time_zone"`
	Currency  string `bun:"currency"`
	Version   int64  `bun:"version"`
	CreatedAt int64  `bun:"created_at"`
	Placed    int    `bun:"placed"`
	Latitude  int64  `bun:"latitude"`
	Longitude int64  `bun:"longitude"`
}

// perDegree is how many parts of a degree a place is kept in: a tenth of a metre.
const perDegree = 1e6

func (r storeRow) place() *fleet.Place {
	if r.Placed == 0 {
		return nil
	}
	return &fleet.Place{Latitude: float64(r.Latitude) / perDegree, Longitude: float64(r.Longitude) / perDegree}
}

func (r storeRow) store() fleet.Store {
	return fleet.Store{
		ID: toID(r.ID), Code: r.Code, Name: r.Name, TimeZone: r.TimeZone, Currency: r.Currency,
		Version: uint64(r.Version), CreatedAt: fromMillis(r.CreatedAt), Place: r.place(),
	}
}

const (
	storeColumns = "id, code, name, time_zone, currency, version, created_at"
	placeColumns = ", placed, latitude, longitude"
)

// AddStore implements fleet.Keeper.
func (db *DB) AddStore(ctx context.Context, s fleet.Store) error {
	_, err := db.exec(ctx, "INSERT INTO stores ("+storeColumns+") VALUES (?, ?, ?, ?, ?, ?, ?)",
		s.ID[:], s.Code, s.Name, s.TimeZone, s.Currency, int64(s.Version), toMillis(s.CreatedAt))
	return taken(err, problem.NameTaken, "there is a store of this code")
}

// Store implements fleet.Keeper.
func (db *DB) Store(ctx context.Context, id uuid.UUID) (fleet.Store, error) {
	return one(ctx, db, storeRow.store, "store", "SELECT "+storeColumns+placeColumns+" FROM stores WHERE id = ?", id[:])
}

// Stores implements fleet.Keeper.
func (db *DB) Stores(ctx context.Context, after uuid.UUID, limit int) ([]fleet.Store, error) {
	return page(ctx, db, storeRow.store, "SELECT "+storeColumns+placeColumns+" FROM stores WHERE id > ? ORDER BY id LIMIT ?", after[:], limit)
}

// PlaceStore implements fleet.Keeper.
func (db *DB) PlaceStore(ctx context.Context, id uuid.UUID, at *fleet.Place) error {
	var latitude, longitude int64
	if at != nil {
		latitude, longitude = int64(math.Round(at.Latitude*perDegree)), int64(math.Round(at.Longitude*perDegree))
	}
	n, err := db.exec(ctx, "UPDATE stores SET placed = ?, latitude = ?, longitude = ? WHERE id = ?", bit(at != nil), latitude, longitude, id[:])
	if err == nil && n == 0 {
		err = problem.New(problem.NotFound, "no such store")
	}
	return err
}

// Places implements pass.Books.
func (db *DB) Places(ctx context.Context, limit int) ([]pass.PlacedStore, error) {
	return page(ctx, db, func(r storeRow) pass.PlacedStore {
		at := r.place()
		return pass.PlacedStore{ID: toID(r.ID), Place: face.Place{Name: r.Name, Latitude: at.Latitude, Longitude: at.Longitude}}
	}, "SELECT id, name, placed, latitude, longitude FROM stores WHERE placed = 1 ORDER BY id LIMIT ?", limit)
}

type terminalRow struct {
	ID            []byte `bun:"id"`
	Store         []byte `bun:"store"`
	Name          string `bun:"name"`
	State         string `bun:"state"`
	Epoch         int64  `bun:"epoch"`
	PublicKey     []byte `bun:"public_key"`
	Software      string `bun:"software"`
	Version       int64  `bun:"version"`
	CreatedAt     int64  `bun:"created_at"`
	EnrolledAt    int64  `bun:"enrolled_at"`
	LastContactAt int64  `bun:"last_contact_at"`
	HeadSeq       int64  `bun:"head_seq"`
	AckedSeq      int64  `bun:"acked_seq"`
}

func (r terminalRow) terminal() fleet.Terminal {
	return fleet.Terminal{
		ID: toID(r.ID), Store: toID(r.Store), Name: r.Name, State: fleet.State(r.State), Epoch: uint32(r.Epoch),
		PublicKey: r.PublicKey, Software: r.Software, Version: uint64(r.Version),
		CreatedAt: fromMillis(r.CreatedAt), EnrolledAt: fromMillis(r.EnrolledAt),
		Contact: fleet.Contact{LastContactAt: fromMillis(r.LastContactAt), HeadSeq: uint64(r.HeadSeq), AckedSeq: uint64(r.AckedSeq)},
	}
}

const terminalColumns = "id, store, name, state, epoch, public_key, software, version, created_at, enrolled_at, last_contact_at, head_seq, acked_seq"

// AddTerminal implements fleet.Keeper.
func (db *DB) AddTerminal(ctx context.Context, t fleet.Terminal) error {
	_, err := db.exec(ctx, "INSERT INTO terminals ("+terminalColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		t.ID[:], t.Store[:], t.Name, string(t.State), int64(t.Epoch), blob(t.PublicKey), t.Software, int64(t.Version),
		toMillis(t.CreatedAt), toMillis(t.EnrolledAt), toMillis(t.LastContactAt), int64(t.HeadSeq), int64(t.AckedSeq))
	return taken(err, problem.NameTaken, "the store has a terminal of this name")
}

// blob keeps empty bytes from becoming NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Terminal implements fleet.Keeper.
func (db *DB) Terminal(ctx context.Context, id uuid.UUID) (fleet.Terminal, error) {
	return one(ctx, db, terminalRow.terminal, "terminal", "SELECT "+terminalColumns+" FROM terminals WHERE id = ?", id[:])
}

// Terminals implements fleet.Keeper.
func (db *DB) Terminals(ctx context.Context, store, after uuid.UUID, limit int) ([]fleet.Terminal, error) {
	if store == uuid.Nil {
		return page(ctx, db, terminalRow.terminal,
			"SELECT "+terminalColumns+" FROM terminals WHERE id > ? ORDER BY id LIMIT ?", after[:], limit)
	}
	return page(ctx, db, terminalRow.terminal,
		"SELECT "+terminalColumns+" FROM terminals WHERE store = ? AND id > ? ORDER BY id LIMIT ?", store[:], after[:], limit)
}

// SetTerminal implements fleet.Keeper.
func (db *DB) SetTerminal(ctx context.Context, t fleet.Terminal) error {
	return db.changed(ctx, "UPDATE terminals SET state = ?, epoch = ?, public_key = ?, software = ?, version = ?,"+
		" enrolled_at = ?, last_contact_at = ?, head_seq = ?, acked_seq = ? WHERE id = ? AND version = ?",
		string(t.State), int64(t.Epoch), blob(t.PublicKey), t.Software, int64(t.Version),
		toMillis(t.EnrolledAt), toMillis(t.LastContactAt), int64(t.HeadSeq), int64(t.AckedSeq), t.ID[:], int64(t.Version-1))
}

// AddTerminalKey implements fleet.Keeper.
func (db *DB) AddTerminalKey(ctx context.Context, terminal uuid.UUID, epoch uint32, key ed25519.PublicKey) error {
	_, err := db.exec(ctx, "INSERT INTO terminal_keys (public_key, terminal, epoch) VALUES (?, ?, ?)",
		[]byte(key), terminal[:], int64(epoch))
	return taken(err, problem.Conflict, "the key was used before")
}

type keyRow struct {
	Key []byte `bun:"public_key"`
}

// TerminalKey implements fleet.Keeper.
func (db *DB) TerminalKey(ctx context.Context, terminal uuid.UUID, epoch uint32) (ed25519.PublicKey, error) {
	return one(ctx, db, func(r keyRow) ed25519.PublicKey { return r.Key }, "terminal key",
		"SELECT public_key FROM terminal_keys WHERE terminal = ? AND epoch = ?", terminal[:], int64(epoch))
}

// ReplaceCode implements fleet.Keeper.
func (db *DB) ReplaceCode(ctx context.Context, c fleet.Code) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		if err := db.DropCodes(ctx, c.Terminal); err != nil {
			return err
		}
		_, err := db.exec(ctx, "INSERT INTO enrolment_codes (hash, terminal, expires_at, used_at, used_key) VALUES (?, ?, ?, 0, ?)",
			c.Hash[:], c.Terminal[:], toMillis(c.ExpiresAt), []byte{})
		return err
	})
}

// DropCodes implements fleet.Keeper.
func (db *DB) DropCodes(ctx context.Context, terminal uuid.UUID) error {
	_, err := db.exec(ctx, "DELETE FROM enrolment_codes WHERE terminal = ? AND used_at = 0", terminal[:])
	return err
}

// UseCode implements fleet.Keeper.
func (db *DB) UseCode(ctx context.Context, hash [32]byte, key ed25519.PublicKey, now time.Time) (bool, error) {
	n, err := db.exec(ctx, "UPDATE enrolment_codes SET used_at = ?, used_key = ? WHERE hash = ? AND used_at = 0 AND expires_at > ?",
		toMillis(now), []byte(key), hash[:], toMillis(now))
	return n == 1, err
}

type codeRow struct {
	Hash      []byte `bun:"hash"`
	Terminal  []byte `bun:"terminal"`
	ExpiresAt int64  `bun:"expires_at"`
	UsedAt    int64  `bun:"used_at"`
	UsedKey   []byte `bun:"used_key"`
}

func (r codeRow) code() fleet.Code {
	c := fleet.Code{Terminal: toID(r.Terminal), ExpiresAt: fromMillis(r.ExpiresAt), UsedAt: fromMillis(r.UsedAt), UsedKey: r.UsedKey}
	copy(c.Hash[:], r.Hash)
	return c
}

// Code implements fleet.Keeper.
func (db *DB) Code(ctx context.Context, hash [32]byte) (fleet.Code, error) {
	return one(ctx, db, codeRow.code, "enrolment code",
		"SELECT hash, terminal, expires_at, used_at, used_key FROM enrolment_codes WHERE hash = ?", hash[:])
}

// CountStores implements fleet.Keeper.
func (db *DB) CountStores(ctx context.Context) (int64, error) { return db.count(ctx, "stores") }
