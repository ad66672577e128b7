package store

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"github.com/tallystick/tallystick/server/ledger"
)

// Refused implements ledger.Store.
func (db *DB) Refused(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		const integrity, data = "23", "22" // classes of SQLSTATE
		return strings.HasPrefix(pg.Code, integrity) || strings.HasPrefix(pg.Code, data)
	}
	var lite *sqlite.Error
	const constraint, mismatch = 19, 20
	return errors.As(err, &lite) && (lite.Code()&0xff == constraint || lite.Code()&0xff == mismatch)
}

const asideColumns = "shard, account, source, terminal, epoch, seq, branch, reason, at, tries, again_at"

type asideRow struct {
	Shard    int    `bun:"shard"`
	Account  []byte `bun:"account"`
	Source   []byte `bun:"source"`
	Terminal []byte `bun:"terminal"`
	Epoch    uint32 `bun:"epoch"`
	Seq      uint64 `bun:"seq"`
	Branch   int    `bun:"branch"`
	Reason   string `bun:"reason"`
	At       int64  `bun:"at"`
	Tries    int    `bun:"tries"`
	AgainAt  int64  `bun:"again_at"`
}

func (r asideRow) aside() ledger.Aside {
	return ledger.Aside{
		AccountKey: ledger.AccountKey{Shard: r.Shard, Account: toID(r.Account)}, Source: toHash(r.Source), Terminal: toID(r.Terminal), Epoch: r.Epoch,
		Seq: r.Seq, Branch: r.Branch, Reason: r.Reason, At: r.At, Tries: r.Tries, AgainAt: r.AgainAt,
	}
}

// PutAside implements ledger.Store.
func (db *DB) PutAside(ctx context.Context, rows []ledger.Aside) error {
	return db.insert(ctx, "INSERT INTO set_aside ("+asideColumns+")", convert(rows, func(r ledger.Aside) row {
		return row{
			r.Shard, idBytes(r.Account), hashBytes(r.Source), idBytes(r.Terminal), r.Epoch, r.Seq, r.Branch, r.Reason, r.At, int64(r.Tries), r.AgainAt,
		}
	}), "ON CONFLICT (shard, account, source) DO UPDATE SET tries = EXCLUDED.tries, again_at = EXCLUDED.again_at")
}

// DropAside implements ledger.Store.
func (db *DB) DropAside(ctx context.Context, r ledger.Aside) error {
	_, err := db.exec(ctx, "DELETE FROM set_aside WHERE shard = ? AND account = ? AND source = ?", r.Shard, idBytes(r.Account), hashBytes(r.Source))
	return err
}

// AsideBy implements ledger.Store.
func (db *DB) AsideBy(ctx context.Context, by int64, limit int) ([]ledger.Aside, error) {
	return page(ctx, db, asideRow.aside, "SELECT "+asideColumns+" FROM set_aside WHERE again_at <= ? ORDER BY again_at, shard, account, source LIMIT ?", by, limit)
}

// branchKey names a branch of a journal.
type branchKey struct {
	terminal uuid.UUID
	epoch    uint32
	branch   int
}

// firstAside is the first entry of each journal that is set aside.
func (db *DB) firstAside(ctx context.Context) (map[branchKey]uint64, error) {
	var rows []asideRow
	err := db.read(ctx).NewRaw("SELECT terminal, epoch, branch, MIN(seq) AS seq FROM set_aside GROUP BY terminal, epoch, branch").Scan(ctx, &rows)
	out := make(map[branchKey]uint64, len(rows))
	for _, r := range rows {
		out[branchKey{toID(r.Terminal), r.Epoch, r.Branch}] = r.Seq
	}
	return out, err
}
