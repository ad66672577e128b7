package store

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

const (
	exceptionColumns = "shard, id, kind, state, liable, cause, source, terminal, epoch, seq, store, account, member, " +
		"unit, amount, currency, money, occurred_at, recorded_at, explained_by, attribution"
	postingColumns = "account, recorded_at, id, source, line, unit, amount, from_book, to_book, store, lot, " +
		"occurred_at, effective_at, rule_set, corrects"
)

func sortedBooks(books map[ledger.BookKey]int64) []ledger.BookKey {
	out := make([]ledger.BookKey, 0, len(books))
	for k := range books {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b ledger.BookKey) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Book, b.Book), bytes.Compare(a.Owner[:], b.Owner[:]), cmp.Compare(a.Unit, b.Unit))
	})
	return out
}

// ListEntries implements ledger.Store.
func (db *DB) ListEntries(ctx context.Context, f ledger.EntryFilter, after *ledger.Place, limit int) ([]ledger.Entry, error) {
	// Applied is not a state of its own in the table. A subquery and not a join,
	// so that the newest entries are read by their index whatever there is.
	q := db.read(ctx).NewSelect().TableExpr("entries AS e").ColumnExpr("e." + entryList).ColumnExpr(appliedSeq + " AS applied_seq")
	if f.Terminal != uuid.Nil {
		q = q.Where("e.shard = ? AND e.terminal = ?", shard.Of(f.Terminal), idBytes(f.Terminal))
	}
	if f.Store != uuid.Nil {
		q = q.Where("e.store = ?", idBytes(f.Store))
	}
	if f.Kind != 0 {
		q = q.Where("e.kind = ?", uint16(f.Kind))
	}
	switch f.State {
	case ledger.Accepted:
		q = q.Where("e.state = ? AND e.seq > "+appliedSeq, int16(ledger.Accepted))
	case ledger.Applied:
		q = q.Where("e.state = ? AND e.seq <= "+appliedSeq, int16(ledger.Accepted))
	case ledger.Parked, ledger.Quarantined:
		q = q.Where("e.state = ?", int16(f.State))
	}
	if after != nil {
		q = q.Where("e.recorded_at <= ?", after.At).Where("e.recorded_at < ? OR e.seq < ? OR (e.seq = ? AND e.hash < ?)", after.At, after.Seq, after.Seq, after.Key)
	}
	var rows []listedEntry
	err := q.OrderExpr("e.recorded_at DESC, e.seq DESC, e.hash DESC").Limit(int64(limit)).Scan(ctx, &rows)
	return convert(rows, listedEntry.entry), err
}

const entryList = "terminal, e.epoch, e.seq, e.hash, e.branch, e.kind, e.state, e.proven, e.hlc, e.occurred_at, e.effective_at, e.recorded_at, e.store, e.raw"

const appliedSeq = "(SELECT b.applied_seq FROM branches AS b WHERE b.shard = e.shard AND b.terminal = e.terminal AND b.epoch = e.epoch AND b.branch = e.branch)"

type listedEntry struct {
	entryRow   `bun:",extend"`
	AppliedSeq uint64 `bun:"applied_seq"`
}

func (r listedEntry) entry() ledger.Entry {
	e := r.entryRow.entry()
	if e.State == ledger.Accepted && e.Seq <= r.AppliedSeq {
		e.State = ledger.Applied
	}
	return e
}

// EntriesAt implements ledger.Store.
func (db *DB) EntriesAt(ctx context.Context, terminal uuid.UUID, epoch uint32, seq uint64) ([]ledger.Entry, error) {
	if seq > 1<<63-1 {
		return nil, nil
	}
	var rows []listedEntry
	err := db.read(ctx).NewRaw("SELECT e."+entryList+", b.applied_seq FROM entries AS e "+
		"JOIN branches AS b ON b.shard = e.shard AND b.terminal = e.terminal AND b.epoch = e.epoch AND b.branch = e.branch "+
		"WHERE e.shard = ? AND e.terminal = ? AND e.epoch = ? AND e.seq = ? ORDER BY e.branch",
		shard.Of(terminal), idBytes(terminal), epoch, seq).Scan(ctx, &rows)
	return convert(rows, listedEntry.entry), err
}

type exceptionRow struct {
	Shard      int    `bun:"shard"`
	ID         []byte `bun:"id"`
	Kind       string `bun:"kind"`
	State      string `bun:"state"`
	Liable     string `bun:"liable"`
	Cause      string `bun:"cause"`
	Source     []byte `bun:"source"`
	Terminal   []byte `bun:"terminal"`
	Epoch      uint32 `bun:"epoch"`
	Seq        uint64 `bun:"seq"`
	Store      []byte `bun:"store"`
	Account    []byte `bun:"account"`
	Member     []byte `bun:"member"`
	Unit       string `bun:"unit"`
	Amount     int64  `bun:"amount"`
	Currency   string `bun:"currency"`
	Money      int64  `bun:"money"`
	OccurredAt int64  `bun:"occurred_at"`
	RecordedAt int64  `bun:"recorded_at"`

	ExplainedBy []byte `bun:"explained_by"`
	Attribution string `bun:"attribution"`
}

func (r exceptionRow) exception() ledger.Exception {
	return ledger.Exception{
		ID: toID(r.ID), Shard: r.Shard, Kind: ledger.ExceptionKind(r.Kind), State: r.State, Liable: r.Liable, Cause: r.Cause,
		Source: toHash(r.Source), Terminal: toID(r.Terminal), Epoch: r.Epoch, Seq: r.Seq, Store: toID(r.Store),
		Account: toID(r.Account), Member: toID(r.Member), Unit: r.Unit, Amount: r.Amount, Currency: r.Currency, Money: r.Money,
		OccurredAt: r.OccurredAt, RecordedAt: r.RecordedAt, ExplainedBy: toHash(r.ExplainedBy), Attribution: loyalty.LossCause(r.Attribution),
	}
}

// ListExceptions implements ledger.Store.
func (db *DB) ListExceptions(ctx context.Context, f ledger.ExceptionFilter, after *ledger.Place, limit int) ([]ledger.Exception, error) {
	q := db.read(ctx).NewSelect().TableExpr("exceptions").ColumnExpr(exceptionColumns)
	if f.Kind != "" {
		q = q.Where("kind = ?", string(f.Kind))
	}
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.Attribution != "" {
		q = q.Where("attribution = ?", string(f.Attribution))
	}
	if f.Account != uuid.Nil {
		q = q.Where("shard = ? AND account = ?", shard.Of(f.Account), idBytes(f.Account))
	}
	if after != nil {
		q = q.Where("recorded_at <= ?", after.At).Where("recorded_at < ? OR id < ?", after.At, after.Key)
	}
	var rows []exceptionRow
	err := q.OrderExpr("recorded_at DESC, id DESC").Limit(int64(limit)).Scan(ctx, &rows)
	return convert(rows, exceptionRow.exception), err
}

type postingRow struct {
	Shard       int    `bun:"shard"`
	Account     []byte `bun:"account"`
	RecordedAt  int64  `bun:"recorded_at"`
	ID          []byte `bun:"id"`
	Source      []byte `bun:"source"`
	Line        int    `bun:"line"`
	Unit        string `bun:"unit"`
	Amount      int64  `bun:"amount"`
	FromBook    int16  `bun:"from_book"`
	ToBook      int16  `bun:"to_book"`
	Store       []byte `bun:"store"`
	Lot         []byte `bun:"lot"`
	OccurredAt  int64  `bun:"occurred_at"`
	EffectiveAt int64  `bun:"effective_at"`
	RuleSet     uint64 `bun:"rule_set"`
	Corrects    []byte `bun:"corrects"`
}

func (r postingRow) posting() ledger.Posting {
	return ledger.Posting{
		ID: toID(r.ID), Shard: r.Shard, Account: toID(r.Account), Source: toHash(r.Source), Line: r.Line, Unit: r.Unit,
		Amount: r.Amount, From: loyalty.Book(r.FromBook), To: loyalty.Book(r.ToBook), Store: toID(r.Store), Lot: toID(r.Lot),
		OccurredAt: r.OccurredAt, EffectiveAt: r.EffectiveAt, RecordedAt: r.RecordedAt, RuleSet: r.RuleSet, Corrects: toHash(r.Corrects),
	}
}

// ListPostings implements ledger.Store.
func (db *DB) ListPostings(ctx context.Context, key ledger.AccountKey, after *ledger.Place, limit int) ([]ledger.Posting, error) {
	q := db.read(ctx).NewSelect().TableExpr("postings").ColumnExpr("shard, "+postingColumns).
		Where("shard = ? AND account = ?", key.Shard, idBytes(key.Account))
	if after != nil {
		q = q.Where("recorded_at <= ?", after.At).Where("recorded_at < ? OR id < ?", after.At, after.Key)
	}
	var rows []postingRow
	err := q.OrderExpr("recorded_at DESC, id DESC").Limit(int64(limit)).Scan(ctx, &rows)
	return convert(rows, postingRow.posting), err
}

// FindAccount implements ledger.Store.
func (db *DB) FindAccount(ctx context.Context, key ledger.AccountKey) (ledger.AccountRow, bool, error) {
	var r accountRow
	err := db.read(ctx).NewRaw("SELECT shard, account, version, marks FROM accounts WHERE shard = ? AND account = ?",
		key.Shard, idBytes(key.Account)).Scan(ctx, &r)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.AccountRow{}, false, nil
	}
	return r.account(), err == nil, err
}

// Balances implements ledger.Store. The books of members are summed from holdings.
func (db *DB) Balances(ctx context.Context) ([]ledger.Balance, error) {
	type sumRow struct {
		Book   int16  `bun:"book"`
		Owner  []byte `bun:"owner"`
		Unit   string `bun:"unit"`
		Amount int64  `bun:"amount"`
	}
	var out []ledger.Balance
	add := func(query string, args ...any) error {
		var rows []sumRow
		if err := db.read(ctx).NewRaw(query, args...).Scan(ctx, &rows); err != nil {
			return err
		}
		for _, r := range rows {
			if r.Amount != 0 {
				out = append(out, ledger.Balance{Book: loyalty.Book(r.Book), Owner: toID(r.Owner), Unit: r.Unit, Amount: r.Amount})
			}
		}
		return nil
	}
	for _, own := range []struct {
		book   loyalty.Book
		column string
	}{{loyalty.BookFree, "free"}, {loyalty.BookAllowance, "allowance"}, {loyalty.BookPending, "pending"}, {loyalty.BookOverdraft, "-overdraft"}} {
		err := add("SELECT ? AS book, ? AS owner, unit, CAST(SUM(?) AS BIGINT) AS amount FROM holdings GROUP BY unit ORDER BY unit",
			int16(own.book), idBytes(uuid.Nil), bun.Safe(own.column))
		if err != nil {
			return nil, err
		}
	}
	err := add("SELECT book, owner, unit, CAST(SUM(balance) AS BIGINT) AS amount FROM books GROUP BY book, owner, unit ORDER BY book, unit, owner")
	return out, err
}

// oldestWait is when the oldest entry was recorded that waits to be applied.
const oldestWait = "SELECT CAST(COALESCE(MIN(e.recorded_at), 0) AS BIGINT) FROM branches AS b JOIN entries AS e ON e.shard = b.shard AND e.terminal = b.terminal " +
	"AND e.epoch = b.epoch AND e.seq = b.applied_seq + 1 AND e.branch = b.branch WHERE b.applied_seq < b.head_seq"

// Status implements ledger.Store.
func (db *DB) Status(ctx context.Context) (ledger.Status, error) {
	var s ledger.Status
	for _, count := range []struct {
		to    *int64
		query string
	}{
		{&s.Entries, "SELECT COUNT(*) FROM entries"},
		{&s.Parked, "SELECT COUNT(*) FROM entries WHERE state <> 1 AND state = 3"},
		{&s.Quarantined, "SELECT COUNT(*) FROM entries WHERE state <> 1 AND state = 4"},
		{&s.Accepted, "SELECT CAST(COALESCE(SUM(head_seq - applied_seq), 0) AS BIGINT) FROM branches WHERE applied_seq < head_seq"},
		{&s.Batches, "SELECT COUNT(*) FROM batches"},
		{&s.Postings, "SELECT COUNT(*) FROM postings"},
		{&s.OpenExceptions, "SELECT COUNT(*) FROM exceptions WHERE state = 'open'"},
		{&s.Adopted, "SELECT COUNT(*) FROM exceptions WHERE state = 'open' AND kind = 'terminal_adopted'"},
		{&s.FactsLost, "SELECT COUNT(*) FROM exceptions WHERE state = 'open' AND kind = 'hq_facts_lost'"},
		{&s.SetAside, "SELECT COUNT(*) FROM set_aside"},
		{&s.OldestWait, oldestWait},
	} {
		if err := db.read(ctx).NewRaw(count.query).Scan(ctx, count.to); err != nil {
			return s, err
		}
	}
	s.Applied = s.Entries - s.Accepted - s.Parked - s.Quarantined
	return s, nil
}

// Progress implements ledger.Store.
func (db *DB) Progress(ctx context.Context) ([]ledger.Progress, error) {
	var rows []struct {
		Terminal    []byte `bun:"terminal"`
		Store       []byte `bun:"store"`
		Epoch       uint32 `bun:"epoch"`
		Branch      int    `bun:"branch"`
		HeadSeq     uint64 `bun:"head_seq"`
		HeadHash    []byte `bun:"head_hash"`
		EffectiveAt int64  `bun:"effective_at"`
		AppliedSeq  uint64 `bun:"applied_seq"`
		LastContact int64  `bun:"last_contact"`
		Stopped     uint64 `bun:"stopped"`
	}
	err := db.read(ctx).NewRaw("SELECT b.terminal, b.store, b.epoch, b.branch, b.head_seq, b.head_hash, b.effective_at, b.applied_seq, b.last_contact, "+
		"(SELECT COALESCE(MIN(e.seq), 0) FROM entries AS e WHERE e.shard = b.shard AND e.terminal = b.terminal AND e.epoch = b.epoch "+
		"AND e.branch = b.branch AND e.state <> 1) AS stopped FROM branches AS b ORDER BY b.shard, b.terminal, b.epoch, b.branch").Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	aside, err := db.firstAside(ctx)
	out := make([]ledger.Progress, len(rows))
	for i, r := range rows {
		p := ledger.Progress{
			Terminal: toID(r.Terminal), Store: toID(r.Store), Epoch: r.Epoch, Branch: r.Branch, AppliedSeq: r.AppliedSeq, Watermark: r.AppliedSeq,
			Head: journal.Head{Seq: r.HeadSeq, Hash: toHash(r.HeadHash)}, EffectiveAt: r.EffectiveAt, LastContact: r.LastContact,
		}
		if r.Stopped > 0 {
			p.Watermark = min(p.Watermark, r.Stopped-1)
		}
		if first, ok := aside[branchKey{p.Terminal, p.Epoch, p.Branch}]; ok {
			p.Watermark = min(p.Watermark, first-1)
		}
		out[i] = p
	}
	return out, err
}
