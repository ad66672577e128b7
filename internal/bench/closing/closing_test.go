//go:build linux

package closing

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/storeday"
)

// TestClose writes build/bench/close.json.
func TestClose(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench-close does)")
	}
	rounds := setting(t, "ROUNDS", 3)
	b := open(t, setting(t, "STORES", 1000), setting(t, "SALES", 2000))
	t.Logf("%d processors, load before: %.1f", runtime.NumCPU(), process.Load())
	var closing, scans, counts []cost
	for range rounds {
		scans = append(scans, b.scan(t))
		counts = append(counts, b.count(t))
		closing = append(closing, b.close(t))
		t.Logf("closing %s; scan %s; scan inside PostgreSQL %s; load: %.1f", closing[len(closing)-1], scans[len(scans)-1], counts[len(counts)-1], process.Load())
	}
	b.check(t)
	wall, busy := median(closing)
	scanWall, scanBusy := median(scans)
	countWall, _ := median(counts)
	results := []benchtable.Result{
		benchtable.Against("close_day", "s", wall, scanWall, benchtable.RatioAtMost(5)),
		benchtable.Against("close_day_processor", "s", busy, scanBusy, benchtable.Target{}),
		benchtable.Against("close_day_to_count", "s", wall, countWall, benchtable.Target{}),
		benchtable.Alone("close_entries", "entries/s", float64(b.entries)/wall, benchtable.Target{}),
		benchtable.Alone("close_heap", "MB", b.heap, benchtable.Target{}),
	}
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "close", results))
	for _, missed := range benchtable.Missed(results) {
		t.Errorf("%s is %.3g %s (ratio %.3g), the target is %s", missed.Name, missed.Value, missed.Unit, missed.Ratio, missed.Target)
	}
}

// cost is seconds of time, and of processors.
type cost struct{ wall, busy float64 }

func (c cost) String() string { return fmt.Sprintf("%.1f s (%.1f s of processors)", c.wall, c.busy) }

func median(list []cost) (wall, busy float64) {
	var walls, busies []float64
	for _, c := range list {
		walls, busies = append(walls, c.wall), append(busies, c.busy)
	}
	return benchtable.Median(walls), benchtable.Median(busies)
}

// cost measures what something costs.
func (b *bench) cost(t *testing.T, do func()) cost {
	t.Helper()
	began, before := time.Now(), b.spent(t)
	do()
	return cost{time.Since(began).Seconds(), b.spent(t) - before}
}

// spent is seconds of processor time of this process and of PostgreSQL so far: other
// people's work on the machine changes them little.
func (b *bench) spent(t *testing.T) float64 {
	t.Helper()
	own, err := process.CPU(os.Getpid())
	must(t, err)
	theirs, err := process.FamilyCPU(b.postmaster)
	must(t, err)
	return (own + theirs).Seconds()
}

func setting(t *testing.T, name string, usual int) int {
	t.Helper()
	n, err := benchtable.Setting("TALLYSTICK_BENCH_"+name, usual)
	must(t, err)
	return n
}

// bench is an HQ on PostgreSQL whose stores have all closed a day.
type bench struct {
	hq      *books.HQ
	fleet   *fleet.Fleet
	dsn     string
	stores  int
	entries int64
	bytes   int64
	heap    float64 // MB, the most that was seen

	postmaster int // PostgreSQL's process
}

func open(t *testing.T, stores, sales int) *bench {
	t.Helper()
	cluster := pg.Start(t)
	b := &bench{dsn: cluster.Database(t), stores: stores, postmaster: cluster.PID()}
	b.hq = books.On(t, b.dsn, 0)
	b.fleet = fleet.New(fleet.Env{Keeper: b.hq.DB, Journal: nil, Clock: b.hq.Clock, NewID: uuid.New, HQ: b.hq.ID})
	filling := time.Now()
	fill(t, b.hq, b.dsn, stores, sales)
	b.hq.Clock.Advance(48 * time.Hour)
	b.query(t, "SELECT COUNT(*), SUM(LENGTH(raw)) FROM entries", func(rows pgx.Rows) { must(t, rows.Scan(&b.entries, &b.bytes)) })
	t.Logf("%d stores, %d entries of %.0f bytes, put in within %.0f s", stores, b.entries, float64(b.bytes)/float64(b.entries), time.Since(filling).Seconds())
	return b
}

func (b *bench) query(t *testing.T, text string, each func(rows pgx.Rows)) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, b.dsn)
	must(t, err)
	defer func() { must(t, conn.Close(ctx)) }()
	rows, err := conn.Query(ctx, text)
	must(t, err)
	for rows.Next() {
		each(rows)
	}
	must(t, rows.Err())
}

// scan reads all rows, in the order in which they lie, into this process.
func (b *bench) scan(t *testing.T) cost {
	t.Helper()
	n := 0
	took := b.cost(t, func() {
		b.query(t, "SELECT terminal, epoch, seq, hash, kind, state, proven, raw FROM entries WHERE branch = 0", func(rows pgx.Rows) {
			if n++; len(rows.RawValues()[7]) == 0 {
				t.Fatal("an entry without bytes")
			}
		})
	})
	if int64(n) != b.entries {
		t.Fatalf("%d rows of %d", n, b.entries)
	}
	return took
}

// count reads all rows inside PostgreSQL, which sends one number.
func (b *bench) count(t *testing.T) cost {
	t.Helper()
	return b.cost(t, func() {
		b.query(t, "SELECT SUM(LENGTH(raw)) FROM entries WHERE branch = 0", func(pgx.Rows) {})
	})
}

// close certifies the day of every store, after forgetting that it was.
func (b *bench) close(t *testing.T) cost {
	t.Helper()
	b.query(t, "TRUNCATE store_days, store_day_journals", func(pgx.Rows) {})
	days := storeday.New(storeday.Env{
		Store: b.hq.DB, Fleet: b.fleet, Journal: b.hq.Journal, Clock: b.hq.Clock, HQ: b.hq.ID, HQEpoch: 1, Signer: b.hq.Signer,
		Virtual: func(string) bool { return false },
	})
	if path := os.Getenv("TALLYSTICK_BENCH_PROFILE"); path != "" {
		f, err := os.Create(path)
		must(t, err)
		must(t, pprof.StartCPUProfile(f))
		defer func() { pprof.StopCPUProfile(); must(t, f.Close()) }()
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); b.watchHeap(stop) }()
	took := b.cost(t, func() { must(t, days.Round(context.Background())) })
	close(stop)
	<-done
	return took
}

// watchHeap notes the most memory in use until it is stopped.
func (b *bench) watchHeap(stop <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.heap = max(b.heap, float64(m.HeapInuse)/1e6)
		select {
		case <-stop:
			return
		case <-tick.C:
		}
	}
}

// check says that every store has its certificate, that it is good and covers every entry.
func (b *bench) check(t *testing.T) {
	t.Helper()
	published := map[string]ed25519.PublicKey{b.hq.Signer.Public.JWKID(): b.hq.Signer.Public.Key}
	var entries, n int64
	b.query(t, "SELECT text FROM store_days", func(rows pgx.Rows) {
		var text string
		must(t, rows.Scan(&text))
		c, err := storeday.Verify(text, published)
		must(t, err)
		if c.Differences > 0 || len(c.Late) > 0 {
			t.Fatalf("differences: %+v", c)
		}
		for _, j := range c.Journals {
			entries += int64(j.Last)
		}
		n++
	})
	if entries != b.entries || n != int64(b.stores) {
		t.Fatalf("%d certificates over %d of %d entries", n, entries, b.entries)
	}
}
