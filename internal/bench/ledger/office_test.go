//go:build linux

package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/rest"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// patience bounds every wait for HQ to have applied what it was given.
const patience = 30 * time.Minute

// How often it is looked whether everything has been applied: often for one sale,
// seldom where rounds take seconds, since looking costs the database something too.
const (
	atOnce = time.Millisecond
	seldom = 10 * time.Millisecond
)

// office is a running hq with a programme in force.
type office struct {
	*hqclient.Client
	hq     *stage.HQ
	proc   *process.Process
	rules  loyalty.RuleSet
	policy uint64
	reward hqclient.Reward
	http   *http.Client // of all terminals: a connection each
	db     *sql.DB      // HQ's own, to look at the cursors
}

// openOffice starts an hq on the database at dsn. name names its CPU profile.
func openOffice(t *testing.T, o options, dsn, name string) *office {
	t.Helper()
	bin, env := programs(t, o, name)
	t.Setenv("TALLYSTICK_HQ_DB", dsn) // of init and serve
	hq, err := stage.NewHQ(t.Context(), bin, t.TempDir(), nil)
	must(t, err)
	proc, err := process.Start(t.Context(), process.Spec{
		Name: "hq serve", Path: bin.Path("hq"), Args: []string{"serve", "--data", hq.Data, "--listen", hq.Addr},
		Env:   env,
		Ready: func(line []byte) bool { return bytes.Contains(line, []byte(`"ready":true`)) },
	})
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		must(t, proc.Stop(ctx))
	})
	f := &office{hq: hq, proc: proc, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 4096, DisableCompression: true}, Timeout: 5 * time.Minute,
	}}
	t.Cleanup(f.http.CloseIdleConnections)
	f.Client, err = hq.SignIn(t.Context())
	must(t, err)
	f.Client.HTTP.Timeout = 5 * time.Minute
	f.db, err = openDatabase(dsn)
	must(t, err)
	t.Cleanup(func() { must(t, f.db.Close()) })
	f.openProgramme(t)
	return f
}

// profiled is what replaces the first line of hq's main when a CPU profile is asked
// for; everything else is the program as it ships.
const profiled = `func main() { os.Exit(profiled()) }

func profiled() int {
	path := os.Getenv("TALLYSTICK_BENCH_PROFILE_TO")
	if path == "" {
		return run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	}
	f, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		panic(err)
	}
	defer f.Close()
	defer pprof.StopCPUProfile()
	return run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
`

// programs builds hq, or takes the finished one; with a profile it builds its own.
func programs(t *testing.T, o options, name string) (process.Binaries, []string) {
	t.Helper()
	if !o.profile {
		bin, err := process.Build(t.Context(), t.TempDir(), "hq")
		must(t, err)
		return bin, nil
	}
	const file, first = "cmd/hq/main.go", "func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }\n"
	root, err := process.ModuleRoot(t.Context())
	must(t, err)
	source, err := os.ReadFile(filepath.Join(root, file))
	must(t, err)
	if strings.Count(string(source), first) != 1 {
		t.Fatalf("%s no longer has the line %s", file, first)
	}
	text := strings.Replace(string(source), first, profiled, 1)
	text = strings.Replace(text, "\t\"os/signal\"\n", "\t\"os/signal\"\n\t\"runtime/pprof\"\n", 1)
	bin, err := process.BuildBroken(t.Context(), t.TempDir(), map[string]string{file: text}, "hq")
	must(t, err)
	dir, err := benchtable.Dir(".")
	must(t, err)
	must(t, os.MkdirAll(dir, 0o755))
	return bin, []string{"TALLYSTICK_BENCH_PROFILE_TO=" + filepath.Join(dir, name+".pprof")}
}

// openProgramme puts rules, caps and one reward in force: a point a euro, 200 points
// for 3.00.
func (f *office) openProgramme(t *testing.T) {
	t.Helper()
	put := func(path string, in, out any) {
		must(t, f.Do(t.Context(), rest.Call{Method: http.MethodPut, Path: "/api/v1/programme" + path, Key: uuid.NewString(), In: in, Out: out}))
	}
	put("/rule-set", map[string]any{
		"currency": stage.Currency,
		"earn":     []loyalty.EarnRule{{Unit: stage.Points, Points: 1, Per: 100, ExpireMonths: 12}},
	}, &f.rules)
	var policy struct {
		Version uint64 `json:"version"`
	}
	put("/policy", stage.DefaultPolicy, &policy)
	f.policy = policy.Version
	var err error
	f.reward, err = f.CreateReward(t.Context(), hqclient.Reward{
		Name: "Coffee", Unit: stage.Points, Cost: cost, Discount: discount, Currency: stage.Currency, Active: true,
	})
	must(t, err)
}

// awaitApplied waits until nothing waits to be applied. It looks at the journals'
// cursors: HQ's status counts whole tables, and asking it over and over would be a
// part of what is measured. check asks the status in the end.
func (f *office) awaitApplied(ctx context.Context, every time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var behind int
		if err := f.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM branches WHERE applied_seq < head_seq").Scan(&behind); err != nil {
			return fmt.Errorf("look at the cursors: %w", err)
		}
		if behind == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func openDatabase(dsn string) (*sql.DB, error) {
	if path, ok := strings.CutPrefix(dsn, "sqlite:"); ok {
		return sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	}
	return sql.Open("pgx", dsn)
}
