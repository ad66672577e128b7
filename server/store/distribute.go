package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// ErrNoCitus means that the database cannot be spread over several machines.
var ErrNoCitus = errors.New("the database has no Citus extension (CREATE EXTENSION citus), so it cannot be distributed")

// smallTables are those without a shard: few rows, read everywhere. On a
// distributed database each node has a copy. Every other table begins each key
// with its shard.
var smallTables = []string{
	"acts", "answers", "card_addresses", "card_consents", "card_holders", "card_links", "card_sessions", "case_rule_days", "case_settings", "cashiers", "ended_epochs", "enrolment_codes", "exposure_samples", "google_classes", "leases", "look_pictures", "looks", "lost_declarations", "mails", "member_references", "pass_log", "pass_progress", "people", "pos_mappings", "presenting",
	"programme_versions", "restores", "rewards", "sessions", "settlement_months", "settlement_names", "settlement_terms", "shares", "stores", "terminal_keys", "terminals", "till_rules",
}

// versionTable stays where the migrations run.
const versionTable = "schema_version"

// table is one table of the schema as the catalog has it.
type table struct {
	Name   string `bun:"name"`
	Hot    bool   `bun:"hot"`    // has a shard
	Spread bool   `bun:"spread"` // is distributed or copied to all nodes already
}

// Distribute spreads a migrated database over the nodes of a Citus cluster: hot
// tables by their shard, rows of one shard on one node, and small ones copied to all. A
// table at a time, so that interrupting it and doing it again are safe. The error
// is ErrNoCitus where there is no Citus.
func (db *DB) Distribute(ctx context.Context) error {
	if ok, err := db.hasCitus(ctx); err != nil || !ok {
		return errors.Join(err, ErrNoCitus)
	}
	tables, err := db.tables(ctx)
	if err != nil {
		return fmt.Errorf("distribute: %w", err)
	}
	for _, t := range tables {
		if t.Name == versionTable || t.Spread {
			continue
		}
		if err := db.spread(ctx, t.Name); err != nil {
			return fmt.Errorf("distribute table %s: %w", t.Name, err)
		}
	}
	db.nodes.Store(true)
	return nil
}

// Distributed reports whether the database has been spread over several nodes.
func (db *DB) Distributed(ctx context.Context) (bool, error) {
	if ok, err := db.hasCitus(ctx); err != nil || !ok {
		return false, err
	}
	tables, err := db.tables(ctx)
	return slices.ContainsFunc(tables, func(t table) bool { return t.Spread }), err
}

func (db *DB) hasCitus(ctx context.Context) (bool, error) {
	if db.sqlite {
		return false, nil
	}
	var n int
	err := db.read(ctx).NewRaw("SELECT COUNT(*) FROM pg_extension WHERE extname = 'citus'").Scan(ctx, &n)
	if err != nil {
		return false, fmt.Errorf("look for Citus: %w", err)
	}
	return n > 0, nil
}

// tables lists the tables of the schema, those with a shard first, since the first
// of them says where all others go. It needs Citus.
func (db *DB) tables(ctx context.Context) ([]table, error) {
	var out []table
	err := db.read(ctx).NewRaw("SELECT c.relname AS name, "+
		"EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'shard') AS hot, "+
		"EXISTS (SELECT 1 FROM pg_dist_partition AS p WHERE p.logicalrelid = c.oid AND p.partmethod <> 's' "+
		"AND (p.partmethod = 'h' OR p.repmodel = 't')) AS spread "+
		"FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "+
		"ORDER BY hot DESC, name").Scan(ctx, &out)
	return out, err
}

// spread spreads one table, unless another process has done so meanwhile.
func (db *DB) spread(ctx context.Context, name string) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		// The lock under which migrations run too.
		if _, err := db.exec(ctx, "UPDATE schema_version SET id = 1 WHERE id = 1"); err != nil {
			return err
		}
		tables, err := db.tables(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(tables, func(t table) bool { return t.Name == name })
		if at < 0 || tables[at].Spread {
			return nil
		}
		if !tables[at].Hot {
			_, err = db.write(ctx).NewRaw("SELECT create_reference_table(?)", name).Exec(ctx)
			return err
		}
		with := "none"
		if first := slices.IndexFunc(tables, func(t table) bool { return t.Hot && t.Spread }); first >= 0 {
			with = tables[first].Name
		}
		_, err = db.write(ctx).NewRaw("SELECT create_distributed_table(?, 'shard', colocate_with => ?)", name, with).Exec(ctx)
		return err
	})
}
