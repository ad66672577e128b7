//go:build linux

package settle

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/wire"
)

// setFacts is how many facts an applied set has: what one run of apply folds in a shard.
const setFacts = 16

// filled are the tables as the ledger leaves them behind a month of sales that redeem what
// their account earned within three weeks before, at a store in the neighbourhood. Sale g,
// from 1 on, is of account g modulo {accounts}, which is of shard g modulo 256; it is entry
// g of its lane, of which each store has one. What account a has is of entry {sales}+1+a.
var filled = map[string]string{
	"entries": `INSERT INTO entries (shard, terminal, epoch, seq, hash, branch, kind, state, proven, hlc, occurred_at, effective_at, recorded_at, store, raw)
		SELECT l.shard, l.id, 1, x.seq, int8send(x.seq) || {rest}, 0, 2, 1, 1, 0, x.at, x.at, x.at, l.store, ''
		FROM (SELECT g AS seq, {at} AS at, {lane} AS n FROM generate_series(1, {sales}::bigint) AS g
			UNION ALL SELECT {sales} + 1 + a, {earned}, {home} FROM generate_series(0, {accounts}::bigint - 1) AS a) AS x
		JOIN bench_lanes AS l ON l.n = x.n`,
	"sources": `INSERT INTO sources (shard, account, source, writer, epoch, seq, kind, subject, effective_at, recorded_at)
		SELECT x.a % 256, decode(md5(x.a::text), 'hex'), int8send(x.seq) || {rest}, l.id, 1, x.seq, 2, decode(md5('sale' || x.seq), 'hex'), x.at, x.at
		FROM (SELECT g AS seq, g % {accounts} AS a, {at} AS at, {lane} AS n FROM generate_series(1, {sales}::bigint) AS g
			UNION ALL SELECT {sales} + 1 + a, a, {earned}, {home} FROM generate_series(0, {accounts}::bigint - 1) AS a) AS x
		JOIN bench_lanes AS l ON l.n = x.n`,
	"postings": `INSERT INTO postings (shard, account, recorded_at, id, source, line, unit, amount, from_book, to_book, store, lot, occurred_at, effective_at, rule_set)
		SELECT x.a % 256, decode(md5(x.a::text), 'hex'), x.at, decode(md5('posting' || x.g), 'hex'), int8send(x.g) || {rest}, 1, 'points', 50 + x.g * 7919 % 400, 1, 16,
			l.store, decode(md5('lot' || x.a), 'hex'), x.at, x.at, 1
		FROM (SELECT g, g % {accounts} AS a, {at} AS at, {lane} AS n FROM generate_series(1, {sales}::bigint) AS g) AS x JOIN bench_lanes AS l ON l.n = x.n`,
	"lots": `INSERT INTO lots (shard, account, unit, lot, source, amount, remaining, spent, covered, gone, pending, voided, is_open, earned_at, vests_at, expires_at)
		SELECT a % 256, decode(md5(a::text), 'hex'), 'points', decode(md5('lot' || a), 'hex'), int8send({sales} + 1 + a) || {rest}, 100000, 100000, 0, 0, 0, 0, 0, 1, {earned}, 0, 0
		FROM generate_series(0, {accounts}::bigint - 1) AS a`,
}

// month0 is 1 February 2026 in UTC, Unix milliseconds; sales are spread over 27 days.
const month0, spread = 1769904000000, 27 * 24 * 3600 * 1000

// mixed is a number below 2^24 that looks like chance, here and in SQL.
func mixed(n int) int { return n * 2654435761 % (1 << 32) / 256 }

func mixedIn(n string) string { return "(" + n + " * 2654435761 % 4294967296 / 256)" }

// filling is a month to be written.
type filling struct {
	dsn             string
	sales, accounts int
	places          []clearing.Place
	say             func(string, ...any)
}

// fill writes redemptions of a month into the tables of the ledger, and what was applied in
// which order. No index is there but those by which following reads.
func fill(t *testing.T, dsn string, n int, places []clearing.Place, say func(string, ...any)) {
	t.Helper()
	f := filling{dsn, n, (n/20/shard.Count + 1) * shard.Count, places, say}
	must(t, f.lanes(t.Context()))
	var all sync.WaitGroup
	errs := make([]error, len(filled)+1)
	i := 0
	for table := range filled {
		at := i
		i++
		all.Go(func() { errs[at] = f.table(t.Context(), table) })
	}
	all.Go(func() { errs[len(filled)] = f.sets(t.Context()) })
	all.Wait()
	must(t, errors.Join(errs...))
}

func (f filling) lane(n int) uuid.UUID { return uuid.NewSHA1(f.places[n].ID, []byte("lane")) }

func (f filling) lanes(ctx context.Context) error {
	return f.with(ctx, func(conn *pgx.Conn) error {
		if _, err := conn.Exec(ctx, "CREATE TABLE bench_lanes (n BIGINT PRIMARY KEY, shard SMALLINT NOT NULL, id BYTEA NOT NULL, store BYTEA NOT NULL)"); err != nil {
			return err
		}
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"bench_lanes"}, []string{"n", "shard", "id", "store"}, pgx.CopyFromSlice(len(f.places), func(n int) ([]any, error) {
			id := f.lane(n)
			return []any{int64(n), int16(shard.Of(id)), id[:], f.places[n].ID[:]}, nil
		}))
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "ANALYZE bench_lanes")
		return err
	})
}

// with runs something on a connection of its own.
func (f filling) with(ctx context.Context, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, f.dsn)
	if err != nil {
		return err
	}
	return errors.Join(do(conn), conn.Close(ctx))
}

// table fills one table: without indexes and without a log of changes.
func (f filling) table(ctx context.Context, table string) error {
	err := f.with(ctx, func(conn *pgx.Conn) error {
		var key string
		err := conn.QueryRow(ctx, "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'p'", table).Scan(&key)
		if err != nil {
			return err
		}
		var kept string // beside the key, the index by which following finds what undoes a sale
		if table == "sources" {
			if err := conn.QueryRow(ctx, "SELECT indexdef FROM pg_indexes WHERE indexname = 'sources_subject'").Scan(&kept); err != nil {
				return err
			}
		}
		for _, text := range []string{
			"SET maintenance_work_mem = '512MB'",
			"DO $$ DECLARE x record; BEGIN " +
				"FOR x IN SELECT conname FROM pg_constraint WHERE conrelid = '" + table + "'::regclass AND contype = 'p' LOOP EXECUTE 'ALTER TABLE " + table + " DROP CONSTRAINT ' || x.conname; END LOOP; " +
				"FOR x IN SELECT indexname FROM pg_indexes WHERE tablename = '" + table + "' LOOP EXECUTE 'DROP INDEX ' || x.indexname; END LOOP; END $$",
			"ALTER TABLE " + table + " SET UNLOGGED",
			f.text(filled[table]),
			"ALTER TABLE " + table + " ADD " + key,
			kept,
			"VACUUM ANALYZE " + table,
		} {
			if _, err := conn.Exec(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	})
	if err == nil {
		f.say("%s are filled", table)
	}
	return err
}

// text writes numbers into a statement. {at} is when a sale was, {earned} when what an
// account has was earned, {lane} and {home} where.
func (f filling) text(statement string) string {
	stores := strconv.Itoa(len(f.places))
	home := mixedIn("a")
	return strings.NewReplacer(
		"{rest}", `'\x`+strings.Repeat("00", 24)+"'::bytea",
		"{at}", fmt.Sprintf("(%d + g * %d / %d)", month0, spread, f.sales),
		"{earned}", fmt.Sprintf("(%d - (1 + a * 7919 %% 21) * 86400000)", month0),
		"{lane}", "(("+mixedIn(fmt.Sprintf("(g %% %d)", f.accounts))+" + "+mixedIn("(g * g % 1000003)")+" % 10) % "+stores+")",
		"{home}", "("+home+" % "+stores+")",
		"{sales}", strconv.Itoa(f.sales), "{accounts}", strconv.Itoa(f.accounts),
	).Replace(statement)
}

// sets writes which facts were applied together, and in which order.
func (f filling) sets(ctx context.Context) error {
	err := f.with(ctx, func(conn *pgx.Conn) error {
		source := &setSource{filling: f}
		if _, err := conn.CopyFrom(ctx, pgx.Identifier{"applied_sets"}, []string{"shard", "pos", "facts"}, source); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "INSERT INTO applied_heads SELECT shard, MAX(pos) FROM applied_sets GROUP BY shard ON CONFLICT (shard) DO UPDATE SET pos = EXCLUDED.pos")
		return err
	})
	if err == nil {
		f.say("sets of facts are filled")
	}
	return err
}

// setSource makes sets, shard by shard.
type setSource struct {
	filling
	shard, pos int
	steps      []ledger.Step
}

func (s *setSource) Next() bool {
	for ; s.shard < shard.Count; s.shard, s.pos = s.shard+1, 0 {
		s.steps = s.steps[:0]
		for g := s.shard + s.pos*setFacts*shard.Count; g <= s.sales && len(s.steps) < setFacts; g += shard.Count {
			if g > 0 {
				s.steps = append(s.steps, s.step(g))
			}
		}
		if len(s.steps) > 0 {
			s.pos++
			return true
		}
	}
	return false
}

// step is sale g as it was applied.
func (s *setSource) step(g int) ledger.Step {
	a := g % s.accounts
	account := md5.Sum([]byte(strconv.Itoa(a)))
	lane := s.lane((mixed(a) + mixed(g*g%1000003)%10) % len(s.places))
	return ledger.Step{Does: ledger.StepFolded, Writer: lane[:], Epoch: 1, Seq: uint64(g), Account: account[:]}
}

func (s *setSource) Values() ([]any, error) {
	raw, err := wire.Marshal(s.steps)
	return []any{int16(s.shard), int64(s.pos), raw}, err
}

func (s *setSource) Err() error { return nil }
