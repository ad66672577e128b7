package store

import (
	"context"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/branding"
)

var _ branding.Store = (*DB)(nil)

// LookVersion implements branding.Store.
func (db *DB) LookVersion(ctx context.Context) (uint64, error) {
	var n int64
	err := db.read(ctx).NewRaw("SELECT COALESCE(MAX(version), 0) FROM looks").Scan(ctx, &n)
	return uint64(n), err
}

type lookRow struct {
	Version   int64  `bun:"version"`
	Body      []byte `bun:"body"`
	Logo      []byte `bun:"logo"`
	Icon      []byte `bun:"icon"`
	Strip     []byte `bun:"strip"`
	ByPerson  []byte `bun:"by_person"`
	ByName    string `bun:"by_name"`
	CreatedAt int64  `bun:"created_at"`
}

func (r lookRow) record() branding.Record {
	return branding.Record{
		Version: uint64(r.Version), Body: r.Body, By: toID(r.ByPerson), ByName: r.ByName, At: fromMillis(r.CreatedAt),
		Pictures: branding.Pictures{Logo: toPicture(r.Logo), Icon: toPicture(r.Icon), Strip: toPicture(r.Strip)},
	}
}

func toPicture(raw []byte) (id branding.PictureID) {
	copy(id[:], raw)
	return id
}

// pictureBytes are empty for the zero id.
func pictureBytes(id branding.PictureID) []byte {
	if id == (branding.PictureID{}) {
		return []byte{}
	}
	return id[:]
}

// Look implements branding.Store.
func (db *DB) Look(ctx context.Context, version uint64) (branding.Record, error) {
	if version > 1<<63-1 {
		return branding.Record{}, problem.New(problem.NotFound, "no such look")
	}
	return one(ctx, db, lookRow.record, "look",
		"SELECT version, body, logo, icon, strip, by_person, by_name, created_at FROM looks WHERE version = ?", int64(version))
}

// AddLook implements branding.Store.
func (db *DB) AddLook(ctx context.Context, r branding.Record) error {
	_, err := db.exec(ctx, "INSERT INTO looks (version, body, logo, icon, strip, by_person, by_name, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		int64(r.Version), r.Body, pictureBytes(r.Pictures.Logo), pictureBytes(r.Pictures.Icon), pictureBytes(r.Pictures.Strip),
		idBytes(r.By), r.ByName, toMillis(r.At))
	return taken(err, problem.Conflict, "another look was put in force meanwhile")
}

// AddPicture implements branding.Store.
func (db *DB) AddPicture(ctx context.Context, id branding.PictureID, png []byte, at time.Time) error {
	_, err := db.exec(ctx, "INSERT INTO look_pictures (id, png, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at",
		id[:], png, toMillis(at))
	return err
}

// Picture implements branding.Store.
func (db *DB) Picture(ctx context.Context, id branding.PictureID) ([]byte, error) {
	type pictureRow struct {
		PNG []byte `bun:"png"`
	}
	return one(ctx, db, func(r pictureRow) []byte { return r.PNG }, "picture", "SELECT png FROM look_pictures WHERE id = ?", id[:])
}

// DropPictures implements branding.Store.
func (db *DB) DropPictures(ctx context.Context, before time.Time) error {
	_, err := db.exec(ctx, "DELETE FROM look_pictures WHERE created_at < ? AND id NOT IN "+
		"(SELECT logo FROM looks UNION SELECT icon FROM looks UNION SELECT strip FROM looks)", toMillis(before))
	return err
}
