package store

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/pg"
)

// The sharding rule: in the live schema every key of a hot table begins with
// the shard, and a table without one is named as small.
func TestEveryKeyOfAHotTableBeginsWithItsShard(t *testing.T) {
	ctx := context.Background()
	db := migrated(t, pg.Shared(t).Database(t))
	if wrong := breaches(t, db); len(wrong) > 0 {
		t.Error(strings.Join(wrong, "\n"))
	}
	// The test itself can fail.
	for _, statement := range []string{
		"CREATE TABLE bad_key (shard SMALLINT NOT NULL, id BYTEA NOT NULL PRIMARY KEY)",
		"CREATE TABLE bad_index (shard SMALLINT NOT NULL, id BYTEA NOT NULL, PRIMARY KEY (shard, id))",
		"CREATE UNIQUE INDEX bad ON bad_index (id, shard)",
		"CREATE TABLE no_key (shard SMALLINT NOT NULL, id BYTEA NOT NULL)",
		"CREATE TABLE no_shard (id BYTEA NOT NULL PRIMARY KEY)",
		"ALTER TABLE no_shard ADD at TIMESTAMP DEFAULT now()",
		"CREATE TABLE counted (shard SMALLINT NOT NULL, id BIGSERIAL, PRIMARY KEY (shard, id))",
	} {
		if _, err := db.exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	wrong := strings.Join(breaches(t, db), "\n")
	for _, want := range []string{"bad_key: the key bad_key_pkey", "bad_index: the key bad begins", "no_key: has no primary key", "no_shard: has no shard", "counted: has a sequence"} {
		if !strings.Contains(wrong, want) {
			t.Errorf("the test did not find %q in:\n%s", want, wrong)
		}
	}
}

// breaches lists what breaks the rule in the schema of db.
func breaches(t *testing.T, db *DB) []string {
	t.Helper()
	var tables []struct {
		Name      string `bun:"name"`
		Hot       bool   `bun:"hot"`
		Keyed     bool   `bun:"keyed"`
		Sequences int    `bun:"sequences"`
	}
	ctx := context.Background()
	err := db.reader.NewRaw("SELECT c.relname AS name, "+
		"EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'shard' AND a.attnotnull) AS hot, "+
		"EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary) AS keyed, "+
		"(SELECT COUNT(*) FROM pg_attrdef AS d WHERE d.adrelid = c.oid AND pg_get_expr(d.adbin, d.adrelid) LIKE '%nextval%') AS sequences "+
		"FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace").Scan(ctx, &tables)
	if err != nil || len(tables) == 0 {
		t.Fatalf("read tables: %v", err)
	}
	var keys []struct {
		Table string `bun:"name"`
		Key   string `bun:"key"`
		First string `bun:"first"`
	}
	err = db.reader.NewRaw("SELECT c.relname AS name, k.relname AS key, a.attname AS first FROM pg_index AS i "+
		"JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_class AS k ON k.oid = i.indexrelid "+
		"JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] "+
		"WHERE i.indisunique AND c.relnamespace = current_schema()::regnamespace").Scan(ctx, &keys)
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	for _, table := range tables {
		small := slices.Contains(append([]string{versionTable}, smallTables...), table.Name)
		switch {
		case table.Hot && small:
			wrong = append(wrong, table.Name+": is named as small and has a shard")
		case !table.Hot && !small:
			wrong = append(wrong, table.Name+": has no shard and is not named as small")
		}
		if !table.Keyed {
			wrong = append(wrong, table.Name+": has no primary key")
		}
		if table.Sequences > 0 {
			wrong = append(wrong, table.Name+": has a sequence")
		}
		for _, key := range keys {
			if key.Table == table.Name && table.Hot && key.First != "shard" {
				wrong = append(wrong, table.Name+": the key "+key.Key+" begins with "+key.First)
			}
		}
	}
	return wrong
}
