package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/casework"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

const (
	// worked are exceptions x with the work k on them.
	worked = "exceptions AS x LEFT JOIN exception_cases AS k ON k.shard = x.shard AND k.exception = x.id"
	// caseOf are the columns of a case beside an exception's.
	caseOf = "COALESCE(k.owner, SUBSTR(x.id, 1, 0)) AS owner, COALESCE(k.owner_name, '') AS owner_name, COALESCE(k.resolution, '') AS resolution, " +
		"COALESCE(k.liable, '') AS case_liable, COALESCE(k.due_at, 0) AS due_at, COALESCE(k.due_by, '') AS due_by, COALESCE(k.proposal, SUBSTR(x.id, 1, 0)) AS proposal, " +
		"COALESCE(k.by_hand, 0) AS by_hand, COALESCE(k.version, 0) AS version, COALESCE(k.changed_at, 0) AS changed_at"
	// liableNow is who answers for an exception.
	liableNow = "CASE WHEN COALESCE(k.liable, '') <> '' THEN k.liable ELSE x.liable END"
	// proposed says that something about it waits for a second person.
	proposed = "COALESCE(LENGTH(k.proposal), 0) > 0"
)

// foundColumns are those of an exception x and the work on it.
var foundColumns = "x." + strings.ReplaceAll(exceptionColumns, ", ", ", x.") + ", " + caseOf

type foundRow struct {
	exceptionRow `bun:",extend"`

	Owner      []byte `bun:"owner"`
	OwnerName  string `bun:"owner_name"`
	Resolution string `bun:"resolution"`
	CaseLiable string `bun:"case_liable"`
	DueAt      int64  `bun:"due_at"`
	DueBy      string `bun:"due_by"`
	Proposal   []byte `bun:"proposal"`
	ByHand     int    `bun:"by_hand"`
	Version    int64  `bun:"version"`
	ChangedAt  int64  `bun:"changed_at"`
}

func (r foundRow) found() casework.Found {
	c := caseRow{
		r.Shard, r.ID, r.Owner, r.OwnerName, r.Resolution, r.CaseLiable, r.DueAt, r.DueBy, r.Proposal, r.ByHand, r.Version, r.ChangedAt,
	}
	return casework.Found{Exception: r.exception(), Case: c.made()}
}

// Matching implements casework.Store. What it says is what casework.Filter.Matches says; a
// test holds the two together.
func (db *DB) Matching(ctx context.Context, f casework.Filter, now time.Time, after *ledger.Place, limit int) ([]casework.Found, error) {
	q := db.read(ctx).NewSelect().TableExpr(worked).ColumnExpr(foundColumns).Where(unsettled).Where("NOT " + proposed)
	for _, c := range []struct {
		asked bool
		where string
		value any
	}{
		{f.Kind != "", "x.kind = ?", string(f.Kind)},
		{f.Store != uuid.Nil, "x.store = ?", idBytes(f.Store)},
		{f.Terminal != uuid.Nil, "x.terminal = ?", idBytes(f.Terminal)},
		{f.Attribution != "", "x.attribution = ?", string(f.Attribution)},
		{f.Liable != "", liableNow + " = ?", f.Liable},
		{f.Owner != uuid.Nil, "k.owner = ?", idBytes(f.Owner)},
		{f.Overdue, "k.due_at > 0 AND k.due_at < ?", toMillis(now)},
		{!f.Before.IsZero(), "x.recorded_at <= ?", toMillis(f.Before)},
		{f.Unit != "" && !f.Nothing, "x.unit = ?", f.Unit},
		{f.Unit != "" && !f.Nothing && f.UpTo > 0, "x.amount BETWEEN -(?0) AND ?0", f.UpTo},
		{f.Unit == "" && f.Currency != "" && !f.Nothing, "x.currency = ?", f.Currency},
		{f.Unit == "" && f.Currency != "" && !f.Nothing && f.UpTo > 0, "x.money BETWEEN -(?0) AND ?0", f.UpTo},
	} {
		if c.asked {
			q = q.Where(c.where, c.value)
		}
	}
	for _, c := range []struct {
		asked bool
		where string
	}{
		{f.Nothing, "(x.unit = '' OR x.amount = 0) AND (x.currency = '' OR x.money = 0)"},
		{f.Unowned, "COALESCE(k.owner_name, '') = ''"},
		{f.Untouched, "COALESCE(k.by_hand, 0) = 0"},
		{f.ByPolicy, "COALESCE(k.due_by, '') = '' OR k.due_by LIKE 'policy%'"},
	} {
		if c.asked {
			q = q.Where(c.where)
		}
	}
	if after != nil {
		q = q.Where("x.recorded_at >= ?", after.At).Where("x.recorded_at > ? OR x.id > ?", after.At, after.Key)
	}
	var rows []foundRow
	err := q.OrderExpr("x.recorded_at, x.id").Limit(int64(limit)).Scan(ctx, &rows)
	return convert(rows, foundRow.found), err
}

// Fresh implements casework.Store.
func (db *DB) Fresh(ctx context.Context, limit int) ([]casework.Found, error) {
	return page(ctx, db, foundRow.found, "SELECT "+foundColumns+" FROM "+worked+" WHERE x.opened = 0 ORDER BY x.recorded_at, x.id LIMIT ?", limit)
}

// Opened implements casework.Store.
func (db *DB) Opened(ctx context.Context, exceptions []casework.Found) error {
	for _, f := range exceptions {
		if _, err := db.exec(ctx, "UPDATE exceptions SET opened = 1 WHERE shard = ? AND id = ?", f.Exception.Shard, idBytes(f.Exception.ID)); err != nil {
			return err
		}
	}
	return nil
}

// Overdue implements casework.Store.
func (db *DB) Overdue(ctx context.Context, at time.Time) (int64, error) {
	var n int64
	err := db.read(ctx).NewRaw("SELECT COUNT(*) FROM "+worked+" WHERE "+unsettled+" AND k.due_at > 0 AND k.due_at < ?", toMillis(at)).Scan(ctx, &n)
	return n, err
}

type agedRow struct {
	Kind      string `bun:"kind"`
	Liable    string `bun:"liable"`
	Store     []byte `bun:"store"`
	StoreCode string `bun:"store_code"`
	Unit      string `bun:"unit"`
	Currency  string `bun:"currency"`
	Bucket    int    `bun:"bucket"`
	N         int64  `bun:"n"`
	Amount    int64  `bun:"amount"`
	Money     int64  `bun:"money"`
}

func (r agedRow) aged() casework.Aged {
	return casework.Aged{
		Kind: r.Kind, Liable: r.Liable, Store: toID(r.Store), StoreCode: r.StoreCode, Unit: r.Unit, Currency: r.Currency,
		Bucket: r.Bucket, N: r.N, Amount: r.Amount, Money: r.Money,
	}
}

// bounded is a column of exceptions x that can be summed: an entry that HQ doubts may say
// any number.
func bounded(column string) string {
	const most = "1000000000000"
	return "CASE WHEN x." + column + " > " + most + " THEN " + most + " WHEN x." + column + " < -" + most + " THEN -" + most + " ELSE x." + column + " END"
}

// summed sums what is measured in something: what counts no unit is no amount.
func summed(column, measure string) string {
	return "CAST(SUM(CASE WHEN x." + measure + " = '' THEN 0 ELSE " + bounded(column) + " END) AS BIGINT) AS " + column
}

// Standing implements casework.Store.
func (db *DB) Standing(ctx context.Context, at time.Time) ([]casework.Aged, error) {
	then := toMillis(at)
	const liable = "CASE WHEN COALESCE(v.liable, '') <> '' THEN v.liable ELSE x.liable END"
	bucket := "CASE"
	for i, last := range casework.Ages {
		bucket += fmt.Sprintf(" WHEN (%d - x.recorded_at) / 86400000 <= %d THEN %d", then, last, i)
	}
	bucket += fmt.Sprintf(" ELSE %d END", len(casework.Ages))
	return page(ctx, db, agedRow.aged, "SELECT a.kind, a.liable, a.store, COALESCE(s.code, '') AS store_code, a.unit, a.currency, a.bucket, a.n, a.amount, a.money FROM ("+
		"SELECT x.kind, "+liable+" AS liable, x.store, x.unit, x.currency, "+bucket+" AS bucket, COUNT(*) AS n, "+
		summed("amount", "unit")+", "+summed("money", "currency")+" FROM exceptions AS x "+
		"LEFT JOIN (SELECT shard, exception, MAX(version) AS version FROM exception_case_versions WHERE at <= ? GROUP BY shard, exception) AS m "+
		"ON m.shard = x.shard AND m.exception = x.id "+
		"LEFT JOIN exception_case_versions AS v ON v.shard = m.shard AND v.exception = m.exception AND v.version = m.version "+
		"WHERE x.recorded_at <= ? AND (x.ended_at > ? OR x.ended_at = 0 AND "+open+") AND COALESCE(v.resolution, '') = '' "+
		"GROUP BY 1, 2, 3, 4, 5, 6) AS a LEFT JOIN stores AS s ON s.id = a.store ORDER BY 1, 2, 4, 5, 6, 7", then, then, then)
}

// likeAtOnce is how many exceptions of a terminal are looked at for their cashier.
const likeAtOnce = 100

// Before implements casework.Store. Of the cashier it counts what the newest exceptions of
// the terminal say.
func (db *DB) Before(ctx context.Context, e ledger.Exception, since time.Time) (casework.History, error) {
	var h casework.History
	count := func(into *int64, where string, args ...any) error {
		return db.read(ctx).NewRaw("SELECT COUNT(*) FROM exceptions AS x WHERE "+where, args...).Scan(ctx, into)
	}
	like := "x.kind = ? AND x.recorded_at >= ? AND x.recorded_at <= ? AND x.id <> ? AND "
	args := []any{string(e.Kind), toMillis(since), e.RecordedAt, idBytes(e.ID)}
	if e.Member != uuid.Nil {
		err := count(&h.Member, like+"x.shard = ? AND x.account = ? AND x.member = ?", append(args, e.Shard, idBytes(e.Account), idBytes(e.Member))...)
		if err != nil {
			return h, err
		}
	}
	if e.Terminal == uuid.Nil {
		return h, nil
	}
	if err := count(&h.Terminal, like+"x.terminal = ?", append(args, idBytes(e.Terminal))...); err != nil {
		return h, err
	}
	var forks int64
	if err := count(&forks, "x.terminal = ? AND x.epoch = ? AND x.kind = 'fork' AND x.id <> ?", idBytes(e.Terminal), e.Epoch, idBytes(e.ID)); err != nil {
		return h, err
	}
	h.Forked = forks > 0
	var err error
	h.Cashier, err = db.sameCashier(ctx, e, like+"x.terminal = ?", append(args, idBytes(e.Terminal)))
	return h, err
}

// sameCashier counts exceptions whose entry is by the cashier of this one's.
func (db *DB) sameCashier(ctx context.Context, e ledger.Exception, where string, args []any) (int64, error) {
	type placed struct {
		Epoch  uint32 `bun:"epoch"`
		Seq    uint64 `bun:"seq"`
		Source []byte `bun:"source"`
	}
	others, err := page(ctx, db, asIs[placed], "SELECT x.epoch, x.seq, x.source FROM exceptions AS x WHERE "+where+" ORDER BY x.recorded_at DESC LIMIT ?", append(args, likeAtOnce)...)
	if err != nil || len(others) == 0 {
		return 0, err
	}
	in := shard.Of(e.Terminal)
	keys := []row{{in, idBytes(e.Terminal), e.Epoch, e.Seq}}
	wanted := map[journal.Hash]bool{}
	for _, o := range others {
		keys = append(keys, row{in, idBytes(e.Terminal), o.Epoch, o.Seq})
		wanted[toHash(o.Source)] = true
	}
	entries, err := selectKeys[entryRow](ctx, db, db.read(ctx), "SELECT "+entryColumns+" FROM entries WHERE ?", "shard, terminal, epoch, seq", keys)
	if err != nil {
		return 0, err
	}
	cashiers := map[journal.Hash]string{}
	for _, r := range entries {
		cashiers[toHash(r.Hash)] = cashierOf(r.Raw)
	}
	mine, n := cashiers[e.Source], int64(0)
	for hash := range wanted {
		if mine != "" && hash != e.Source && cashiers[hash] == mine {
			n++
		}
	}
	return n, nil
}

// cashierOf is who stood at the till; empty when the entry does not say.
func cashierOf(raw []byte) string {
	env, err := entry.Decode(raw)
	if err != nil {
		return ""
	}
	name, id := "", uuid.Nil
	switch env.Kind {
	case entry.KindSale:
		if s, err := entry.DecodeBody[entry.Sale](env); err == nil {
			name, id = s.Cashier, s.CashierID
		}
	case entry.KindReturn:
		if r, err := entry.DecodeBody[entry.Return](env); err == nil {
			name, id = r.Cashier, r.CashierID
		}
	case entry.KindVoid:
		if v, err := entry.DecodeBody[entry.Void](env); err == nil {
			name, id = v.Cashier, v.CashierID
		}
	}
	if id != uuid.Nil {
		return id.String()
	}
	return name
}
