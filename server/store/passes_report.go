package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/account"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

var _ pass.Books = (*DB)(nil)

// MarkPasses implements pass.Store.
func (db *DB) MarkPasses(ctx context.Context, marks []pass.Mark) error {
	const newer = "CASE WHEN EXCLUDED.? > pass_marks.? THEN EXCLUDED.? ELSE pass_marks.? END"
	set := []string{"lag = CASE WHEN EXCLUDED.fetched_tag > pass_marks.fetched_tag THEN EXCLUDED.lag ELSE pass_marks.lag END"}
	for _, column := range []string{"installed_at", "pushed_at", "listed_at", "fetched_at", "fetched_tag"} {
		set = append(set, column+" = "+strings.ReplaceAll(newer, "?", column))
	}
	return db.insert(ctx, "INSERT INTO pass_marks (shard, pass, installed_at, pushed_at, listed_at, fetched_at, fetched_tag, lag)",
		convert(marks, func(m pass.Mark) row {
			return row{
				m.Shard, idBytes(m.ID), toMillis(m.InstalledAt), toMillis(m.PushedAt), toMillis(m.ListedAt), toMillis(m.FetchedAt), m.FetchedTag, m.Lag.Milliseconds(),
			}
		}), "ON CONFLICT (shard, pass) DO UPDATE SET "+strings.Join(set, ", "))
}

type lineRow struct {
	ID   []byte `bun:"id"`
	At   int64  `bun:"at"`
	Line string `bun:"line"`
}

// AddPassLog implements pass.Store.
func (db *DB) AddPassLog(ctx context.Context, lines []pass.Line, keep int) error {
	return db.InTx(ctx, func(ctx context.Context) error {
		for _, l := range lines {
			if _, err := db.exec(ctx, "INSERT INTO pass_log (id, at, line) VALUES (?, ?, ?)", l.ID[:], toMillis(l.At), l.Text); err != nil {
				return err
			}
		}
		over, err := page(ctx, db, func(r lineRow) []byte { return r.ID }, "SELECT id FROM pass_log ORDER BY id DESC LIMIT 1 OFFSET ?", keep)
		if err != nil || len(over) == 0 {
			return err
		}
		_, err = db.exec(ctx, "DELETE FROM pass_log WHERE id <= ?", over[0])
		return err
	})
}

// PassLog implements pass.Store.
func (db *DB) PassLog(ctx context.Context, before uuid.UUID, limit int) ([]pass.Line, error) {
	if before == uuid.Nil {
		before = uuid.Max
	}
	return page(ctx, db, func(r lineRow) pass.Line { return pass.Line{ID: toID(r.ID), At: fromMillis(r.At), Text: r.Line} },
		"SELECT id, at, line FROM pass_log WHERE id < ? ORDER BY id DESC LIMIT ?", before[:], limit)
}

type trackedRow struct {
	passRow     `bun:",extend"`
	InstalledAt int64  `bun:"installed_at"`
	PushedAt    int64  `bun:"pushed_at"`
	ListedAt    int64  `bun:"listed_at"`
	FetchedAt   int64  `bun:"fetched_at"`
	FetchedTag  uint64 `bun:"fetched_tag"`
	Lag         int64  `bun:"lag"`
	Devices     int    `bun:"devices"`
}

func (r trackedRow) tracked() pass.Tracked {
	return pass.Tracked{Pass: r.pass(), Devices: r.Devices, Marks: pass.Marks{
		InstalledAt: fromMillis(r.InstalledAt), PushedAt: fromMillis(r.PushedAt), ListedAt: fromMillis(r.ListedAt), FetchedAt: fromMillis(r.FetchedAt),
		FetchedTag: r.FetchedTag, Lag: time.Duration(r.Lag) * time.Millisecond,
	}}
}

// ListPasses implements pass.Store.
func (db *DB) ListPasses(ctx context.Context, f pass.Filter, after *pass.Place, limit int) ([]pass.Tracked, error) {
	q := db.read(ctx).NewSelect().TableExpr("passes AS p").Join("LEFT JOIN pass_marks AS m ON m.shard = p.shard AND m.pass = p.id").
		ColumnExpr("p." + strings.ReplaceAll(passColumns, ", ", ", p."))
	for _, column := range []string{"installed_at", "pushed_at", "listed_at", "fetched_at", "fetched_tag", "lag"} {
		q = q.ColumnExpr("COALESCE(m." + column + ", 0) AS " + column)
	}
	q = q.ColumnExpr("(SELECT COUNT(*) FROM pass_registrations AS r WHERE r.shard = p.shard AND r.pass = p.id) AS devices")
	if f.Member != uuid.Nil {
		q = q.Where("p.shard = ? AND p.member = ?", shard.Of(f.Member), idBytes(f.Member))
	}
	if f.Channel != 0 {
		q = q.Where("p.channel = ?", uint8(f.Channel))
	}
	if f.State != 0 {
		q = q.Where("p.state = ?", uint8(f.State))
	}
	if after != nil {
		q = q.Where("(p.issued_at, p.id) < (?, ?)", toMillis(after.At), idBytes(after.ID))
	}
	var rows []trackedRow
	err := q.OrderExpr("p.issued_at DESC, p.id DESC").Limit(int64(limit)).Scan(ctx, &rows)
	return convert(rows, trackedRow.tracked), err
}

// PassFunnel implements pass.Store.
func (db *DB) PassFunnel(ctx context.Context, since time.Time) ([]pass.Stage, error) {
	type stageRow struct {
		Channel   uint8 `bun:"channel"`
		Issued    int64 `bun:"issued"`
		Installed int64 `bun:"installed"`
		Pushed    int64 `bun:"pushed"`
		Listed    int64 `bun:"listed"`
		Fetched   int64 `bun:"fetched"`
		Voided    int64 `bun:"voided"`
		OnPhones  int64 `bun:"on_phones"`
		Current   int64 `bun:"is_current"`
		Lags      int64 `bun:"lags"`
	}
	of := func(name, condition string) string {
		return ", COALESCE(SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END), 0) AS " + name
	}
	stages, err := page(ctx, db, asIs[stageRow], "SELECT p.channel, COUNT(*) AS issued"+of("installed", "m.installed_at > 0")+of("pushed", "m.pushed_at > 0")+
		of("listed", "m.listed_at > 0")+of("fetched", "m.fetched_at > 0")+of("voided", "p.state = 3")+of("on_phones", "p.state = 2")+
		of("is_current", "p.state = 2 AND m.fetched_tag >= p.tag")+of("lags", "m.lag > 0 AND m.fetched_at >= ?")+
		" FROM passes AS p LEFT JOIN pass_marks AS m ON m.shard = p.shard AND m.pass = p.id GROUP BY p.channel ORDER BY p.channel", toMillis(since))
	if err != nil {
		return nil, err
	}
	out := make([]pass.Stage, len(stages))
	for i, r := range stages {
		out[i] = pass.Stage{
			Channel: pass.Channel(r.Channel), Issued: r.Issued, Installed: r.Installed, Pushed: r.Pushed, Listed: r.Listed, Fetched: r.Fetched,
			Voided: r.Voided, Good: r.Issued - r.Voided, OnPhones: r.OnPhones, Current: r.Current,
		}
		if r.Lags == 0 {
			continue
		}
		if out[i].LagMedian, err = db.lagAt(ctx, r.Channel, since, (r.Lags-1)/2); err != nil {
			return nil, err
		}
		if out[i].LagWorst, err = db.lagAt(ctx, r.Channel, since, (r.Lags-1)*95/100); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lagAt is the lag at a place in the order of lags.
func (db *DB) lagAt(ctx context.Context, channel uint8, since time.Time, at int64) (time.Duration, error) {
	var ms []int64
	err := db.read(ctx).NewRaw("SELECT m.lag FROM pass_marks AS m JOIN passes AS p ON p.shard = m.shard AND p.id = m.pass "+
		"WHERE p.channel = ? AND m.lag > 0 AND m.fetched_at >= ? ORDER BY m.lag LIMIT 1 OFFSET ?", channel, toMillis(since), at).Scan(ctx, &ms)
	if err != nil || len(ms) == 0 {
		return 0, err
	}
	return time.Duration(ms[0]) * time.Millisecond, nil
}

// PassLags implements pass.Store.
func (db *DB) PassLags(ctx context.Context, since time.Time, limit int) ([]pass.Lag, error) {
	type lagRow struct {
		Channel   uint8 `bun:"channel"`
		FetchedAt int64 `bun:"fetched_at"`
		Lag       int64 `bun:"lag"`
	}
	return page(ctx, db, func(r lagRow) pass.Lag {
		return pass.Lag{Channel: pass.Channel(r.Channel), At: fromMillis(r.FetchedAt), Took: time.Duration(r.Lag) * time.Millisecond}
	}, "SELECT p.channel, m.fetched_at, m.lag FROM pass_marks AS m JOIN passes AS p ON p.shard = m.shard AND p.id = m.pass "+
		"WHERE m.lag > 0 AND m.fetched_at >= ? ORDER BY m.fetched_at DESC LIMIT ?", toMillis(since), limit)
}

// Movements implements pass.Books.
func (db *DB) Movements(ctx context.Context, keys []ledger.AccountKey, since time.Time) ([]pass.Movement, error) {
	type movedRow struct {
		Account    []byte `bun:"account"`
		ToBook     int16  `bun:"to_book"`
		OccurredAt int64  `bun:"occurred_at"`
		RecordedAt int64  `bun:"recorded_at"`
	}
	// In the text, where only keys have marks; of whole minutes, so that there are few texts.
	from := strconv.FormatInt(since.Truncate(time.Minute).UnixMilli(), 10)
	rows, err := selectKeys[movedRow](ctx, db, db.read(ctx),
		"SELECT account, to_book, MAX(occurred_at) AS occurred_at, MAX(recorded_at) AS recorded_at FROM postings WHERE ? AND recorded_at >= "+from+
			" GROUP BY shard, account, to_book", "shard, account", accountKeys(keys))
	if err != nil {
		return nil, err
	}
	at := map[uuid.UUID]int{}
	var out []pass.Movement
	for _, r := range rows {
		id := toID(r.Account)
		i, seen := at[id]
		if !seen {
			i = len(out)
			at[id] = i
			out = append(out, pass.Movement{Account: id})
		}
		m := &out[i]
		m.OccurredAt = fromMillis(max(toMillis(m.OccurredAt), r.OccurredAt))
		m.RecordedAt = fromMillis(max(toMillis(m.RecordedAt), r.RecordedAt))
		if loyalty.Book(r.ToBook) == loyalty.BookStore {
			m.RedeemedAt = fromMillis(max(toMillis(m.RedeemedAt), r.RecordedAt))
		}
	}
	return out, nil
}

// OldestWaiting implements pass.Books.
func (db *DB) OldestWaiting(ctx context.Context) (time.Time, error) {
	var ms int64
	err := db.read(ctx).NewRaw(oldestWait).Scan(ctx, &ms)
	return fromMillis(ms), err
}

// Merged implements pass.Books.
func (db *DB) Merged(ctx context.Context, member uuid.UUID) (bool, error) {
	shared, err := db.MemberAccount(ctx, member)
	if err != nil {
		return false, err
	}
	links, err := db.someLinks(ctx, "target = ? AND until_at = 0", shared[:])
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(links, func(l account.Link) bool {
		return l.Kind == entry.LinkMerged && slices.ContainsFunc(l.Owned.Members, func(m wire.Member) bool { return m.ID == member })
	}), nil
}

// Locales implements pass.Books.
func (db *DB) Locales(ctx context.Context, members []uuid.UUID) (map[uuid.UUID]string, error) {
	holders, err := byIDs(ctx, db, asIs[holderRow], "SELECT member, locale FROM card_holders WHERE member IN (?)", members)
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]string, len(holders))
	for _, h := range holders {
		out[toID(h.Member)] = h.Locale
	}
	return out, nil
}
