package store

import (
	"context"

	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

var _ ledger.Store = (*DB)(nil)

const entryColumns = "terminal, epoch, seq, hash, branch, kind, state, proven, hlc, occurred_at, effective_at, recorded_at, store, raw"

type entryRow struct {
	Terminal    []byte `bun:"terminal"`
	Epoch       uint32 `bun:"epoch"`
	Seq         uint64 `bun:"seq"`
	Hash        []byte `bun:"hash"`
	Branch      int    `bun:"branch"`
	Kind        uint16 `bun:"kind"`
	State       int16  `bun:"state"`
	Proven      int    `bun:"proven"`
	HLC         int64  `bun:"hlc"`
	OccurredAt  int64  `bun:"occurred_at"`
	EffectiveAt int64  `bun:"effective_at"`
	RecordedAt  int64  `bun:"recorded_at"`
	Store       []byte `bun:"store"`
	Raw         []byte `bun:"raw"`
}

func (r entryRow) entry() ledger.Entry {
	return ledger.Entry{
		Terminal: toID(r.Terminal), Store: toID(r.Store), Epoch: r.Epoch, Branch: r.Branch, Seq: r.Seq, Hash: toHash(r.Hash),
		Kind: entry.Kind(r.Kind), State: ledger.State(r.State), Proven: r.Proven == 1, HLC: r.HLC,
		OccurredAt: r.OccurredAt, EffectiveAt: r.EffectiveAt, RecordedAt: r.RecordedAt, Raw: r.Raw,
	}
}

// Writers implements ledger.Store: SQLite has one writer, PostgreSQL half its
// connections, since others want to write too.
func (db *DB) Writers() int {
	if db.sqlite {
		return 1
	}
	return max(1, min(mostWriters, db.writer.Stats().MaxOpenConnections/2))
}

// mostWriters bounds how many transactions of one applier run side by side. More
// than processors, because each waits for the disk when it commits.
const mostWriters = 4

// WaitingJournals implements ledger.Store. Journals that have waited longest for
// contact come first, so that none starves behind a busy one.
func (db *DB) WaitingJournals(ctx context.Context, limit int) ([]ledger.Waiting, error) {
	var rows []struct {
		Terminal   []byte `bun:"terminal"`
		Epoch      uint32 `bun:"epoch"`
		Branch     int    `bun:"branch"`
		AppliedSeq uint64 `bun:"applied_seq"`
	}
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, branch, applied_seq FROM branches WHERE applied_seq < head_seq "+
		"ORDER BY last_contact, shard, terminal, epoch, branch LIMIT ?", limit).Scan(ctx, &rows)
	out := make([]ledger.Waiting, len(rows))
	for i, r := range rows {
		out[i] = ledger.Waiting{Terminal: toID(r.Terminal), Epoch: r.Epoch, Branch: r.Branch, AppliedSeq: r.AppliedSeq}
	}
	return out, err
}

// WaitingEntries implements ledger.Store.
func (db *DB) WaitingEntries(ctx context.Context, w ledger.Waiting, limit int) ([]ledger.Entry, error) {
	var rows []entryRow
	err := db.read(ctx).NewRaw("SELECT "+entryColumns+" FROM entries WHERE shard = ? AND terminal = ? AND epoch = ? "+
		"AND branch = ? AND seq > ? ORDER BY seq LIMIT ?",
		shard.Of(w.Terminal), idBytes(w.Terminal), w.Epoch, w.Branch, w.AppliedSeq, limit).Scan(ctx, &rows)
	return convert(rows, entryRow.entry), err
}

// AdvanceApplied implements ledger.Store.
func (db *DB) AdvanceApplied(ctx context.Context, to []ledger.Waiting) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		for _, w := range to {
			_, err := db.write(ctx).NewRaw("UPDATE branches SET applied_seq = ? WHERE shard = ? AND terminal = ? AND epoch = ? "+
				"AND branch = ? AND applied_seq < ?", w.AppliedSeq, shard.Of(w.Terminal), idBytes(w.Terminal), w.Epoch, w.Branch, w.AppliedSeq).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AddSources implements ledger.Store.
func (db *DB) AddSources(ctx context.Context, rows []ledger.SourceRow) (map[journal.Hash]bool, error) {
	added := make(map[journal.Hash]bool, len(rows))
	values := convert(rows, func(r ledger.SourceRow) row {
		return row{
			r.Shard, idBytes(r.Account), hashBytes(r.Source), idBytes(r.Writer), r.Epoch, r.Seq, uint16(r.Kind), idBytes(r.Subject),
			r.EffectiveAt, r.RecordedAt,
		}
	})
	err := db.inserted(ctx, "INSERT INTO sources ("+sourceColumns+")", values, "ON CONFLICT DO NOTHING RETURNING source", func(q query) error {
		var sources [][]byte
		if err := q.scan(ctx, &sources); err != nil {
			return err
		}
		for _, s := range sources {
			added[toHash(s)] = true
		}
		return nil
	})
	return added, err
}

// OpenAccounts implements ledger.Store.
func (db *DB) OpenAccounts(ctx context.Context, keys []ledger.AccountKey) error {
	const noMarks = "\x80" // an empty CBOR array
	return db.insert(ctx, "INSERT INTO accounts (shard, account, version, marks)",
		convert(keys, func(k ledger.AccountKey) row { return row{k.Shard, idBytes(k.Account), 0, []byte(noMarks)} }), "ON CONFLICT DO NOTHING")
}

type accountRow struct {
	Shard   int    `bun:"shard"`
	Account []byte `bun:"account"`
	Version uint64 `bun:"version"`
	Marks   []byte `bun:"marks"`
	Place   []byte `bun:"place"`
	NextDue int64  `bun:"next_due"`
	Broken  int64  `bun:"broken_until"`
}

func (r accountRow) account() ledger.AccountRow {
	return ledger.AccountRow{AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Version: r.Version, Marks: r.Marks, Place: r.Place, NextDue: r.NextDue, Broken: r.Broken}
}

func accountKeys(keys []ledger.AccountKey) []row {
	return convert(keys, func(k ledger.AccountKey) row { return row{k.Shard, idBytes(k.Account)} })
}

// LockAccounts implements ledger.Store. The version is written with the account.
func (db *DB) LockAccounts(ctx context.Context, keys []ledger.AccountKey) ([]ledger.AccountRow, error) {
	const columns = "shard, account, version + 1 AS version, marks, place, next_due, broken_until"
	text := "SELECT " + columns + " FROM accounts WHERE ?"
	switch {
	case db.sqlite: // the transaction has locked the database
	case db.nodes.Load(): // only an update locks rows on several nodes
		text = "UPDATE accounts SET version = version WHERE ? RETURNING " + columns
	default:
		text += " ORDER BY shard, account FOR UPDATE"
	}
	rows, err := selectKeys[accountRow](ctx, db, db.write(ctx), text, "shard, account", accountKeys(keys))
	return convert(rows, accountRow.account), err
}

// AccountMembers implements ledger.Store.
func (db *DB) AccountMembers(ctx context.Context, keys []ledger.AccountKey) ([]ledger.MemberRow, error) {
	type memberRow struct {
		Shard   int    `bun:"shard"`
		Account []byte `bun:"account"`
		Member  []byte `bun:"member"`
		Profile []byte `bun:"profile"`
	}
	rows, err := selectKeys[memberRow](ctx, db, db.read(ctx),
		"SELECT shard, account, member, profile FROM account_members WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, func(r memberRow) ledger.MemberRow {
		return ledger.MemberRow{AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Member: toID(r.Member), Profile: r.Profile}
	}), err
}

// PutMembers implements ledger.Store.
func (db *DB) PutMembers(ctx context.Context, rows []ledger.MemberRow) error {
	return db.insert(ctx, "INSERT INTO account_members (shard, account, member, profile)",
		convert(rows, func(r ledger.MemberRow) row { return row{r.Shard, idBytes(r.Account), idBytes(r.Member), r.Profile} }),
		"ON CONFLICT (shard, account, member) DO UPDATE SET profile = EXCLUDED.profile")
}

// AccountVouchers implements ledger.Store.
func (db *DB) AccountVouchers(ctx context.Context, keys []ledger.AccountKey) ([]ledger.VoucherRow, error) {
	type voucherRow struct {
		Shard   int    `bun:"shard"`
		Account []byte `bun:"account"`
		Voucher []byte `bun:"voucher"`
		Body    []byte `bun:"body"`
	}
	rows, err := selectKeys[voucherRow](ctx, db, db.read(ctx),
		"SELECT shard, account, voucher, body FROM account_vouchers WHERE ?", "shard, account", accountKeys(keys))
	return convert(rows, func(r voucherRow) ledger.VoucherRow {
		return ledger.VoucherRow{AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Voucher: toID(r.Voucher), Body: r.Body}
	}), err
}

// PutVoucher implements ledger.Store.
func (db *DB) PutVoucher(ctx context.Context, r ledger.VoucherRow) error {
	return db.insert(ctx, "INSERT INTO account_vouchers (shard, account, voucher, body)",
		[]row{{r.Shard, idBytes(r.Account), idBytes(r.Voucher), r.Body}},
		"ON CONFLICT (shard, account, voucher) DO UPDATE SET body = EXCLUDED.body")
}
