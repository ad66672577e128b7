//go:build linux

package tillbooks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/posbooks"
)

// days is how many days the file goes over.
const days = 12

var (
	ida   = posbooks.Person{ID: uuid.NewSHA1(uuid.Nil, []byte("ida")), Name: "Ida"}
	rules = posbooks.Rules{
		Format: posbooks.CSV, Expects: posbooks.ExpectAll, Minutes: 5, TimeFormat: "yyyy-MM-dd HH:mm",
		Columns: map[posbooks.Field]string{posbooks.FieldReceipt: "no", posbooks.FieldLane: "lane", posbooks.FieldTime: "time", posbooks.FieldAmount: "amount"},
	}
)

// TestBooks writes build/bench/books.json.
func TestBooks(t *testing.T) {
	if os.Getenv("TALLYSTICK_BENCH") == "" {
		t.Skip("set TALLYSTICK_BENCH=1 (make bench-books does)")
	}
	rows, err := benchtable.Setting("BOOKS_ROWS", 1_000_000)
	must(t, err)
	dsn := pg.Start(t).Database(t)
	s := shop.New(t, books.On(t, dsn, 0))
	s.Of.Currency = "EUR"
	service := posbooks.New(posbooks.Env{
		Store: s.DB, Fleet: s, Clock: s.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Ends: func(context.Context, uuid.UUID) (time.Duration, error) { return 0, nil }, Virtual: func(string) bool { return false },
	})
	s.Clock.Advance(20 * 24 * time.Hour)
	came := upload(t, service, s.Of.ID, rows)
	debug.FreeOSMemory()
	must(t, process.ForgetPeak(os.Getpid()))
	before, err := process.PeakMemory(os.Getpid())
	must(t, err)
	whole := timed(t, func(ctx context.Context) error { return service.Round(ctx) })
	if came, err = service.Import(t.Context(), s.Of.ID, came.ID); err != nil || came.State != posbooks.Finished || came.Rows != int64(rows) {
		t.Fatalf("%+v, %v", came, err)
	}
	must(t, service.Again(t.Context(), s.Of.ID, came.First, came.Last))
	again := timed(t, func(ctx context.Context) error { return service.Round(ctx) })
	peak, err := process.PeakMemory(os.Getpid())
	must(t, err)
	bare := copied(t, dsn, rows)
	results := []benchtable.Result{
		benchtable.Alone("books_rows", "rows", float64(rows), benchtable.Target{}),
		benchtable.Against("books_import", "s", whole, bare, benchtable.Target{}),
		benchtable.Against("books_match_again", "s", again, bare, benchtable.Target{}),
		benchtable.Alone("books_rate", "rows/s", float64(rows)/whole, benchtable.Target{}),
		benchtable.Alone("books_memory", "MiB", float64(peak-before)/(1<<20), benchtable.Target{}),
	}
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, benchtable.Publish(os.Stdout, dir, "books", results))
}

// upload sends a file of rows that are equally long, part by part, so that it is nowhere
// whole, and has it wait to be read.
func upload(t *testing.T, service *posbooks.Service, store uuid.UUID, rows int) posbooks.Import {
	t.Helper()
	file := []byte("no,lane,time,amount\n")
	row := func(n int) []byte {
		return fmt.Appendf(nil, "%08d,Lane 1,2026-03-%02d 10:00,10.00\n", n, 1+n*days/rows)
	}
	i, err := service.Begin(t.Context(), ida, store, "books.csv", int64(len(file)+rows*len(row(0))), rules)
	for n := 0; err == nil && i.Arrived < i.Size; {
		for len(file) < posbooks.PartSize && n < rows {
			file = append(file, row(n)...)
			n++
		}
		part := min(len(file), posbooks.PartSize)
		i, err = service.AddPart(t.Context(), store, i.ID, i.Parts, file[:part])
		file = append([]byte(nil), file[part:]...)
	}
	must(t, err)
	i, err = service.Run(t.Context(), store, i.ID, rules)
	must(t, err)
	return i
}

// copied says how long PostgreSQL takes to copy the rows into a table like theirs.
func copied(t *testing.T, dsn string, rows int) float64 {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, dsn)
	must(t, err)
	defer func() { must(t, conn.Close(ctx)) }()
	f, err := os.Create(filepath.Join(t.TempDir(), "rows"))
	must(t, err)
	defer func() { must(t, f.Close()) }()
	_, err = conn.PgConn().CopyTo(ctx, f, "COPY pos_rows TO STDOUT (FORMAT binary)")
	must(t, err)
	_, err = conn.Exec(ctx, "CREATE TABLE bare (LIKE pos_rows INCLUDING INDEXES)")
	must(t, err)
	_, err = f.Seek(0, 0)
	must(t, err)
	return timed(t, func(ctx context.Context) error {
		done, err := conn.PgConn().CopyFrom(ctx, f, "COPY bare FROM STDIN (FORMAT binary)")
		if err == nil && done.RowsAffected() != int64(rows) {
			return fmt.Errorf("%d rows were copied", done.RowsAffected())
		}
		return err
	})
}

func timed(t *testing.T, act func(context.Context) error) float64 {
	t.Helper()
	began := time.Now()
	must(t, act(t.Context()))
	return time.Since(began).Seconds()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
