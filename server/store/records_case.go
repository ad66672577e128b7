package store

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/casework"
)

var _ casework.Store = (*DB)(nil)

type caseRow struct {
	Shard      int    `bun:"shard"`
	Exception  []byte `bun:"exception"`
	Owner      []byte `bun:"owner"`
	OwnerName  string `bun:"owner_name"`
	Resolution string `bun:"resolution"`
	Liable     string `bun:"case_liable"`
	DueAt      int64  `bun:"due_at"`
	DueBy      string `bun:"due_by"`
	Proposal   []byte `bun:"proposal"`
	ByHand     int    `bun:"by_hand"`
	Version    int64  `bun:"version"`
	ChangedAt  int64  `bun:"changed_at"`
}

func (r caseRow) made() casework.Case {
	return casework.Case{
		Shard: r.Shard, Exception: toID(r.Exception), Owner: toID(r.Owner), OwnerName: r.OwnerName,
		Resolution: casework.Resolution(r.Resolution), Liable: r.Liable, DueAt: fromMillis(r.DueAt), DueBy: r.DueBy,
		Proposal: toID(r.Proposal), ByHand: r.ByHand == 1, Version: uint64(r.Version), ChangedAt: fromMillis(r.ChangedAt),
	}
}

// Case implements casework.Store.
func (db *DB) Case(ctx context.Context, shard int, exception uuid.UUID) (casework.Case, error) {
	c, err := one(ctx, db, caseRow.made, "case", "SELECT shard, exception, owner, owner_name, resolution, liable AS case_liable, due_at, due_by, proposal, by_hand, "+
		"version, changed_at FROM exception_cases WHERE shard = ? AND exception = ?", shard, idBytes(exception))
	if problem.CodeOf(err) == problem.NotFound {
		return casework.Case{Shard: shard, Exception: exception}, nil
	}
	return c, err
}

// PutCase implements casework.Store.
func (db *DB) PutCase(ctx context.Context, c casework.Case) error {
	err := db.changed(ctx, "INSERT INTO exception_cases (shard, exception, owner, owner_name, resolution, version, changed_at, liable, due_at, due_by, proposal, by_hand) "+
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (shard, exception) DO UPDATE SET owner = EXCLUDED.owner, owner_name = EXCLUDED.owner_name, resolution = EXCLUDED.resolution, "+
		"version = EXCLUDED.version, changed_at = EXCLUDED.changed_at, liable = EXCLUDED.liable, due_at = EXCLUDED.due_at, due_by = EXCLUDED.due_by, "+
		"proposal = EXCLUDED.proposal, by_hand = EXCLUDED.by_hand WHERE exception_cases.version = EXCLUDED.version - 1",
		c.Shard, c.Exception[:], c.Owner[:], c.OwnerName, string(c.Resolution), int64(c.Version), toMillis(c.ChangedAt),
		c.Liable, toMillis(c.DueAt), c.DueBy, unlessNil(c.Proposal), bit(c.ByHand))
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, "INSERT INTO exception_case_versions (shard, exception, version, at, resolution, liable, due_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		c.Shard, c.Exception[:], int64(c.Version), toMillis(c.ChangedAt), string(c.Resolution), c.Liable, toMillis(c.DueAt))
	return taken(err, problem.Conflict, "the record was changed meanwhile")
}

// unlessNil is an id, or no bytes for none.
func unlessNil(id uuid.UUID) []byte {
	if id == uuid.Nil {
		return []byte{}
	}
	return id[:]
}

// AddNote implements casework.Store.
func (db *DB) AddNote(ctx context.Context, n casework.Note) error {
	_, err := db.exec(ctx, "INSERT INTO exception_notes (shard, exception, id, at, person, name, what, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		n.Shard, n.Exception[:], n.ID[:], toMillis(n.At), n.Person[:], n.Name, n.What, n.Text)
	return err
}

type noteRow struct {
	Shard     int    `bun:"shard"`
	Exception []byte `bun:"exception"`
	ID        []byte `bun:"id"`
	At        int64  `bun:"at"`
	Person    []byte `bun:"person"`
	Name      string `bun:"name"`
	What      string `bun:"what"`
	Text      string `bun:"text"`
}

func (r noteRow) note() casework.Note {
	return casework.Note{
		Shard: r.Shard, Exception: toID(r.Exception), ID: toID(r.ID), At: fromMillis(r.At), Person: toID(r.Person), Name: r.Name, What: r.What, Text: r.Text,
	}
}

// Notes implements casework.Store.
func (db *DB) Notes(ctx context.Context, shard int, exception uuid.UUID, limit int) ([]casework.Note, error) {
	notes, err := page(ctx, db, noteRow.note, "SELECT shard, exception, id, at, person, name, what, text FROM exception_notes "+
		"WHERE shard = ? AND exception = ? ORDER BY id DESC LIMIT ?", shard, idBytes(exception), limit)
	slices.Reverse(notes)
	return notes, err
}

type proposalRow struct {
	Shard         int    `bun:"shard"`
	Exception     []byte `bun:"exception"`
	ID            []byte `bun:"id"`
	Action        string `bun:"action"`
	Resolution    string `bun:"resolution"`
	Liable        string `bun:"liable"`
	Text          string `bun:"text"`
	State         string `bun:"state"`
	MadeBy        []byte `bun:"made_by"`
	MadeByName    string `bun:"made_by_name"`
	MadeAt        int64  `bun:"made_at"`
	DecidedBy     []byte `bun:"decided_by"`
	DecidedByName string `bun:"decided_by_name"`
	DecidedAt     int64  `bun:"decided_at"`
	DecidedText   string `bun:"decided_text"`
}

const proposalColumns = "shard, exception, id, action, resolution, liable, text, state, made_by, made_by_name, made_at, decided_by, decided_by_name, decided_at, decided_text"

func (r proposalRow) proposal() casework.Proposal {
	return casework.Proposal{
		Shard: r.Shard, Exception: toID(r.Exception), ID: toID(r.ID),
		Deed:  casework.Deed{Action: casework.Action(r.Action), Resolution: casework.Resolution(r.Resolution), Liable: r.Liable, Text: r.Text},
		State: casework.ProposalState(r.State), MadeBy: toID(r.MadeBy), MadeByName: r.MadeByName, MadeAt: fromMillis(r.MadeAt),
		DecidedBy: toID(r.DecidedBy), DecidedByName: r.DecidedByName, DecidedAt: fromMillis(r.DecidedAt), DecidedText: r.DecidedText,
	}
}

// AddProposal implements casework.Store.
func (db *DB) AddProposal(ctx context.Context, p casework.Proposal) error {
	_, err := db.exec(ctx, "INSERT INTO exception_proposals ("+proposalColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		p.Shard, p.Exception[:], p.ID[:], string(p.Action), string(p.Resolution), p.Liable, p.Text, string(p.State), p.MadeBy[:], p.MadeByName, toMillis(p.MadeAt),
		unlessNil(p.DecidedBy), p.DecidedByName, toMillis(p.DecidedAt), p.DecidedText)
	return err
}

// SetProposal implements casework.Store.
func (db *DB) SetProposal(ctx context.Context, p casework.Proposal) error {
	return db.changed(ctx, "UPDATE exception_proposals SET state = ?, decided_by = ?, decided_by_name = ?, decided_at = ?, decided_text = ? "+
		"WHERE shard = ? AND exception = ? AND id = ? AND state = 'open'",
		string(p.State), unlessNil(p.DecidedBy), p.DecidedByName, toMillis(p.DecidedAt), p.DecidedText, p.Shard, p.Exception[:], p.ID[:])
}

// Proposals implements casework.Store.
func (db *DB) Proposals(ctx context.Context, shard int, exception uuid.UUID) ([]casework.Proposal, error) {
	return page(ctx, db, proposalRow.proposal, "SELECT "+proposalColumns+" FROM exception_proposals WHERE shard = ? AND exception = ? ORDER BY id", shard, idBytes(exception))
}

// Moot implements casework.Store.
func (db *DB) Moot(ctx context.Context, limit int) ([]casework.Proposal, error) {
	return page(ctx, db, proposalRow.proposal, "SELECT p.* FROM exception_proposals AS p JOIN exceptions AS x ON x.shard = p.shard AND x.id = p.exception "+
		"LEFT JOIN people AS m ON m.id = p.made_by WHERE p.state = 'open' AND (NOT "+open+" OR m.id IS NULL OR m.password = '') ORDER BY p.made_at, p.id LIMIT ?", limit)
}
