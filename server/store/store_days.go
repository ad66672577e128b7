package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"

	"github.com/uptrace/bun"
)

var _ storeday.Store = (*DB)(nil)

const certifiedColumns = "store, number, business_date, cut_at, digest, text"

type certifiedRow struct {
	Store  []byte `bun:"store"`
	Number uint64 `bun:"number"`
	Date   uint32 `bun:"business_date"`
	CutAt  int64  `bun:"cut_at"`
	Digest string `bun:"digest"`
	Text   string `bun:"text"`
}

func (r certifiedRow) certified() storeday.Certified {
	return storeday.Certified{Store: toID(r.Store), Number: r.Number, Date: entry.Date(r.Date), CutAt: r.CutAt, Digest: r.Digest, Text: r.Text}
}

// LastCertified implements storeday.Store.
func (db *DB) LastCertified(ctx context.Context, store uuid.UUID) (storeday.Certified, error) {
	return one(ctx, db, certifiedRow.certified, "certificate", "SELECT "+certifiedColumns+" FROM store_days WHERE shard = ? AND store = ? "+
		"ORDER BY number DESC LIMIT 1", shard.Of(store), idBytes(store))
}

// Certified implements storeday.Store.
func (db *DB) Certified(ctx context.Context, store uuid.UUID, date entry.Date) (storeday.Certified, error) {
	return one(ctx, db, certifiedRow.certified, "certificate", "SELECT "+certifiedColumns+" FROM store_days WHERE shard = ? AND store = ? "+
		"AND business_date = ?", shard.Of(store), idBytes(store), uint32(date))
}

// CertifiedDays implements storeday.Store.
func (db *DB) CertifiedDays(ctx context.Context, store uuid.UUID, from entry.Date, limit int) ([]storeday.Certified, error) {
	return page(ctx, db, certifiedRow.certified, "SELECT "+certifiedColumns+" FROM store_days WHERE shard = ? AND store = ? "+
		"AND business_date >= ? ORDER BY business_date LIMIT ?", shard.Of(store), idBytes(store), uint32(from), limit)
}

// AddCertified implements storeday.Store.
func (db *DB) AddCertified(ctx context.Context, c storeday.Certified) error {
	return db.changed(ctx, "INSERT INTO store_days (shard, "+certifiedColumns+") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		shard.Of(c.Store), idBytes(c.Store), c.Number, uint32(c.Date), c.CutAt, c.Digest, c.Text)
}

// Covered implements storeday.Store.
func (db *DB) Covered(ctx context.Context, store uuid.UUID) (map[journal.Writer]uint64, error) {
	var rows []struct {
		Terminal []byte `bun:"terminal"`
		Epoch    uint32 `bun:"epoch"`
		Through  uint64 `bun:"through_seq"`
	}
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, through_seq FROM store_day_journals WHERE shard = ? AND store = ?",
		shard.Of(store), idBytes(store)).Scan(ctx, &rows)
	out := make(map[journal.Writer]uint64, len(rows))
	for _, r := range rows {
		out[journal.Writer{ID: toID(r.Terminal), Epoch: r.Epoch}] = r.Through
	}
	return out, err
}

// SetCovered implements storeday.Store.
func (db *DB) SetCovered(ctx context.Context, store uuid.UUID, to map[journal.Writer]uint64) error {
	rows := make([]row, 0, len(to))
	for w, seq := range to {
		rows = append(rows, row{shard.Of(store), idBytes(store), idBytes(w.ID), w.Epoch, int64(seq)})
	}
	return db.insert(ctx, "INSERT INTO store_day_journals (shard, store, terminal, epoch, through_seq)", rows,
		"ON CONFLICT (shard, store, terminal, epoch) DO UPDATE SET through_seq = EXCLUDED.through_seq")
}

// KeptJournals implements storeday.Store. What was set aside, and exceptions, stand in the
// shards of accounts: they are asked for by themselves.
func (db *DB) KeptJournals(ctx context.Context, terminals []uuid.UUID) ([]storeday.Kept, error) {
	type keptRow struct {
		Terminal []byte `bun:"terminal"`
		Epoch    uint32 `bun:"epoch"`
		Head     uint64 `bun:"head_seq"`
		Applied  uint64 `bun:"applied_seq"`
		Stopped  uint64 `bun:"stopped"`
		Branches int64  `bun:"branches"`
	}
	rows, err := selectKeys[keptRow](ctx, db, db.read(ctx), "SELECT b.terminal, b.epoch, b.head_seq, b.applied_seq, "+
		"(SELECT COALESCE(MIN(e.seq), 0) FROM entries AS e WHERE e.shard = b.shard AND e.terminal = b.terminal AND e.epoch = b.epoch "+
		"AND e.branch = 0 AND e.state <> 1) AS stopped, "+
		"(SELECT COUNT(*) FROM branches AS f WHERE f.shard = b.shard AND f.terminal = b.terminal AND f.epoch = b.epoch AND f.branch > 0) AS branches "+
		"FROM branches AS b WHERE b.branch = 0 AND ?", "b.shard, b.terminal", convert(terminals, func(id uuid.UUID) row {
		return row{shard.Of(id), idBytes(id)}
	}))
	if err != nil {
		return nil, err
	}
	aside, err := db.byJournal(ctx, terminals, "SELECT terminal, epoch, MIN(seq) AS n FROM set_aside WHERE terminal IN (?) GROUP BY terminal, epoch")
	if err != nil {
		return nil, err
	}
	unproven, err := db.byJournal(ctx, terminals, "SELECT terminal, epoch, COUNT(*) AS n FROM exceptions WHERE terminal IN (?) "+
		"AND kind = 'unproven' AND state = 'open' GROUP BY terminal, epoch")
	return convert(rows, func(r keptRow) storeday.Kept {
		w := journal.Writer{ID: toID(r.Terminal), Epoch: r.Epoch}
		k := storeday.Kept{Writer: w, Head: r.Head, Applied: r.Applied, Undecided: unproven[w] > 0, Forked: r.Branches > 0}
		for _, first := range []uint64{r.Stopped, aside[w]} {
			if first > 0 {
				k.Applied = min(k.Applied, first-1)
			}
		}
		return k
	}), err
}

// byJournal reads a number for each journal of terminals that has one.
func (db *DB) byJournal(ctx context.Context, terminals []uuid.UUID, text string) (map[journal.Writer]uint64, error) {
	type numberRow struct {
		Terminal []byte `bun:"terminal"`
		Epoch    uint32 `bun:"epoch"`
		N        uint64 `bun:"n"`
	}
	rows, err := byIDs(ctx, db, func(r numberRow) numberRow { return r }, text, terminals)
	out := make(map[journal.Writer]uint64, len(rows))
	for _, r := range rows {
		out[journal.Writer{ID: toID(r.Terminal), Epoch: r.Epoch}] = r.N
	}
	return out, err
}

// FirstCloseDate implements storeday.Store.
func (db *DB) FirstCloseDate(ctx context.Context, store uuid.UUID, through entry.Date) (entry.Date, error) {
	return one(ctx, db, func(r closeRow) entry.Date { return entry.Date(r.Date) }, "day close", "SELECT business_date FROM day_closes "+
		"WHERE shard = ? AND store = ? AND proven = 1 AND business_date <= ? ORDER BY business_date LIMIT 1", shard.Of(store), idBytes(store), uint32(through))
}

// ClosesBehind implements storeday.Store.
func (db *DB) ClosesBehind(ctx context.Context, store uuid.UUID, w journal.Writer, after uint64, through entry.Date, limit int) ([]storeday.Said, error) {
	return page(ctx, db, func(r closeRow) storeday.Said { return storeday.Said{Seq: r.Seq, Date: entry.Date(r.Date)} },
		"SELECT seq, business_date FROM day_closes WHERE shard = ? AND store = ? AND terminal = ? AND epoch = ? AND seq > ? AND business_date <= ? AND proven = 1 "+
			"ORDER BY seq LIMIT ?", shard.Of(store), idBytes(store), idBytes(w.ID), w.Epoch, int64(after), uint32(through), limit)
}

// MainEntries returns entries of a journal's first branch with numbers from first to last,
// in order, limit at most. Its rows are scanned by hand, and come as bytes and not as text.
func (db *DB) MainEntries(ctx context.Context, w journal.Writer, first, last uint64, limit int) ([]ledger.Entry, error) {
	values := []any{shard.Of(w.ID), idBytes(w.ID), int64(w.Epoch), int64(first), int64(last), limit}
	const text = "SELECT " + entryColumns + " FROM entries WHERE shard = $1 AND terminal = $2 AND epoch = $3 AND seq >= $4 AND seq <= $5 AND branch = 0 ORDER BY seq LIMIT $6"
	rows, err := direct(db.read(ctx)).QueryContext(ctx, text, slices.Concat(db.mode, values)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []ledger.Entry
	for rows.Next() {
		var r entryRow
		err := rows.Scan(&r.Terminal, &r.Epoch, &r.Seq, &r.Hash, &r.Branch, &r.Kind, &r.State, &r.Proven, &r.HLC, &r.OccurredAt, &r.EffectiveAt,
			&r.RecordedAt, &r.Store, &r.Raw)
		if err != nil {
			return nil, err
		}
		out = append(out, r.entry())
	}
	return out, rows.Err()
}

// DayEntries implements storeday.Store. It reads the days of all stores, so its rows have few
// columns, are scanned by hand, and come as bytes and not as text.
func (db *DB) DayEntries(ctx context.Context, w journal.Writer, first, last uint64, limit int) ([]storeday.Entry, error) {
	values := []any{shard.Of(w.ID), idBytes(w.ID), int64(w.Epoch), int64(first), int64(last), limit}
	const text = "SELECT seq, hash, kind, proven, raw FROM entries WHERE shard = $1 AND terminal = $2 AND epoch = $3 AND seq >= $4 AND seq <= $5 AND branch = 0 ORDER BY seq LIMIT $6"
	rows, err := direct(db.read(ctx)).QueryContext(ctx, text, slices.Concat(db.mode, values)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make([]storeday.Entry, 0, min(uint64(limit), last-min(first, last)+1))
	var kept arena
	var hash, raw sql.RawBytes
	var proven int
	for rows.Next() {
		var r storeday.Entry
		if err := rows.Scan(&r.Seq, &hash, &r.Kind, &proven, &raw); err != nil {
			return nil, err
		}
		r.Hash, r.Proven, r.Raw = toHash(hash), proven == 1, kept.copy(raw)
		out = append(out, r)
	}
	return out, rows.Err()
}

// arena keeps copies of many short byte strings in few allocations.
type arena struct{ free []byte }

func (a *arena) copy(b []byte) []byte {
	if len(b) > len(a.free) {
		a.free = make([]byte, max(len(b), 64<<10))
	}
	n := copy(a.free, b)
	out := a.free[:n:n]
	a.free = a.free[n:]
	return out
}

// Forks implements storeday.Store.
func (db *DB) Forks(ctx context.Context, w journal.Writer) ([]storeday.Fork, error) {
	type forkRow struct {
		Branch int    `bun:"branch"`
		From   uint64 `bun:"from_seq"`
		Last   uint64 `bun:"head_seq"`
		Head   []byte `bun:"head_hash"`
	}
	return page(ctx, db, func(r forkRow) storeday.Fork {
		return storeday.Fork{Branch: r.Branch, First: r.From + 1, Last: r.Last, Head: toHash(r.Head).String()}
	}, "SELECT branch, from_seq, head_seq, head_hash FROM branches WHERE shard = ? AND terminal = ? AND epoch = ? AND branch > 0 ORDER BY branch LIMIT ?",
		shard.Of(w.ID), idBytes(w.ID), w.Epoch, mostForks)
}

// mostForks bounds the branches of one journal that a certificate names.
const mostForks = 100

// SalesOf implements storeday.Store.
func (db *DB) SalesOf(ctx context.Context, terminal uuid.UUID, sales []uuid.UUID) (map[uuid.UUID]entry.Sale, error) {
	named, err := db.SourcesNaming(ctx, sales)
	if err != nil {
		return nil, err
	}
	named = slices.DeleteFunc(named, func(r ledger.SourceRow) bool { return r.Writer != terminal })
	entries, err := db.SourceEntries(ctx, named)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b ledger.Entry) int {
		return cmp.Or(cmp.Compare(b.Epoch, a.Epoch), cmp.Compare(b.Branch, a.Branch), cmp.Compare(b.Seq, a.Seq))
	})
	out := map[uuid.UUID]entry.Sale{} // of several of one id the first one in the journal stays
	for _, e := range entries {
		if e.Kind != entry.KindSale {
			continue
		}
		env, err := entry.Decode(e.Raw)
		if err != nil {
			continue // it is an exception of its own
		}
		if sale, err := entry.DecodeBody[entry.Sale](env); err == nil {
			out[sale.ID] = sale
		}
	}
	return out, nil
}

// Rejected implements storeday.Store.
func (db *DB) Rejected(ctx context.Context, w journal.Writer, first, last uint64) (map[journal.Hash]bool, error) {
	var rows []struct {
		Source []byte `bun:"source"`
	}
	err := db.read(ctx).NewRaw("SELECT source FROM exceptions WHERE terminal = ? AND epoch = ? AND seq >= ? AND seq <= ? AND kind = ? AND state = ?",
		idBytes(w.ID), w.Epoch, int64(first), int64(last), string(ledger.Unproven), ledger.ExceptionRejected).Scan(ctx, &rows)
	out := make(map[journal.Hash]bool, len(rows))
	for _, r := range rows {
		out[toHash(r.Source)] = true
	}
	return out, err
}

// ExceptionsWithin implements storeday.Store.
func (db *DB) ExceptionsWithin(ctx context.Context, w journal.Writer, first, last uint64) ([]storeday.Exceptions, error) {
	var rows []struct {
		Kind   string `bun:"kind"`
		Open   int64  `bun:"open"`
		Other  int64  `bun:"other"`
		Amount int64  `bun:"amount"`
	}
	err := db.read(ctx).NewRaw("SELECT kind, CAST(SUM(CASE WHEN state = 'open' OR state = 'awaiting' THEN 1 ELSE 0 END) AS BIGINT) AS open, "+
		"CAST(SUM(CASE WHEN state = 'open' OR state = 'awaiting' THEN 0 ELSE 1 END) AS BIGINT) AS other, CAST(SUM(amount) AS BIGINT) AS amount "+
		"FROM exceptions WHERE terminal = ? AND epoch = ? AND seq >= ? AND seq <= ? AND state <> ? GROUP BY kind",
		idBytes(w.ID), w.Epoch, int64(first), int64(last), ledger.ExceptionWithdrawn).Scan(ctx, &rows)
	out := make([]storeday.Exceptions, len(rows))
	for i, r := range rows {
		out[i] = storeday.Exceptions{Kind: r.Kind, Open: r.Open, Settled: r.Other, Amount: r.Amount}
	}
	return out, err
}

// BlockedBy implements storeday.Store.
func (db *DB) BlockedBy(ctx context.Context, w journal.Writer, first, last uint64, kinds []ledger.ExceptionKind) ([]uuid.UUID, error) {
	names := convert(kinds, func(k ledger.ExceptionKind) string { return string(k) })
	var rows []struct {
		ID []byte `bun:"id"`
	}
	err := db.read(ctx).NewRaw("SELECT x.id FROM exceptions AS x WHERE x.terminal = ? AND x.epoch = ? AND x.seq >= ? AND x.seq <= ? AND x.kind IN (?) AND x.state = 'open' "+
		"AND NOT EXISTS (SELECT 1 FROM exception_cases AS c WHERE c.shard = x.shard AND c.exception = x.id AND c.resolution <> '') ORDER BY x.id",
		idBytes(w.ID), w.Epoch, int64(first), int64(last), bun.List(names)).Scan(ctx, &rows)
	out := make([]uuid.UUID, len(rows))
	for i, r := range rows {
		out[i] = toID(r.ID)
	}
	return out, err
}
