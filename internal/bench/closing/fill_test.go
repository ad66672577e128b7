//go:build linux

package closing

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/reconcile"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

const (
	lanes = 2 // of each store
	date  = entry.Date(20260301)
)

var began = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

// row is a row of the table of entries, as it is copied.
type row []any

var entryColumns = []string{
	"shard", "terminal", "epoch", "seq", "hash", "branch", "kind", "state", "proven", "hlc", "occurred_at", "effective_at", "recorded_at", "store", "raw",
}

// lane makes the entries of one terminal's day, each chained to the one before.
type lane struct {
	t        testing.TB
	terminal uuid.UUID
	store    uuid.UUID
	seq      uint64
	at       time.Time
	head     journal.Hash
	day      daybook.Figures
	rows     []row
	sources  []row
}

func (l *lane) write(kind entry.Kind, body any) []byte {
	l.at = l.at.Add(27 * time.Second)
	l.seq++
	stamp := clock.NewStamp(l.at, 0)
	raw, err := entry.Encode(entry.Entry{HLC: stamp, OccurredAt: l.at.UnixMilli(), BusinessDate: date, Kind: kind}, body)
	if err != nil {
		l.t.Fatal(err)
	}
	l.head = journal.HashEntry(journal.Writer{ID: l.terminal, Epoch: 1}, l.seq, l.head, raw)
	hash, at := l.head, l.at.UnixMilli()
	l.rows = append(l.rows, row{
		int16(shard.Of(l.terminal)), l.terminal[:], int64(1), int64(l.seq), hash[:], int32(0), int32(kind), int16(1), int16(1),
		int64(stamp), at, at, at, l.store[:], raw,
	})
	return raw
}

// sell writes a sale with three lines; two of three are of a member, who earns, and every
// second of those redeems.
func (l *lane) sell(n int) {
	id := func(what string) uuid.UUID { return uuid.NewSHA1(l.terminal, fmt.Appendf(nil, "%s %d", what, n)) }
	sale := entry.Sale{
		ID: id("sale"), Total: entry.Money{Currency: "EUR", Minor: int64(900 + n%700)}, Receipt: fmt.Sprintf("R-%06d", n), Cashier: fmt.Sprint("cashier ", n%5), RuleSet: 1, Policy: 1,
		Lines: []entry.Line{
			{No: 1, SKU: fmt.Sprint("400638133", n%9973), Quantity: 1000, Amount: int64(400 + n%700), Category: "coffee"},
			{No: 2, SKU: fmt.Sprint("501234567", n%997), Quantity: 2000, Amount: 300},
			{No: 3, SKU: "4006381333931", Quantity: 1000, Amount: 200, Category: "bread"},
		},
		Key: id("key").String(), KeyHash: make([]byte, 32),
	}
	if n%3 != 0 {
		member := id("member")
		sale.Member, sale.Account, sale.Freshness = member, member, entry.FreshnessStatic
		sale.Code = &entry.Code{Subject: member, KeyID: 1, Issue: 1}
		sale.Earned = []entry.Earning{{Unit: "points", Amount: sale.Total.Minor / 100, ExpiresAt: began.AddDate(1, 0, 0).UnixMilli()}}
		if n%2 == 0 {
			sale.Redeemed = []entry.Redemption{{Reward: id("reward"), Unit: "points", Amount: 50, Basis: entry.BasisAllowance, Right: id("right"), Discount: 100}}
		}
	}
	l.write(entry.KindSale, sale)
	l.day.Count(entry.KindSale)
	l.day.Sale(sale)
	switch {
	case n%100 == 50:
		l.void(sale)
	case n%100 == 75:
		back := entry.Return{ID: id("return"), Sale: sale.ID, Member: sale.Member, Account: sale.Account, Matched: true, Refund: entry.Money{Currency: "EUR", Minor: 300}, Lines: []entry.ReturnLine{{No: 2, Quantity: 2000}}}
		l.write(entry.KindReturn, back)
		l.day.Count(entry.KindReturn)
		l.day.Return(back)
	}
}

func (l *lane) void(sale entry.Sale) {
	hash, at := l.head, l.at.UnixMilli()
	if sale.Account != uuid.Nil { // where HQ finds a member's sale
		l.sources = append(l.sources, row{
			int16(shard.Of(sale.Account)), sale.Account[:], hash[:], l.terminal[:], int64(1), int64(l.seq), int32(entry.KindSale), sale.ID[:], at, at,
		})
	}
	void := entry.Void{ID: uuid.NewSHA1(sale.ID, []byte("void")), Sale: sale.ID, Member: sale.Member, Account: sale.Account, Reason: entry.VoidCashier}
	l.write(entry.KindVoid, void)
	l.day.Count(entry.KindVoid)
	l.day.Void(void, sale)
}

// close ends the day as the terminal does.
func (l *lane) close() reconcile.Close {
	head := l.head
	body := entry.DayClose{Date: date, First: 1, Last: l.seq, Reason: entry.DayCloseOver, Head: head[:]}
	l.day.Fill(&body)
	raw := l.write(entry.KindDayClose, body)
	return reconcile.Close{
		Store: l.store, Terminal: l.terminal, Epoch: 1, Seq: l.seq, Hash: l.head, Date: date, Proven: true,
		OccurredAt: l.at.UnixMilli(), RecordedAt: l.at.UnixMilli(), Raw: raw,
	}
}

// fill writes the stores with their terminals, and one closed day of each.
func fill(t testing.TB, hq *books.HQ, dsn string, stores, sales int) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	must(t, err)
	defer func() { must(t, conn.Close(ctx)) }()
	for n := range stores {
		store := fleet.Store{ID: uuid.NewSHA1(hq.ID, fmt.Appendf(nil, "store %d", n)), Code: fmt.Sprintf("S%04d", n), Name: "Store", TimeZone: "Europe/Warsaw", Currency: "EUR", CreatedAt: began}
		must(t, hq.DB.AddStore(ctx, store))
		for i := range lanes {
			l := &lane{t: t, terminal: uuid.NewSHA1(store.ID, fmt.Append(nil, i)), store: store.ID, at: began, head: journal.Genesis}
			must(t, hq.DB.AddTerminal(ctx, fleet.Terminal{
				ID: l.terminal, Store: store.ID, Name: fmt.Sprint("lane ", i+1), State: fleet.StateEnrolled, Epoch: 1, PublicKey: make([]byte, 32), Version: 1, CreatedAt: began, EnrolledAt: began,
			}))
			l.write(entry.KindEnrolled, entry.Enrolled{Terminal: l.terminal, Store: store.ID, Epoch: 1, PublicKey: make([]byte, 32), HQ: hq.ID})
			l.day.Count(entry.KindEnrolled)
			for n := range sales / lanes {
				l.sell(n)
			}
			must(t, hq.DB.AddCloses(ctx, []reconcile.Close{l.close()}))
			l.copy(ctx, conn)
		}
	}
	for _, text := range []string{"VACUUM ANALYZE entries", "VACUUM ANALYZE branches", "VACUUM ANALYZE sources", "ANALYZE", "CHECKPOINT"} {
		_, err := conn.Exec(ctx, text)
		must(t, err)
	}
}

func (l *lane) copy(ctx context.Context, conn *pgx.Conn) {
	put := func(table string, columns []string, rows []row) {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return rows[i], nil }))
		must(l.t, err)
	}
	put("entries", entryColumns, l.rows)
	put("sources", []string{"shard", "account", "source", "writer", "epoch", "seq", "kind", "subject", "effective_at", "recorded_at"}, l.sources)
	genesis, at := journal.Genesis, l.at.UnixMilli()
	put("branches", []string{
		"shard", "terminal", "epoch", "branch", "from_seq", "from_hash", "head_seq", "head_hash", "effective_at", "applied_seq", "retain_seq", "store", "last_contact",
	}, []row{{
		int16(shard.Of(l.terminal)), l.terminal[:], int64(1), int32(0), int64(0), genesis[:], int64(l.seq), l.head[:], at, int64(l.seq), int64(0), l.store[:], at,
	}})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
