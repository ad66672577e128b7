//go:build linux

package settle

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/server/settlement"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/sync/entry"
)

// flat is how much more memory the large month may take than the small one: both are so
// little that what lies between two collections of garbage shows.
const flat = 1.5

// month is the one that is settled. The clock of books begins on 1 March 2026.
const month = settlement.Month(202602)

var ann, bo = uuid.NewSHA1(uuid.Nil, []byte("ann")), uuid.NewSHA1(uuid.Nil, []byte("bo"))

func setting(t *testing.T, name string, usual int) int {
	t.Helper()
	n, err := benchtable.Setting(name, usual)
	must(t, err)
	return n
}

// TestSettle writes build/bench/settle.json.
func TestSettle(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench-settle does)")
	}
	large := setting(t, "SETTLE_ENTRIES", 10_000_000)
	small := min(setting(t, "SETTLE_SMALL", 500_000), large)
	stores := setting(t, "SETTLE_STORES", 200)
	cluster := pg.Start(t)
	few := measure(t, cluster.Database(t), small, stores)
	many := measure(t, cluster.Database(t), large, stores)
	results := []benchtable.Result{
		benchtable.Alone("settle_entries", "entries", float64(large), benchtable.Target{}),
		benchtable.Alone("settle_lines", "lines", float64(many.lines), benchtable.Target{}),
		benchtable.Against("settle_follow", "s", many.follow, few.follow, benchtable.Target{}),
		benchtable.Alone("settle_follow_rate", "entries/s", float64(large)/many.follow, benchtable.Target{}),
		benchtable.Against("settle_draft", "s", many.draft, few.draft, benchtable.Target{}),
		benchtable.Against("settle_lock", "s", many.lock, few.lock, benchtable.Target{}),
		benchtable.Alone("settle_rate", "entries/s", float64(large)/(many.draft+many.lock), benchtable.Target{}),
		benchtable.Against("settle_peak", "MiB", many.peak, few.peak, benchtable.RatioAtMost(flat)),
	}
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "settle", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s (ratio %.3g), the target is %s", missed.Name, missed.Value, missed.Unit, missed.Ratio, missed.Target)
	}
}

// taken is what a month took: seconds, and MiB of this process at most.
type taken struct {
	follow, draft, lock, peak float64
	lines                     int
}

// measure settles a month of so many postings between so many stores.
func measure(t *testing.T, dsn string, n, stores int) (out taken) {
	t.Helper()
	ctx := t.Context()
	hq := books.On(t, dsn, 0)
	s, places := open(t, hq, stores)
	db, err := sql.Open("pgx", dsn)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	say := progress(n)
	fill(t, dsn, n, places, say)
	hq.Clock.Advance(48 * time.Hour)
	debug.FreeOSMemory()
	must(t, process.ForgetPeak(os.Getpid()))

	out.follow = timed(func() { follow(t, db, s, n, say) })
	out.draft = timed(func() {
		_, err := s.Draft(ctx, ann, month)
		must(t, err)
		must(t, s.Round(ctx))
	})
	say("drafted in %.1f s", out.draft)
	out.lock = timed(func() {
		_, err := s.Lock(ctx, bo, month)
		must(t, err)
	})
	peak, err := process.PeakMemory(os.Getpid())
	must(t, err)
	out.peak = float64(peak) / (1 << 20)
	must(t, db.QueryRowContext(ctx, "SELECT COUNT(*) FROM settlement_lines WHERE month = $1", uint32(month)).Scan(&out.lines))
	zero(ctx, t, s)
	say("%d lines; locked in %.1f s, peak %.0f MiB", out.lines, out.lock, out.peak)
	return out
}

// timed is how many seconds something took.
func timed(part func()) float64 {
	began := time.Now()
	part()
	return time.Since(began).Seconds()
}

// progress returns what says how far a month of so many postings is.
func progress(n int) func(format string, args ...any) {
	began := time.Now()
	return func(format string, args ...any) {
		fmt.Printf("%d postings, %.0f s: %s\n", n, time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
}

// follow has the service follow the ledger, and says meanwhile how far it is. In the end
// there is a move for each posting.
func follow(t *testing.T, db *sql.DB, s *settlement.Service, n int, say func(string, ...any)) {
	t.Helper()
	done := make(chan error, 1)
	began := time.Now()
	go func() {
		_, err := s.Follow(t.Context())
		done <- err
	}()
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			must(t, err)
			var moves int
			must(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM settlement_moves WHERE month = $1", uint32(month)).Scan(&moves))
			if moves != n {
				t.Fatalf("%d moves of %d postings", moves, n)
			}
			say("followed, %.0f a second", float64(n)/time.Since(began).Seconds())
			return
		case <-tick.C:
			var part float64
			must(t, db.QueryRowContext(t.Context(), "SELECT COALESCE((SELECT SUM(pos) FROM settlement_cursors)::float8 / SUM(pos), 0) FROM applied_heads").Scan(&part))
			say("followed %.0f%%", 100*part)
		}
	}
}

// open makes a service with stores of ten franchisees, in two currencies, with a fee.
func open(t *testing.T, hq *books.HQ, stores int) (*settlement.Service, []clearing.Place) {
	t.Helper()
	ctx := t.Context()
	var places []clearing.Place
	for i := range stores {
		p := clearing.Place{ID: uuid.NewSHA1(hq.ID, []byte{byte(i), byte(i >> 8)}), Code: fmt.Sprintf("S%04d", i), Name: "store", Currency: "EUR", Zone: "Europe/Berlin"}
		if i%5 == 4 {
			p.Currency, p.Zone = "TRY", "Europe/Istanbul"
		}
		places = append(places, p)
	}
	ids := 0
	s := settlement.New(settlement.Env{
		Store: hq.DB, Journal: hq.Journal, Clock: hq.Clock,
		Places: func(context.Context) ([]clearing.Place, error) { return places, nil },
		NewID: func() uuid.UUID {
			ids++
			return uuid.NewSHA1(hq.ID, []byte("term "+strconv.Itoa(ids)))
		},
	})
	from := entry.Date(20250101)
	var parties []uuid.UUID
	for i := range 10 {
		p, err := s.PutParty(ctx, ann, settlement.Party{Code: fmt.Sprintf("F%02d", i), Name: "franchisee", Currency: "EUR", Language: "en"}, true)
		must(t, err)
		parties = append(parties, p.ID)
	}
	for i, p := range places {
		must(t, s.Assign(ctx, ann, clearing.Assignment{Store: p.ID, Party: parties[i%len(parties)], From: from}))
	}
	for currency, price := range map[string]int64{"EUR": 1000, "TRY": 50_000} {
		must(t, s.SetPrice(ctx, ann, clearing.Price{Unit: "points", Currency: currency, From: from, PerThousand: price}))
	}
	must(t, s.SetRate(ctx, ann, clearing.Rate{Base: "EUR", Quote: "TRY", From: from, Billionths: 50_123_456_789, Source: "bench"}))
	must(t, s.SetRate(ctx, ann, clearing.Rate{Base: "TRY", Quote: "EUR", From: from, Billionths: 19_950_700, Source: "bench"}))
	must(t, s.SetFee(ctx, ann, clearing.Fee{Code: "HANDLING", From: from, Payer: clearing.PaysHonouring, BasisPoints: 150}))
	return s, places
}

// zero fails unless the statements of the month sum to zero in each currency.
func zero(ctx context.Context, t *testing.T, s *settlement.Service) {
	t.Helper()
	all, err := s.Statements(ctx, month, uuid.Nil, true, 100)
	must(t, err)
	sums := map[string]int64{}
	for _, st := range all {
		for _, total := range st.Totals {
			sums[total.Currency] += total.Net
		}
	}
	if len(all) != 11 || sums["EUR"] != 0 || sums["TRY"] != 0 {
		t.Errorf("%d statements that sum to %v", len(all), sums)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
