package layering

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// pkg makes a package of this module that imports the given paths.
func pkg(room string, imports ...string) Package {
	return Package{ImportPath: long(room), Name: filepath.Base(room), Imports: longAll(imports)}
}

func long(p string) string {
	if rest, ok := strings.CutPrefix(p, "./"); ok {
		return module + "/" + rest
	}
	return p
}

func longAll(paths []string) []string {
	all := make([]string, 0, len(paths))
	for _, p := range paths {
		all = append(all, long(p))
	}
	return all
}

func tests(p Package, imports ...string) Package {
	p.XTestImports = longAll(imports)
	return p
}

func links(p Package, deps ...string) Package {
	p.Deps = longAll(deps)
	return p
}

// broken holds graphs that break the rules; each rule is broken by at least one.
var broken = []struct {
	name  string
	graph Package
	want  string
}{
	{"edge knows HQ", pkg("./edge/syncer", "./server/ingest"), "./edge/syncer imports ./server/ingest"},
	{"a test of edge knows HQ", tests(pkg("./edge/till"), "./server/ledger"), "./edge/till imports ./server/ledger"},
	{"HQ knows edge", pkg("./server/ingest", "./edge/till"), "./server/ingest imports ./edge/till"},
	{"the wire knows HQ", pkg("./sync/wire", "./server/feed"), "./sync/wire imports ./server/feed"},
	{"the domain knows the till", pkg("./internal/loyalty", "./edge/till"), "./internal/loyalty imports ./edge/till"},
	{"Fiber in a use case", pkg("./edge/till", "github.com/gofiber/fiber/v2"), "imports github.com/gofiber/fiber/v2"},
	{"Fiber in a room that ends in api", pkg("./server/rapi", "github.com/gofiber/fiber/v2"), "imports github.com/gofiber/fiber/v2"},
	{"fasthttp in the syncer", pkg("./edge/syncer", "github.com/valyala/fasthttp"), "imports github.com/valyala/fasthttp"},
	{"Fiber in a command", pkg("./cmd/hq", "github.com/gofiber/fiber/v2"), "./cmd/hq imports github.com/gofiber/fiber/v2"},
	{"Badger in the till", pkg("./edge/till", "github.com/dgraph-io/badger/v4"), "imports github.com/dgraph-io/badger/v4"},
	{"bun in the ledger", pkg("./server/ledger", "github.com/uptrace/bun"), "imports github.com/uptrace/bun"},
	{"pgx in ingest", pkg("./server/ingest", "github.com/jackc/pgx/v5/pgxpool"), "imports github.com/jackc/pgx/v5/pgxpool"},
	{"SQLite in a command", pkg("./cmd/hq", "modernc.org/sqlite"), "imports modernc.org/sqlite"},
	{"database/sql in the api", pkg("./server/api", "database/sql"), "imports database/sql"},
	{"a test kit in the product", pkg("./server/api", "./internal/testkit/faultproxy"), "imports ./internal/testkit/faultproxy"},
	{"SQL deep in the edge binary", links(pkg("./cmd/edge"), "database/sql"), "./cmd/edge links database/sql"},
	{"HQ deep in the edge binary", links(pkg("./cmd/edge"), "./server/feed"), "./cmd/edge links ./server/feed"},
	{"a cloud SDK deep in the edge binary", links(pkg("./cmd/edge"), "github.com/aws/aws-sdk-go/aws"), "./cmd/edge links"},
	{"uuid in the domain", pkg("./internal/loyalty", "github.com/google/uuid"), "imports github.com/google/uuid"},
	{"a clock in the domain", pkg("./internal/loyalty/rules", "./internal/clock"), "imports ./internal/clock"},
	{"a disk in the domain", pkg("./internal/loyalty", "os"), "imports os"},
	{"a network in the domain", pkg("./internal/loyalty", "net/http"), "imports net/http"},
	{"the clock knows keys", pkg("./internal/clock", "./internal/keys"), "imports ./internal/keys"},
	{"keys know uuid", pkg("./internal/keys", "github.com/google/uuid"), "imports github.com/google/uuid"},
	{"a cursor's text knows what it says", pkg("./internal/cursortext", "./server/feed"), "imports ./server/feed"},
	{"the truth asks the domain", pkg("./internal/quarter/truth", "./internal/loyalty"), "imports ./internal/loyalty"},
	{"Google's wallet knows the code", pkg("./wallet/google", "./wallet/passtoken"), "imports ./wallet/passtoken"},
	{"the auditor's program trusts ours", pkg("./cmd/verify", "./sync/journal"), "imports ./sync/journal"},
	{"matching knows the journal", pkg("./server/posbooks/match", "./sync/entry"), "imports ./sync/entry"},
	{"what is owed asks who settles", pkg("./server/liability", "./server/settlement"), "imports ./server/settlement"},
	{"a face knows one wallet", pkg("./wallet/face", "./wallet/apple"), "imports ./wallet/apple"},
	{"a brand knows where it is kept", pkg("./wallet/brand", "./server/branding"), "imports ./server/branding"},
	{"a printed card asks the programme", pkg("./wallet/printed", "./server/programme"), "imports ./server/programme"},
	{"a font knows a card", pkg("./internal/typeface", "./wallet/face"), "imports ./wallet/face"},
	{"a paper reads files", pkg("./server/paper", "os"), "./server/paper imports os"},
	{"the doctor opens connections", pkg("./wallet/doctor", "./wallet/google"), "imports ./wallet/google"},
	{"a certificate knows pushes", pkg("./wallet/apple/passtype", "./wallet/apple/apns"), "imports ./wallet/apple/apns"},
	{"a push knows passes", pkg("./wallet/apple/apns", "./wallet/face"), "imports ./wallet/face"},
	{"clearing follows the ledger", pkg("./server/settlement/clearing", "./server/ledger"), "imports ./server/ledger"},
	{"currencies know an amount", pkg("./internal/currency", "./internal/loyalty"), "imports ./internal/loyalty"},
	{"a pass reads its own files", pkg("./wallet/apple", "os"), "imports os"},
	{"PKCS#12 read elsewhere", pkg("./server/pass", "software.sslmate.com/src/go-pkcs12"), "imports software.sslmate.com/src/go-pkcs12"},
	{"pin knows the wire", pkg("./internal/pin", "./sync/wire"), "imports ./sync/wire"},
	{"problem knows a room", pkg("./internal/problem", "./sync/wire"), "imports ./sync/wire"},
	{"the loop knows what it runs", pkg("./server/rounds", "./server/ledger"), "imports ./server/ledger"},
	{"web knows a room", pkg("./internal/web", "./internal/problem"), "imports ./internal/problem"},
	{"passtoken knows the clock", pkg("./wallet/passtoken", "./internal/clock"), "imports ./internal/clock"},
	{"entry knows keys", pkg("./sync/entry", "./internal/keys"), "imports ./internal/keys"},
	{"a receipt knows the cache", pkg("./edge/print", "./edge/cache"), "./edge/print imports ./edge/cache"},
	{"figures know the ledger", pkg("./sync/daybook", "./internal/loyalty"), "imports ./internal/loyalty"},
	{"the journal knows what entries mean", pkg("./sync/journal", "./sync/entry"), "imports ./sync/entry"},
	{"the wire knows Prometheus", pkg("./sync/wire", "github.com/prometheus/client_golang/prometheus"), "imports github.com/prometheus"},
	{"the wire knows HTTP", pkg("./sync/wire", "net/http"), "imports net/http"},
	{"the till knows its cache", pkg("./edge/till", "./edge/cache"), "imports ./edge/cache"},
	{"the ledger knows its storage", pkg("./server/ledger", "./server/store"), "imports ./server/store"},
	{"HQ's api knows the storage", pkg("./server/api", "./server/store"), "imports ./server/store"},
	{"a use case of HQ knows its handlers", pkg("./server/fleet", "./server/api"), "imports ./server/api"},
	{"a use case of the edge knows its handlers", pkg("./edge/syncer", "./edge/api"), "imports ./edge/api"},
	{"a Go file in sync", pkg("./sync"), "./sync holds Go files"},
}

func TestRulesCatch(t *testing.T) {
	caught := map[int]bool{}
	for _, tc := range broken {
		t.Run(tc.name, func(t *testing.T) {
			var lines []string
			for i, r := range Rules {
				for _, v := range r.Check([]Package{tc.graph}) {
					lines = append(lines, v.String())
					caught[i] = true
				}
			}
			if !strings.Contains(strings.Join(lines, "\n"), tc.want) {
				t.Errorf("no violation says %q, got %q", tc.want, lines)
			}
		})
	}
	for i, r := range Rules {
		if !caught[i] {
			t.Errorf("no case breaks rule %d: %+v", i, r)
		}
	}
}

func TestRulesAllow(t *testing.T) {
	graph := []Package{
		pkg("./edge/api", "github.com/gofiber/fiber/v2", "./edge/till"),
		pkg("./server/api", "github.com/gofiber/fiber/v2", "./server/ledger"),
		pkg("./edge/cache", "github.com/dgraph-io/badger/v4", "./edge/till"),
		pkg("./server/store", "github.com/uptrace/bun", "database/sql", "./server/store/migrations"),
		tests(pkg("./server/ledger", "./internal/loyalty"), "./server/store", "./internal/testkit/postgres"),
		pkg("./internal/loyalty", "sort", "./internal/loyalty/rules", "cel.dev/cel-go/cel"),
		pkg("./sync/journal", "os", "sync", "golang.org/x/sys/unix", "./internal/keys"),
		pkg("./cmd/hq", "./server/store", "./server/api"),
		links(pkg("./cmd/edge"), "database/sql/driver", "./edge/till"),
		pkg("./internal/e2e", "./edge/till", "./server/ledger", "database/sql"),
	}
	for _, v := range Run(Rules, graph) {
		t.Errorf("flags what is allowed: %s", v)
	}
}

func TestEveryRuleHasAReason(t *testing.T) {
	for _, tc := range broken {
		for _, v := range Run(Rules, []Package{tc.graph}) {
			if len(v.Reason) < 20 {
				t.Errorf("%s: a rule without a reason is only a nuisance", v)
			}
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tc := range []struct {
		pattern, path string
		want          bool
	}{
		{"./edge", module + "/edge/till", true},
		{"./edge", module + "/edger", false},
		{"./sync", "sync", false},
		{"sync", module + "/sync/wire", false},
		{"./*/api", module + "/edge/api", true},
		{"./*/api", module + "/edge/api/gen", true},
		{"./*/api", module + "/api", false},
		{"=database/sql", "database/sql", true},
		{"=database/sql", "database/sql/driver", false},
		{"std", "net/http", true},
		{"std", "golang.org/x/sys/unix", false},
		{"std", module + "/internal/clock", false},
	} {
		if got := covers(tc.pattern, tc.path); got != tc.want {
			t.Errorf("covers(%q, %q) = %v, want %v", tc.pattern, tc.path, got, tc.want)
		}
	}
}

func TestAmbientCatches(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		want      []string
	}{
		{"call", `package p; import "time"; var t = time.Now()`, []string{"time.Now"}},
		{"handed on", `package p; import "time"; var f func() time.Time = time.Now`, []string{"time.Now"}},
		{"under another name", `package p; import clk "time"; var t = clk.Since(clk.Time{})`, []string{"clk.Since"}},
		{"global dice", `package p; import "math/rand/v2"; var n = rand.IntN(6)`, []string{"rand.IntN"}},
		{"system dice", `package p; import "crypto/rand"; var r = rand.Reader`, []string{"rand.Reader"}},
		{"new id", `package p; import "github.com/google/uuid"; var i, _ = uuid.NewV7()`, []string{"uuid.NewV7"}},
		{"seeded dice are free", `package p; import "math/rand/v2"; var r = rand.New(rand.NewPCG(1, 2))`, nil},
		{"durations are free", `package p; import "time"; const d = 3 * time.Second`, nil},
		{"another Now is free", `package p; import "example.test/clock"; var t = clock.Now()`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			uses, err := ambientUses("p.go", tc.src)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, u := range uses {
				got = append(got, u.name)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("found %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAmbientRooms(t *testing.T) {
	dir := t.TempDir()
	src := []byte("package p\n\nimport \"time\"\n\nvar t = time.Now()\n")
	for _, name := range []string{"p.go", "p_windows.go", "p_test.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), src, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files := Package{Dir: dir, GoFiles: []string{"p.go"}, IgnoredGoFiles: []string{"p_windows.go", "p_test.go"}}
	for room, want := range map[string]int{"./edge/till": 2, "./cmd/edge": 0, "./internal/clock": 0, "./internal/loyalty": 2} {
		p := files
		p.ImportPath = long(room)
		found, err := Ambient([]Package{p})
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != want {
			t.Errorf("%s: found %v, want %d uses", room, found, want)
		}
	}
}

func TestUndocumentedCatches(t *testing.T) {
	for name, tc := range map[string]struct {
		pkg, doc string
		want     int
	}{
		"none":       {"till", "", 1},
		"no comment": {"till", "package till\n", 1},
		"detached":   {"till", "// Package till decides.\n\npackage till\n", 1},
		"other name": {"till", "// Package cache decides.\npackage till\n", 1},
		"good":       {"till", "// Package till decides.\npackage till\n", 0},
		"command":    {"main", "// Edge is the agent.\npackage main\n", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := Package{ImportPath: long("./edge/till"), Name: tc.pkg, Dir: t.TempDir(), GoFiles: []string{"till.go"}}
			if tc.doc != "" {
				p.GoFiles = append(p.GoFiles, "doc.go")
				if err := os.WriteFile(filepath.Join(p.Dir, "doc.go"), []byte(tc.doc), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			found, err := Undocumented([]Package{p})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) != tc.want {
				t.Errorf("found %v, want %d", found, tc.want)
			}
		})
	}
}
