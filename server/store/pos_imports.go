package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/server/shard"
)

var _ posbooks.Store = (*DB)(nil)

type mappingRow struct {
	ID      []byte `bun:"id"`
	Store   []byte `bun:"store"`
	Name    string `bun:"name"`
	Version uint64 `bun:"version"`
	Rules   string `bun:"rules"`
}

// PosMappings implements posbooks.Store.
func (db *DB) PosMappings(ctx context.Context) ([]posbooks.Mapping, error) {
	var rows []mappingRow
	err := db.read(ctx).NewRaw("SELECT id, store, name, version, rules FROM pos_mappings ORDER BY name, id").Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	out := make([]posbooks.Mapping, len(rows))
	for i, r := range rows {
		out[i] = posbooks.Mapping{ID: toID(r.ID), Store: toID(r.Store), Name: r.Name, Version: r.Version}
		if err := json.Unmarshal([]byte(r.Rules), &out[i].Rules); err != nil {
			return nil, fmt.Errorf("read mapping %s: %w", out[i].ID, err)
		}
	}
	return out, nil
}

// PutPosMapping implements posbooks.Store.
func (db *DB) PutPosMapping(ctx context.Context, m posbooks.Mapping, by posbooks.Person, at time.Time) error {
	rules, err := json.Marshal(m.Rules)
	if err != nil {
		return err
	}
	if m.Version > 1 {
		return db.changed(ctx, "UPDATE pos_mappings SET store = ?, name = ?, version = ?, rules = ?, by_person = ?, changed_at = ? WHERE id = ? AND version = ?",
			idBytes(m.Store), m.Name, m.Version, string(rules), idBytes(by.ID), toMillis(at), idBytes(m.ID), m.Version-1)
	}
	return db.changed(ctx, "INSERT INTO pos_mappings (id, store, name, version, rules, by_person, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		idBytes(m.ID), idBytes(m.Store), m.Name, m.Version, string(rules), idBytes(by.ID), toMillis(at))
}

// DeletePosMapping implements posbooks.Store.
func (db *DB) DeletePosMapping(ctx context.Context, id uuid.UUID) error {
	n, err := db.exec(ctx, "DELETE FROM pos_mappings WHERE id = ?", idBytes(id))
	if err == nil && n == 0 {
		return problem.New(problem.NotFound, "no such mapping")
	}
	return err
}

const importColumns = "store, id, name, rules, size, arrived, parts, digest, state, reason, same, done, goal, summary, rows_read, rows_bad, first_day, last_day, replaced, " +
	"by_person, by_name, created_at, changed_at, version, stop, code, bytes_digest"

type importRow struct {
	Store     []byte `bun:"store"`
	ID        []byte `bun:"id"`
	Name      string `bun:"name"`
	Rules     string `bun:"rules"`
	Size      int64  `bun:"size"`
	Arrived   int64  `bun:"arrived"`
	Parts     int    `bun:"parts"`
	Digest    string `bun:"digest"`
	State     string `bun:"state"`
	Reason    string `bun:"reason"`
	Same      []byte `bun:"same"`
	Done      int64  `bun:"done"`
	Goal      int64  `bun:"goal"`
	Summary   string `bun:"summary"`
	RowsRead  int64  `bun:"rows_read"`
	RowsBad   int64  `bun:"rows_bad"`
	FirstDay  uint32 `bun:"first_day"`
	LastDay   uint32 `bun:"last_day"`
	Replaced  int64  `bun:"replaced"`
	ByPerson  []byte `bun:"by_person"`
	ByName    string `bun:"by_name"`
	CreatedAt int64  `bun:"created_at"`
	ChangedAt int64  `bun:"changed_at"`
	Version   uint64 `bun:"version"`
	Stop      int    `bun:"stop"`
	Code      string `bun:"code"`
	Bytes     string `bun:"bytes_digest"`
}

func (r importRow) made() (posbooks.Import, error) {
	i := posbooks.Import{
		ID: toID(r.ID), Store: toID(r.Store), Name: r.Name, Size: r.Size, Arrived: r.Arrived, Parts: r.Parts, Digest: r.Digest, State: posbooks.State(r.State), Reason: r.Reason,
		Same: toID(r.Same), Done: r.Done, Goal: r.Goal, Replaced: r.Replaced, By: posbooks.Person{ID: toID(r.ByPerson), Name: r.ByName},
		CreatedAt: fromMillis(r.CreatedAt), ChangedAt: fromMillis(r.ChangedAt), Version: r.Version, Stop: r.Stop != 0, Code: problem.Code(r.Code), Bytes: r.Bytes,
	}
	if err := json.Unmarshal([]byte(r.Rules), &i.Rules); err != nil {
		return i, fmt.Errorf("read rules of import %s: %w", i.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Summary), &i.Summary); err != nil {
		return i, fmt.Errorf("read summary of import %s: %w", i.ID, err)
	}
	return i, nil
}

// oneImport reads an import by a condition.
func (db *DB) oneImport(ctx context.Context, rest string, args ...any) (posbooks.Import, error) {
	r, err := one(ctx, db, func(r importRow) importRow { return r }, "import", "SELECT "+importColumns+" FROM pos_imports WHERE "+rest, args...)
	if err != nil {
		return posbooks.Import{}, err
	}
	return r.made()
}

// PosImport implements posbooks.Store.
func (db *DB) PosImport(ctx context.Context, store, id uuid.UUID) (posbooks.Import, error) {
	return db.oneImport(ctx, "shard = ? AND store = ? AND id = ?", shard.Of(store), idBytes(store), idBytes(id))
}

// AddPosImport implements posbooks.Store.
func (db *DB) AddPosImport(ctx context.Context, i posbooks.Import) error {
	rules, err := json.Marshal(i.Rules)
	if err != nil {
		return err
	}
	return db.insert(ctx, "INSERT INTO pos_imports (shard, "+importColumns+")", []row{{
		shard.Of(i.Store), idBytes(i.Store), idBytes(i.ID), i.Name, string(rules), i.Size, i.Arrived, i.Parts, i.Digest, string(i.State), i.Reason, idBytes(i.Same), i.Done, i.Goal,
		"{}", int64(0), int64(0), uint32(0), uint32(0), i.Replaced, idBytes(i.By.ID), i.By.Name, toMillis(i.CreatedAt), toMillis(i.ChangedAt), i.Version, bit(i.Stop), string(i.Code), i.Bytes,
	}}, "")
}

// PutPosImport implements posbooks.Store.
func (db *DB) PutPosImport(ctx context.Context, i posbooks.Import) error {
	rules, err := json.Marshal(i.Rules)
	if err != nil {
		return err
	}
	summary, err := json.Marshal(i.Summary)
	if err != nil {
		return err
	}
	return db.changed(ctx, "UPDATE pos_imports SET rules = ?, arrived = ?, parts = ?, digest = ?, state = ?, reason = ?, same = ?, done = ?, goal = ?, summary = ?, rows_read = ?, rows_bad = ?, "+
		"first_day = ?, last_day = ?, replaced = ?, changed_at = ?, version = ?, code = ?, bytes_digest = ? WHERE shard = ? AND store = ? AND id = ? AND version = ?",
		string(rules), i.Arrived, i.Parts, i.Digest, string(i.State), i.Reason, idBytes(i.Same), i.Done, i.Goal, string(summary), i.Summary.Rows, i.Summary.Bad,
		uint32(i.First), uint32(i.Last), i.Replaced, toMillis(i.ChangedAt), i.Version, string(i.Code), i.Bytes, shard.Of(i.Store), idBytes(i.Store), idBytes(i.ID), i.Version-1)
}

// PosProgress implements posbooks.Store.
func (db *DB) PosProgress(ctx context.Context, store, id uuid.UUID, done int64, at time.Time) (bool, error) {
	where := []any{shard.Of(store), idBytes(store), idBytes(id)}
	if _, err := db.exec(ctx, "UPDATE pos_imports SET done = ?, changed_at = ? WHERE shard = ? AND store = ? AND id = ?", append([]any{done, toMillis(at)}, where...)...); err != nil {
		return false, err
	}
	i, err := db.oneImport(ctx, "shard = ? AND store = ? AND id = ?", where...)
	return i.Stop, err
}

// StopPosImport implements posbooks.Store.
func (db *DB) StopPosImport(ctx context.Context, store, id uuid.UUID) error {
	_, err := db.exec(ctx, "UPDATE pos_imports SET stop = 1 WHERE shard = ? AND store = ? AND id = ?", shard.Of(store), idBytes(store), idBytes(id))
	return err
}

// NextPosImport implements posbooks.Store.
func (db *DB) NextPosImport(ctx context.Context, of posbooks.Which, since time.Time) (posbooks.Import, error) {
	which, args := narrowedStores(of)
	return db.oneImport(ctx, "state NOT IN ('finished', 'failed', 'cancelled') AND (state = 'queued' OR state IN ('reading', 'taking', 'matching') AND changed_at < ?)"+which+
		" AND NOT EXISTS (SELECT 1 FROM pos_imports AS o WHERE o.shard = pos_imports.shard AND o.store = pos_imports.store AND o.state NOT IN ('finished', 'failed', 'cancelled') "+
		"AND o.state <> 'arriving' AND (o.created_at < pos_imports.created_at OR o.created_at = pos_imports.created_at AND o.id < pos_imports.id)) "+
		"ORDER BY created_at, id LIMIT 1", append([]any{toMillis(since)}, args...)...)
}

// SamePosImport implements posbooks.Store. All rows of such an import count: else the file
// is one to go back to.
func (db *DB) SamePosImport(ctx context.Context, store uuid.UUID, digest string) (uuid.UUID, error) {
	i, err := db.oneImport(ctx, "shard = ? AND store = ? AND digest = ? AND state = 'finished' AND same = ? AND rows_read = (SELECT COUNT(*) FROM pos_rows AS r "+
		"WHERE r.shard = pos_imports.shard AND r.store = pos_imports.store AND r.import = pos_imports.id AND r.live = 1) ORDER BY created_at LIMIT 1",
		shard.Of(store), idBytes(store), digest, idBytes(uuid.Nil))
	return i.ID, err
}

// StalePosImports implements posbooks.Store.
func (db *DB) StalePosImports(ctx context.Context, state posbooks.State, before time.Time, limit int) ([]posbooks.Import, error) {
	rows, err := page(ctx, db, func(r importRow) importRow { return r }, "SELECT "+importColumns+" FROM pos_imports "+
		"WHERE state NOT IN ('finished', 'failed', 'cancelled') AND state = ? AND changed_at < ? ORDER BY created_at LIMIT ?", string(state), toMillis(before), limit)
	if err != nil {
		return nil, err
	}
	out := make([]posbooks.Import, len(rows))
	for i, r := range rows {
		if out[i], err = r.made(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AddPosPart implements posbooks.Store.
func (db *DB) AddPosPart(ctx context.Context, store, id uuid.UUID, n int, part []byte) error {
	_, err := db.exec(ctx, "INSERT INTO pos_parts (shard, store, import, n, bytes) VALUES (?, ?, ?, ?, ?)", shard.Of(store), idBytes(store), idBytes(id), n, part)
	return taken(err, problem.Conflict, "the part came twice at once")
}

// PosPart implements posbooks.Store.
func (db *DB) PosPart(ctx context.Context, store, id uuid.UUID, n int) ([]byte, error) {
	type partRow struct {
		Bytes []byte `bun:"bytes"`
	}
	return one(ctx, db, func(r partRow) []byte { return r.Bytes }, "part", "SELECT bytes FROM pos_parts WHERE shard = ? AND store = ? AND import = ? AND n = ?",
		shard.Of(store), idBytes(store), idBytes(id), n)
}

// DropPosParts implements posbooks.Store.
func (db *DB) DropPosParts(ctx context.Context, store, id uuid.UUID) error {
	_, err := db.exec(ctx, "DELETE FROM pos_parts WHERE shard = ? AND store = ? AND import = ?", shard.Of(store), idBytes(store), idBytes(id))
	return err
}
