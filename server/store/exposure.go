package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
)

const shareColumns = "terminal, epoch, version, store, policy, unit, points, uses, acked"

type shareRow struct {
	laneRow
	Version uint64 `bun:"version"`
	Policy  uint64 `bun:"policy"`
	Unit    string `bun:"unit"`
	Points  int64  `bun:"points"`
	Uses    int64  `bun:"uses"`
	Acked   int    `bun:"acked"`
}

func (r shareRow) share() allowance.ShareRow {
	return allowance.ShareRow{Lane: r.lane(), Version: r.Version, Policy: r.Policy, Unit: r.Unit, Points: r.Points, Uses: r.Uses, Acked: r.Acked == 1}
}

// PutShare implements allowance.Store.
func (db *DB) PutShare(ctx context.Context, s allowance.ShareRow) error {
	return db.insert(ctx, "INSERT INTO shares ("+shareColumns+")",
		[]row{{idBytes(s.ID), s.Epoch, s.Version, idBytes(s.Store), s.Policy, s.Unit, s.Points, s.Uses, bit(s.Acked)}}, "ON CONFLICT DO NOTHING")
}

// Shares implements allowance.Store.
func (db *DB) Shares(ctx context.Context) ([]allowance.ShareRow, error) {
	var rows []shareRow
	err := db.read(ctx).NewRaw("SELECT "+shareColumns+" FROM shares").Scan(ctx, &rows)
	return convert(rows, shareRow.share), err
}

// notesLooked is how many of the last notes of a terminal are looked at.
const notesLooked = 100

// NotedShare implements allowance.Store.
func (db *DB) NotedShare(ctx context.Context, terminal uuid.UUID, epoch uint32) (allowance.Noted, bool, error) {
	var rows []struct {
		Raw []byte `bun:"raw"`
	}
	err := db.read(ctx).NewRaw("SELECT e.raw FROM entries AS e JOIN branches AS b ON b.shard = e.shard AND b.terminal = e.terminal AND b.epoch = e.epoch AND b.branch = e.branch "+
		"WHERE e.shard = ? AND e.terminal = ? AND e.epoch = ? AND e.branch = 0 AND e.kind = ? AND e.state = 1 AND e.seq <= b.applied_seq ORDER BY e.seq DESC LIMIT ?",
		shard.Of(terminal), idBytes(terminal), epoch, uint16(entry.KindNote), notesLooked).Scan(ctx, &rows)
	if err != nil {
		return allowance.Noted{}, false, err
	}
	for _, r := range rows {
		env, err := entry.Decode(r.Raw)
		if err != nil {
			continue // verification names it
		}
		note, err := entry.DecodeBody[entry.Note](env)
		if err == nil && note.Code == entry.NotePolicy && len(note.Values) >= 3 {
			return allowance.Noted{Policy: uint64(note.Values[0]), Points: note.Values[1], Uses: note.Values[2]}, true, nil
		}
	}
	return allowance.Noted{}, false, nil
}

// AckShare implements allowance.Store.
func (db *DB) AckShare(ctx context.Context, terminal uuid.UUID, epoch uint32, version uint64) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		_, err := db.write(ctx).NewRaw("DELETE FROM shares WHERE terminal = ? AND (epoch < ? OR epoch = ? AND version < ?)",
			idBytes(terminal), epoch, epoch, version).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = db.write(ctx).NewRaw("UPDATE shares SET acked = 1 WHERE terminal = ? AND epoch = ? AND version = ?", idBytes(terminal), epoch, version).Exec(ctx)
		return err
	})
}

// PutSamples implements allowance.Store.
func (db *DB) PutSamples(ctx context.Context, samples []allowance.Sample) error {
	return db.insert(ctx, "INSERT INTO exposure_samples (at, store, unit, stand_in, taken_back, uncovered, unspent, clones)",
		convert(samples, func(s allowance.Sample) row {
			return row{s.At, idBytes(s.Store), s.Unit, s.StandIn, s.TakenBack, s.Uncovered, s.Unspent, s.Clones}
		}), "ON CONFLICT DO NOTHING")
}

// Samples implements allowance.Store.
func (db *DB) Samples(ctx context.Context, store uuid.UUID, from, to int64, limit int) ([]allowance.Sample, error) {
	var rows []struct {
		At        int64  `bun:"at"`
		Store     []byte `bun:"store"`
		Unit      string `bun:"unit"`
		StandIn   int64  `bun:"stand_in"`
		TakenBack int64  `bun:"taken_back"`
		Uncovered int64  `bun:"uncovered"`
		Unspent   int64  `bun:"unspent"`
		Clones    int64  `bun:"clones"`
	}
	one := 0
	if store != uuid.Nil {
		one = 1
	}
	err := db.read(ctx).NewRaw("SELECT at, store, unit, stand_in, taken_back, uncovered, unspent, clones FROM exposure_samples "+
		"WHERE at >= ? AND at <= ? AND (? = 0 OR store = ?) ORDER BY at, store, unit LIMIT ?", from, to, one, idBytes(store), limit).Scan(ctx, &rows)
	out := make([]allowance.Sample, len(rows))
	for i, r := range rows {
		out[i] = allowance.Sample{At: r.At, Line: allowance.Line{
			Store: toID(r.Store), Unit: r.Unit, StandIn: r.StandIn, TakenBack: r.TakenBack, Uncovered: r.Uncovered, Unspent: r.Unspent, Clones: r.Clones,
		}}
	}
	return out, err
}

// BeginRestore implements allowance.Store.
func (db *DB) BeginRestore(ctx context.Context, hqEpoch uint32, until int64) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		done, err := db.write(ctx).NewRaw("INSERT INTO restores (hq_epoch, until_at) VALUES (?, ?) ON CONFLICT DO NOTHING", hqEpoch, until).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = db.write(ctx).NewRaw("INSERT INTO presenting (hq_epoch, terminal) SELECT ?, id FROM terminals WHERE state <> ?", hqEpoch, string(fleet.StateNew)).Exec(ctx)
		return err
	})
}

// RestoreWaits implements allowance.Store.
func (db *DB) RestoreWaits(ctx context.Context, hqEpoch uint32) (int64, error) {
	var until int64
	err := db.read(ctx).NewRaw("SELECT until_at FROM restores WHERE hq_epoch = ? AND EXISTS (SELECT 1 FROM presenting WHERE hq_epoch = ?)", hqEpoch, hqEpoch).Scan(ctx, &until)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return until, err
}

// Presented implements allowance.Store.
func (db *DB) Presented(ctx context.Context, hqEpoch uint32, terminal uuid.UUID) error {
	_, err := db.write(ctx).NewRaw("DELETE FROM presenting WHERE hq_epoch = ? AND terminal = ?", hqEpoch, idBytes(terminal)).Exec(ctx)
	return err
}

// AppliedSeq returns through which entry HQ has applied a journal of a terminal.
func (db *DB) AppliedSeq(ctx context.Context, terminal uuid.UUID, epoch uint32) (uint64, error) {
	var seq uint64
	err := db.read(ctx).NewRaw("SELECT applied_seq FROM branches WHERE shard = ? AND terminal = ? AND epoch = ? AND branch = 0",
		shard.Of(terminal), idBytes(terminal), epoch).Scan(ctx, &seq)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return seq, err
}
